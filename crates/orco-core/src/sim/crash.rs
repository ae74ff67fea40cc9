//! What may die in a run, where in a turn, and how disks fail: plain data.

use std::{fmt, time::Duration};

use super::Chance;
use crate::model::Moment;

/// What dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blow {
    /// The engine. What it has written is there.
    Engine,
    /// The keeper alone: instances and engine live on.
    Keeper,
    /// Both: nothing is left but the journal and the instances.
    Both,
    /// The machine: all processes are gone, and of the journal whatever was not synced may be.
    Machine,
}

/// Where in a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// Before the decisions are written.
    Unwritten {
        /// In the middle of the write.
        torn: bool,
        /// Stops and kills, which wait for nothing, have been sent.
        stops: bool,
    },
    /// After they are written, when so many (in a thousand) of the actions have been carried out.
    Written(u32),
}

/// One crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Not before.
    pub at: Moment,
    /// What.
    pub blow: Blow,
    /// Where.
    pub point: Point,
    /// In a turn that has something to carry out.
    pub busy: bool,
    /// How long until the next engine or keeper is there.
    pub away: Duration,
    /// Meanwhile somebody starts something in the stack's name.
    pub stranger: bool,
}

/// How a disk fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failing {
    /// No space is left.
    Full,
    /// Everything fails.
    Broken,
    /// The next sync fails, and what was not synced is lost although it can be read.
    Sync,
}

/// A time in which the disk fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outage {
    /// From when.
    pub at: Moment,
    /// How long.
    pub lasts: Duration,
    /// How.
    pub how: Failing,
}

impl Crash {
    /// Any crash within so many microseconds; in a quiet run one that nobody may notice.
    pub fn draw(c: &mut Chance, within: u64, quiet: bool) -> Self {
        let blow = match c.below(100) {
            _ if quiet => Blow::Engine,
            0..55 => Blow::Engine,
            55..70 => Blow::Keeper,
            70..85 => Blow::Both,
            _ => Blow::Machine,
        };
        let point = if c.hit(400) {
            Point::Unwritten { torn: c.hit(300), stops: !quiet && c.hit(200) }
        } else {
            Point::Written(c.pick(&[0, 0, 300, 600, 1000]))
        };
        Self {
            at: Moment::from_micros(c.below(within)),
            blow,
            point,
            busy: c.hit(700),
            away: if c.hit(800) { c.duration(1, 300) } else { c.duration(300, 20_000) },
            stranger: !quiet && c.hit(150),
        }
    }
}

impl Outage {
    /// Any outage within so many microseconds.
    pub fn draw(c: &mut Chance, within: u64) -> Self {
        Self {
            at: Moment::from_micros(c.below(within)),
            lasts: c.duration(1, 15_000),
            how: c.pick(&[Failing::Full, Failing::Broken, Failing::Sync]),
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, blow, point, busy, away, stranger } = self;
        write!(f, "{at:?} CRASH {blow:?} {point:?} away {away:?}")?;
        f.write_str(if *busy { " in a busy turn" } else { "" })?;
        f.write_str(if *stranger { ", a stranger comes" } else { "" })
    }
}
