//! A place in a container's output, and how to find it again in a log that is read anew.
//!
//! # Theory of operation
//! An engine's log is a list of frames in the order of the file; the only name a frame has is its timestamp. Neither is
//! it unique, nor do timestamps only rise: stdout and stderr are stamped before they take their turn at the file, and
//! all pieces of a long line bear the time of its first piece. So a place says: the highest timestamp so far, how many
//! frames bore it, and how many (older ones) followed the last of those. Before the last frame with the highest
//! timestamp no frame can be newer: whoever reads anew and meets a newer one first knows that the place has been
//! rotated away.

use std::fmt;

/// A place: everything up to a frame has been read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    /// The highest timestamp, in nanoseconds since 1970.
    top: u64,
    /// How many frames bore it; 0 at the beginning.
    count: u64,
    /// How many frames followed the last of them.
    behind: u64,
    /// The oldest of those that followed, at most `top`.
    oldest_behind: u64,
    /// Of stdout and stderr: the time of a line that has not ended, which its coming pieces will bear.
    open: [Option<u64>; 2],
}

impl Place {
    /// Goes past a frame.
    pub(crate) fn pass(&mut self, stamp: u64, stderr: bool, ends_line: bool) {
        if self.count == 0 || stamp > self.top {
            *self = Self { top: stamp, count: 1, behind: 0, oldest_behind: stamp, open: self.open };
        } else if stamp == self.top {
            self.count += 1;
            (self.behind, self.oldest_behind) = (0, stamp);
        } else {
            self.behind += 1;
            self.oldest_behind = self.oldest_behind.min(stamp);
        }
        let open = &mut self.open[usize::from(stderr)];
        *open = (!ends_line).then(|| open.map_or(stamp, |since| since.min(stamp)));
    }

    /// The oldest timestamp that matters for reading on.
    fn oldest(&self) -> u64 {
        self.open.iter().flatten().fold(self.oldest_behind, |least, open| least.min(*open))
    }

    /// From which second on to ask the engine, which leaves out what is older. Two seconds of slack for frames that
    /// were stamped long before they were written.
    pub(crate) fn since(&self) -> i32 {
        let seconds = (self.oldest() / 1_000_000_000).saturating_sub(2);
        i32::try_from(seconds).unwrap_or(i32::MAX)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(|part| part.parse::<u64>().ok());
        let (top, count) = (parts.next()??, parts.next()??);
        let (behind, oldest, open) = match parts.next() {
            None => (0, top, 0),
            Some(behind) => (behind?, parts.next()??, parts.next()??),
        };
        if parts.next().is_some() || oldest > top || count == 0 || open > 3 {
            return None;
        }
        let open = [1, 2].map(|bit| (open & bit != 0).then_some(oldest));
        Some(Self { top, count, behind, oldest_behind: oldest, open })
    }

    /// What has to be left out when the log is read anew.
    pub(crate) const fn skip(&self) -> Skip {
        if self.count == 0 {
            return Skip::Nothing;
        }
        Skip::Seek { top: self.top, left: self.count, behind: self.behind }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.top, self.count)?;
        let oldest = self.oldest();
        let open = u8::from(self.open[0].is_some()) | u8::from(self.open[1].is_some()) << 1;
        if self.behind == 0 && oldest == self.top && open == 0 {
            return Ok(());
        }
        write!(f, ":{}:{oldest}:{open}", self.behind)
    }
}

/// Leaves out what was read before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Skip {
    /// Until that many frames with the highest timestamp went by.
    Seek { top: u64, left: u64, behind: u64 },
    /// That many more.
    Behind { top: u64, left: u64 },
    /// Everything from here on is new.
    Nothing,
}

impl Skip {
    /// Whether the frame is new.
    pub(crate) fn is_new(&mut self, stamp: u64) -> bool {
        match self {
            Self::Nothing => return true,
            // The place has been rotated away, or all of it went by: what is newer is new.
            Self::Seek { top, .. } | Self::Behind { top, .. } if stamp > *top => {
                *self = Self::Nothing;
                return true;
            }
            Self::Seek { top, left, behind } => {
                *left -= u64::from(stamp == *top);
                if *left == 0 {
                    *self = Self::after(*top, *behind);
                }
            }
            Self::Behind { top, left } => *self = Self::after(*top, *left - 1),
        }
        false
    }

    const fn after(top: u64, left: u64) -> Self {
        if left == 0 { Self::Nothing } else { Self::Behind { top, left } }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// A frame: its time in tenths of a second, its stream, whether it ends a line.
    type Frame = (u64, bool, bool);

    const TENTH: u64 = 100_000_000;

    /// What an engine sends that is asked from a second on.
    fn asked(frames: &[Frame], since: i32) -> impl Iterator<Item = (usize, Frame)> {
        let since = u64::try_from(since).unwrap() * 1_000_000_000;
        frames.iter().copied().enumerate().filter(move |(_, frame)| frame.0 * TENTH >= since)
    }

    /// Frames as an engine writes them: stamps rise but for jitter below a second, pieces of a line keep its stamp.
    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        let step = (0_u64..30, 0_u64..8, any::<bool>(), prop::bool::weighted(0.7));
        prop::collection::vec(step, 1..60).prop_map(|steps| {
            let (mut clock, mut open) = (100, [None; 2]);
            let write = |(pause, late, stderr, ends): (u64, u64, bool, bool)| {
                clock += pause.saturating_sub(10);
                let stamp = open[usize::from(stderr)].unwrap_or(clock - late);
                open[usize::from(stderr)] = (!ends).then_some(stamp);
                (stamp, stderr, ends)
            };
            steps.into_iter().map(write).collect()
        })
    }

    proptest! {
        #[test]
        fn cut_anywhere_any_number_of_times_nothing_is_lost_or_doubled(
            frames in frames(),
            cuts in prop::collection::vec(1_usize..20, 0..30),
            written in any::<bool>(),
        ) {
            let (mut place, mut read) = (Place::default(), Vec::new());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let mut skip = place.skip();
                let from = if place == Place::default() { 0 } else { place.since() };
                for (i, (tenths, stderr, ends)) in asked(&frames, from).take(cut) {
                    if skip.is_new(tenths * TENTH) {
                        read.push(i);
                        place.pass(tenths * TENTH, stderr, ends);
                    }
                }
                // As another engine gets it.
                if written && place != Place::default() {
                    place = Place::parse(&place.to_string()).unwrap();
                }
            }
            prop_assert_eq!(read, (0..frames.len()).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_harms(text in "[0-9:x]{0,40}") {
            if let Some(place) = Place::parse(&text) {
                prop_assert_eq!(Place::parse(&place.to_string()).map(|p| p.to_string()), Some(place.to_string()));
            }
        }
    }

    #[test]
    fn the_usual_place_is_short() {
        let mut place = Place::default();
        place.pass(5_000_000_000, false, true);
        place.pass(5_000_000_000, true, true);
        assert_eq!(place.to_string(), "5000000000:2");
        place.pass(4_000_000_000, true, true);
        assert_eq!(place.to_string(), "5000000000:2:1:4000000000:0");
        place.pass(5_100_000_000, true, false);
        assert_eq!(place.to_string(), "5100000000:1:0:5100000000:2");
        assert!(place.to_string().len() < 256);
    }

    #[test]
    fn after_a_rotation_everything_newer_is_new() {
        let mut skip = Place::parse("5000000000:3").unwrap().skip();
        assert_eq!([5, 6, 6, 7].map(|s| skip.is_new(s * 1_000_000_000)), [false, true, true, true]);
    }
}
