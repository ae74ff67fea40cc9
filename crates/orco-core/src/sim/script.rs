//! What becomes of one instance: drawn when it is started.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Chance, Faults};
use crate::{
    model::{Exit, Seat, ServiceName},
    spec::{Kind, Service},
};

/// How a start goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spawn {
    /// It runs after so long.
    Runs(Duration),
    /// Refused after so long.
    Refused(Duration),
    /// An unclear answer after `after`; if it was born at all, then at `born`, which may be later.
    Unclear {
        /// When the answer comes.
        after: Duration,
        /// When it is born.
        born: Option<Duration>,
    },
}

/// How a probe finds it, over its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// Well from this age on.
    WellAfter(Duration),
    /// Well until this age.
    WellUntil(Duration),
    /// Never well.
    Sick,
    /// Well and not well in turns of this length.
    Flaps(Duration),
}

impl Mood {
    /// Whether it is well at this age.
    pub const fn well(self, age: Duration) -> bool {
        match self {
            Self::WellAfter(from) => age.as_micros() >= from.as_micros(),
            Self::WellUntil(end) => age.as_micros() < end.as_micros(),
            Self::Sick => false,
            Self::Flaps(turn) => (age.as_micros() / turn.as_micros()) % 2 == 1,
        }
    }
}

/// The life of one instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// Its start.
    pub spawn: Spawn,
    /// Its end, if it ends by itself.
    pub end: Option<(Duration, Exit)>,
    /// Its end is the fault of its port.
    pub port_lost: bool,
    /// How long a stop takes and how it then exits; `None`: it ignores the signal.
    pub stop: Option<(Duration, Exit)>,
    /// How long it takes to die of a kill.
    pub kill: Duration,
    /// What readiness probes find.
    pub readiness: Mood,
    /// What liveness probes find.
    pub liveness: Mood,
    /// How long a probe's answer takes.
    pub answer: Duration,
}

impl Script {
    /// A life without trouble: starts in 10 ms, well at once, stops in 50 ms; a oneshot is done after 500 ms.
    pub fn plain(kind: Kind) -> Self {
        Self {
            spawn: Spawn::Runs(Duration::from_millis(10)),
            end: (kind == Kind::Oneshot).then_some((Duration::from_millis(500), Exit::Code(0))),
            port_lost: false,
            stop: Some((Duration::from_millis(50), Exit::Signal(15))),
            kill: Duration::from_millis(1),
            readiness: Mood::WellAfter(Duration::ZERO),
            liveness: Mood::WellAfter(Duration::ZERO),
            answer: Duration::from_millis(1),
        }
    }
}

/// Who decides what becomes of an instance.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The adversary, from its seed.
    Drawn(Adversary),
    /// A story, by service.
    Told(BTreeMap<ServiceName, Script>),
}

impl Fate {
    /// The script of a new instance.
    pub fn script(&self, at: Seat, run: u32, service: &Arc<Service>) -> Script {
        match self {
            Self::Drawn(adversary) => adversary.script(at, run, service),
            Self::Told(table) => table.get(&service.name).cloned().unwrap_or_else(|| Script::plain(service.kind)),
        }
    }
}

/// The other player.
#[derive(Clone, Debug)]
pub struct Adversary {
    /// The seed of the run.
    pub seed: u64,
    /// What it may do.
    pub faults: Faults,
    /// Services that never come up, with the exit code they end with (`None`: their start is refused).
    pub cursed: BTreeMap<ServiceName, Option<i32>>,
}

impl Adversary {
    /// The stream of one instance.
    pub fn stream(&self, at: Seat, run: u32, service: &Service) -> Chance {
        let name = Chance::part(service.name.as_str());
        Chance::new(&[self.seed, 1, name, u64::from(at.slot.replica), u64::from(at.slot.generation.0), u64::from(run)])
    }

    fn script(&self, at: Seat, run: u32, service: &Arc<Service>) -> Script {
        let mut c = self.stream(at, run, service);
        let f = &self.faults;
        let mut script = Script {
            spawn: self.spawn(&mut c),
            end: None,
            port_lost: false,
            stop: Some((c.duration(1, 300), c.pick(&[Exit::Signal(15), Exit::Code(0), Exit::Code(143)]))),
            kill: c.duration(0, 20),
            readiness: Mood::WellAfter(c.duration(0, 2000)),
            liveness: Mood::WellAfter(Duration::ZERO),
            answer: c.duration(0, 20),
        };
        if service.kind == Kind::Oneshot {
            script.end = Some((c.duration(1, 3000), Exit::Code(0)));
        }
        if c.hit(f.exit_zero) {
            script.end = Some((c.duration(1, 20_000), Exit::Code(0)));
        }
        if c.hit(f.crash) {
            script.end = Some((c.duration(1, 20_000), Exit::Code(c.pick(&[1, 2, 3, 255]))));
        }
        if c.hit(f.killed) {
            script.end =
                Some((c.duration(1, 20_000), c.pick(&[Exit::Signal(9), Exit::Signal(11), Exit::Oom, Exit::Unknown])));
        }
        if c.hit(f.instant_exit) {
            script.end = Some((c.duration(0, 3), Exit::Code(c.pick(&[0, 1, 2]))));
        }
        script.port_lost = script.end.is_some() && service.kind != Kind::Oneshot && c.hit(f.port_lost);
        if c.hit(f.slow_stop) {
            script.stop = Some((c.duration(300, 8000), Exit::Signal(15)));
        }
        if c.hit(f.ignore_stop) {
            script.stop = None;
        }
        if c.hit(f.flap) {
            script.readiness = Mood::Flaps(c.duration(300, 6000));
        }
        if c.hit(f.sick) {
            script.readiness = Mood::Sick;
        }
        if c.hit(f.dead_inside) {
            script.liveness = Mood::WellUntil(c.duration(0, 15_000));
        }
        if let Some(curse) = self.cursed.get(&service.name) {
            match curse {
                None => script.spawn = Spawn::Refused(c.duration(1, 20)),
                Some(code) => script.end = Some((c.duration(0, 50), Exit::Code(*code))),
            }
        }
        script
    }

    fn spawn(&self, c: &mut Chance) -> Spawn {
        let f = &self.faults;
        let after = if c.hit(f.start_slow) { c.duration(200, 6000) } else { c.duration(1, 50) };
        if c.hit(f.start_refused) {
            return Spawn::Refused(after);
        }
        if c.hit(f.start_unknown) {
            let born = c.hit(600).then(|| c.duration(1, 3000));
            return Spawn::Unclear { after, born };
        }
        if c.hit(f.start_hang) {
            let born = c.hit(500).then(|| c.duration(1, 60_000));
            return Spawn::Unclear { after: Duration::from_secs(30), born };
        }
        Spawn::Runs(after)
    }
}
