//! The bad manners of container engines, as a run plans them: plain data.

use std::{fmt, time::Duration};

use super::Chance;
use crate::model::Moment;

/// The container engines there are, by the name of their runtime.
pub const ENGINES: [&str; 2] = ["docker", "podman"];

/// How a container engine is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// It refuses connections; also a restart with live restore. Containers live on.
    Refuses,
    /// It takes requests and does not answer, or answers 500: a start may have happened.
    Hangs,
    /// It is started anew without live restore: all its containers end at once.
    Restarts,
}

/// A time in which a container engine is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Absence {
    /// From when.
    pub at: Moment,
    /// How long.
    pub lasts: Duration,
    /// Which: one of [`ENGINES`].
    pub engine: &'static str,
    /// How.
    pub manner: Manner,
}

/// What somebody does to a container behind the back of who started it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prank {
    /// It is killed.
    Kill,
    /// It is removed: how it ended nobody can tell.
    Remove,
    /// It is started anew: it runs, and nothing is heard of it.
    Restart,
    /// It stands still for so long: probes fail, and it does not end.
    Pause(Duration),
}

/// A prank on one of the containers that run at that time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mischief {
    /// When.
    pub at: Moment,
    /// Chooses the container.
    pub nth: u64,
    /// What.
    pub prank: Prank,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Weather {
    /// In order of time.
    pub absences: Vec<Absence>,
    /// In order of time.
    pub mischief: Vec<Mischief>,
    /// So many in a thousand starts that were given up leave a container that comes into being later.
    pub late_born: u32,
}

impl Weather {
    /// Any weather within so many microseconds; in a quiet run one that nobody may notice.
    pub fn draw(c: &mut Chance, within: u64, quiet: bool) -> Self {
        let mut weather = Self::default();
        if c.hit(500) {
            let count = if c.hit(100) { c.between(4, 8) } else { c.between(1, 3) };
            weather.absences = (0..count).map(|_| Absence::draw(c, within, quiet)).collect();
            weather.absences.sort_by_key(|absence| absence.at);
        }
        if !quiet && c.hit(400) {
            weather.mischief = (0..c.between(1, 6)).map(|_| Mischief::draw(c, within)).collect();
            weather.mischief.sort_by_key(|mischief| mischief.at);
        }
        weather.late_born = if quiet { 0 } else { c.pick(&[0, 0, 300, 1000]) };
        weather
    }
}

impl Weather {
    /// Often a container engine is away when something else dies.
    pub fn meet(&mut self, c: &mut Chance, at: Moment) {
        if let Some(absence) = self.absences.first_mut()
            && c.hit(500)
        {
            let before = c.below(1_000_000);
            absence.at = Moment::from_micros(at.as_micros().saturating_sub(before));
            absence.lasts += Duration::from_secs(2);
            self.absences.sort_by_key(|absence| absence.at);
        }
    }
}

impl Absence {
    fn draw(c: &mut Chance, within: u64, quiet: bool) -> Self {
        let manners = [Manner::Refuses, Manner::Hangs, Manner::Restarts];
        Self {
            at: Moment::from_micros(c.below(within)),
            lasts: if c.hit(600) { c.duration(1, 5000) } else { c.duration(5000, 90_000) },
            engine: if c.hit(750) { ENGINES[0] } else { ENGINES[1] },
            manner: if quiet { c.pick(&manners[..2]) } else { c.pick(&manners) },
        }
    }
}

impl Mischief {
    fn draw(c: &mut Chance, within: u64) -> Self {
        let pause = Prank::Pause(c.duration(100, 30_000));
        Self {
            at: Moment::from_micros(c.below(within)),
            nth: c.next(),
            prank: c.pick(&[Prank::Kill, Prank::Remove, Prank::Restart, pause]),
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} AWAY {} {:?} for {:?}", self.at, self.engine, self.manner, self.lasts)
    }
}

impl fmt::Display for Mischief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} PRANK {:?} ({})", self.at, self.prank, self.nth)
    }
}
