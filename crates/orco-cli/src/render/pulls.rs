//! Pulls of images: a bar for each that is under way, or lines where nothing can be drawn twice.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write,
};

use orco_core::runtime::Stage;

use super::{Ink, Paint, printable, status::cut};

/// A file's line of progress comes at each of these parts of the whole.
const PARTS: u64 = 4;
/// Below this many columns there is no room for a bar, only for the number.
const ROOM_FOR_BAR: usize = 10;

/// One line per image that is under way, each of at most `columns` characters, and not more lines than `most`.
pub fn bars(subjects: &BTreeMap<String, Stage>, columns: usize, most: usize, paint: Paint) -> Vec<String> {
    let under_way: Vec<_> = subjects.iter().filter(|(_, stage)| is_under_way(stage)).collect();
    // A line that says how many more there are takes the place of two.
    let shown = if under_way.len() > most { most.saturating_sub(1) } else { under_way.len() };
    let width = under_way.iter().take(shown).map(|(name, _)| printable(name).chars().count()).max().unwrap_or(0);
    let width = width.min(columns / 2).max(1);
    let mut lines: Vec<String> =
        under_way.iter().take(shown).map(|(name, stage)| bar(name, stage, width, columns, paint)).collect();
    if shown < under_way.len() && most > 0 {
        lines.push(cut(&format!("and {} more", under_way.len() - shown), columns));
    }
    lines
}

const fn is_under_way(stage: &Stage) -> bool {
    matches!(stage, Stage::Running { .. } | Stage::Waiting { .. })
}

fn bar(name: &str, stage: &Stage, width: usize, columns: usize, paint: Paint) -> String {
    let name = format!("{:width$}  ", cut(&printable(name), width));
    let left = columns.saturating_sub(width + 2);
    let (ink, rest) = match stage {
        Stage::Running { done, total: Some(total) } if *total > 0 => (Ink::Good, measured(*done, *total, left)),
        Stage::Running { done, .. } if *done > 0 => (Ink::Plain, size(*done)),
        Stage::Waiting { why } => (Ink::Busy, format!("waits: {}", printable(bare(why)))),
        _ => (Ink::Plain, "begins".to_owned()),
    };
    format!("{}{}", cut(&name, columns), paint.ink(ink, cut(&rest, left)))
}

/// Without `cannot pull IMAGE from REGISTRY: `, where who reads it knows of what it speaks.
fn bare(why: &str) -> &str {
    why.strip_prefix("cannot pull ").and_then(|rest| rest.split_once(": ")).map_or(why, |(_, reason)| reason)
}

/// `[=====>    ]  52 %  12.3 of 23.4 MiB`, or what of it fits.
fn measured(done: u64, total: u64, columns: usize) -> String {
    let done = done.min(total);
    let percent = format!("{:3} %", u128::from(done) * 100 / u128::from(total));
    let sizes = format!("  {} of {}", size(done), size(total));
    let sizes = if columns > percent.len() + sizes.len() + 3 + ROOM_FOR_BAR { sizes } else { String::new() };
    let room = columns.saturating_sub(percent.len() + sizes.len() + 3).min(40);
    if room < ROOM_FOR_BAR {
        return percent;
    }
    let full = usize::try_from(u128::from(done) * room as u128 / u128::from(total)).unwrap_or(room);
    let head = usize::from(full < room);
    format!("[{}{}{}] {percent}{sizes}", "=".repeat(full), ">".repeat(head), " ".repeat(room - full - head))
}

#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// What there is to say about pulls on lines of their own, each thing once.
#[derive(Debug)]
pub struct PullLines {
    paint: Paint,
    /// Whether bars show how it goes on; then only ends are told.
    bars: bool,
    told: BTreeMap<String, Told>,
    /// Why each was last said to wait, until it gets on: it is tried again and again, and that is no news.
    waited: BTreeMap<String, String>,
}

/// What was last said of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    /// So many parts of it are there.
    Part(u64),
    Waits(String),
    Done,
    Failed(String),
}

impl PullLines {
    /// Nothing was said yet. With `bars`, only what stays when they have gone is said.
    pub const fn new(paint: Paint, bars: bool) -> Self {
        Self { paint, bars, told: BTreeMap::new(), waited: BTreeMap::new() }
    }

    /// Appends what is new.
    pub fn news(&mut self, subjects: &BTreeMap<String, Stage>, text: &mut String) {
        // What is not remembered any more may come again.
        self.told.retain(|subject, _| subjects.contains_key(subject));
        self.waited.retain(|subject, _| subjects.contains_key(subject));
        for (subject, stage) in subjects {
            let now = told(stage);
            if self.only_tries_again(subject, &now) {
                continue;
            }
            let before = match self.told.entry(subject.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(now.clone());
                    None
                }
                Entry::Occupied(mut occupied) => {
                    // A total that is found bit by bit lets the part shrink.
                    let grows = match (occupied.get(), &now) {
                        (Told::Part(before), Told::Part(now)) => now > before,
                        (before, now) => before != now,
                    };
                    if !grows {
                        continue;
                    }
                    Some(occupied.insert(now.clone()))
                }
            };
            if let Some((ink, line)) = self.line(&printable(subject), stage, &now, before.as_ref()) {
                let _ = writeln!(text, "* {}", self.paint.ink(ink, line));
            }
        }
    }

    fn only_tries_again(&mut self, subject: &str, now: &Told) -> bool {
        match now {
            Told::Part(0) => self.waited.contains_key(subject),
            Told::Waits(why) => {
                let before = self.waited.insert(subject.to_owned(), why.clone());
                before.is_some_and(|before| gist(&before).eq(gist(why)))
            }
            Told::Part(_) | Told::Done | Told::Failed(_) => {
                self.waited.remove(subject);
                false
            }
        }
    }

    fn line(&self, subject: &str, stage: &Stage, now: &Told, before: Option<&Told>) -> Option<(Ink, String)> {
        let total = match stage {
            Stage::Running { total: Some(total), .. } => size(*total),
            _ => String::new(),
        };
        let said = match (now, before) {
            (Told::Failed(why), _) if why.contains(subject) => (Ink::Bad, printable(why).into_owned()),
            (Told::Failed(why), _) => (Ink::Bad, format!("cannot pull {subject}: {}", printable(why))),
            // It was there already.
            (Told::Done, None) => return None,
            (Told::Done, _) => (Ink::Good, format!("pulled {subject}")),
            (Told::Part(_) | Told::Waits(_), _) if self.bars => return None,
            (Told::Waits(why), _) => (Ink::Busy, format!("pulling {subject}: waits to try again: {}", printable(why))),
            (Told::Part(0), _) => (Ink::Faint, format!("pulling {subject}")),
            (Told::Part(part), _) => (Ink::Faint, format!("pulling {subject}: {} % of {total}", part * 100 / PARTS)),
        };
        Some(said)
    }
}

/// A reason apart from what differs from try to try: ports, addresses, times.
fn gist(why: &str) -> impl Iterator<Item = &str> {
    why.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()))
}

fn told(stage: &Stage) -> Told {
    match stage {
        Stage::Running { done, total: Some(total) } if *total > 0 => {
            let parts = u128::from(*done) * u128::from(PARTS) / u128::from(*total);
            // The whole of it is told by the end.
            Told::Part(u64::try_from(parts).unwrap_or(PARTS).min(PARTS - 1))
        }
        Stage::Waiting { why } => Told::Waits(why.clone()),
        Stage::Done => Told::Done,
        Stage::Failed { why } => Told::Failed(why.clone()),
        // Not measured, or something that this version does not know.
        _ => Told::Part(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> BTreeMap<String, Stage> {
        let mib = |n: u64| n << 20;
        [
            ("db.example/team/postgres:16", Stage::Running { done: mib(61), total: Some(mib(143)) }),
            ("busybox:1", Stage::Running { done: 0, total: None }),
            ("cache:7", Stage::Running { done: 2_500_000, total: None }),
            ("done:1", Stage::Done),
            ("api:2", Stage::Waiting { why: "connection refused\u{1b}[2J".to_owned() }),
            ("bad:1", Stage::Failed { why: "no such image".to_owned() }),
            ("whole:1", Stage::Running { done: mib(3), total: Some(mib(2)) }),
        ]
        .map(|(name, stage)| (name.to_owned(), stage))
        .into()
    }

    #[test]
    fn bars_fit_what_there_is() {
        let mut text = String::new();
        for columns in [100, 60, 40, 20, 5] {
            let lines = bars(&some(), columns, 8, Paint(false));
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{columns}: {lines:#?}");
            let _ = writeln!(text, "-- {columns}\n{}", lines.join("\n"));
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn bars_are_not_more_than_there_is_room_for() {
        let lines = |most| bars(&some(), 80, most, Paint(false));
        assert_eq!(lines(5).len(), 5);
        assert_eq!(lines(3).len(), 3);
        assert_eq!(lines(3)[2], "and 3 more");
        assert_eq!(lines(0).len(), 0);
        let coloured = bars(&some(), 80, 8, Paint(true)).join("\n");
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), lines(8).join("\n"));
    }

    #[test]
    fn each_thing_is_said_once() {
        let image = |stage: Stage| BTreeMap::from([("db:1".to_owned(), stage)]);
        let running = |done, total| image(Stage::Running { done, total });
        let waiting = || image(Stage::Waiting { why: "connection refused".to_owned() });
        let course = [
            running(0, None),
            running(10, None),
            running(10, Some(1000)),
            running(300, Some(1000)),
            running(300, Some(2000)),
            running(310, Some(1000)),
            waiting(),
            waiting(),
            running(0, None),
            waiting(),
            running(0, None),
            image(Stage::Waiting { why: "cannot pull db:1 from r.example: the registry is in trouble".to_owned() }),
            running(0, Some(1000)),
            image(Stage::Waiting { why: "cannot pull db:1 from r2.example: the registry is in trouble".to_owned() }),
            running(800, Some(1000)),
            running(1000, Some(1000)),
            image(Stage::Done),
            image(Stage::Done),
            BTreeMap::new(),
            image(Stage::Done),
            image(Stage::Failed { why: "no such image".to_owned() }),
            image(Stage::Failed { why: "cannot pull db:1 from r.example: no such image".to_owned() }),
        ];
        for bars in [false, true] {
            let mut lines = PullLines::new(Paint(false), bars);
            let mut text = String::new();
            course.iter().for_each(|subjects| lines.news(subjects, &mut text));
            insta::assert_snapshot!(if bars { "beside_bars" } else { "alone" }, text);
        }
    }
}
