//! How fast the decision core is: `cargo bench --bench brain`.
//!
//! 10,000 services in chains of 1,000, each gated on the readiness of the one before. Figures are of one
//! thread; the world answers at once.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::VecDeque,
    hint::black_box,
    time::{Duration, Instant},
};

use orco::{
    brain::{Action, Brain, BrainConfig, Command, Input, samples},
    model::{Exit, Fact, InstanceId, Moment, ProbeVersion, Role, Seat, Verdict},
    spec::Require,
};

const SERVICES: usize = 10_000;
const CHAIN: usize = 1_000;
/// The engine folds in as much as has come, up to this, before it decides.
const BATCH: usize = 256;

/// An instance whose readiness is probed.
#[derive(Clone, Copy)]
struct Probed {
    at: Seat,
    inst: InstanceId,
    version: ProbeVersion,
}

/// The brain and a world that does at once what it is told.
struct World {
    brain: Brain,
    facts: VecDeque<Fact>,
    probed: Vec<Probed>,
    now: Moment,
    count: u64,
    /// What a journal would be given after each turn, in bytes and entries; `None`: nobody asks.
    given: Option<(usize, usize)>,
}

impl World {
    fn new(given: Option<(usize, usize)>) -> Self {
        let services = (0..SERVICES).map(|n| {
            let mut service = samples::service(&format!("s{n}"));
            let mut health = samples::health();
            health.tally.failure_threshold = 1;
            health.tally.grace_period = Duration::ZERO;
            service.health = Some(health);
            if n % CHAIN > 0 {
                service.depends_on = vec![samples::need(&format!("s{}", n - 1), Require::Ready)];
            }
            service
        });
        let stack = samples::stack(services.collect());
        let mut world = Self {
            brain: Brain::new(BrainConfig::new(1)),
            facts: VecDeque::new(),
            probed: Vec::new(),
            now: Moment::ZERO,
            count: 0,
            given,
        };
        world.command(Command::Apply(stack));
        world
    }

    fn command(&mut self, command: Command) {
        self.brain.apply(Input::Command(command), self.now).unwrap();
        self.turn();
    }

    fn turn(&mut self) {
        let turn = self.brain.turn(self.now);
        if let Some((bytes, entries)) = &mut self.given {
            for change in black_box(self.brain.changes()) {
                *bytes += change.key.len() + change.value.map_or(0, |value| value.len());
                *entries += 1;
            }
        }
        for action in turn.actions {
            match action {
                Action::Start { at, inst, .. } => self.facts.push_back(Fact::Started { at, inst }),
                Action::Probe { at, inst, role, version, .. } => {
                    self.probed.push(Probed { at, inst, version });
                    self.facts.push_back(Fact::Probed { at, inst, role, version, verdict: Verdict::Pass });
                }
                Action::Stop { at, inst, .. } | Action::Kill { at, inst } => {
                    self.facts.push_back(Fact::Exited { at, inst, exit: Exit::Code(0), port_lost: false });
                }
                _ => {}
            }
        }
    }

    /// Until nothing happens any more.
    fn rest(&mut self) {
        while !self.facts.is_empty() {
            for fact in self.facts.drain(..self.facts.len().min(BATCH)).collect::<Vec<_>>() {
                self.count += 1;
                self.now = self.now + Duration::from_micros(1);
                self.brain.apply(Input::Fact(fact), self.now).unwrap();
            }
            self.turn();
        }
    }

    fn ready(&self) -> usize {
        self.brain.snapshot(self.now).services.iter().filter(|s| s.ready).count()
    }

    /// `rounds` verdicts about every instance; odd rounds fail if `flip`.
    fn verdicts(&mut self, rounds: usize, flip: bool) -> Duration {
        let why: std::sync::Arc<str> = "connection refused".into();
        let began = Instant::now();
        for round in 0..rounds {
            let fails = flip && round % 2 == 0;
            for batch in self.probed.chunks(BATCH) {
                for &Probed { at, inst, version } in batch {
                    let verdict = if fails { Verdict::Fail(why.clone()) } else { Verdict::Pass };
                    let fact = Fact::Probed { at, inst, role: Role::Readiness, version, verdict };
                    self.brain.apply(Input::Fact(black_box(fact)), self.now).unwrap();
                }
                let _ = black_box(self.brain.turn(self.now));
            }
        }
        began.elapsed()
    }
}

fn report(what: &str, took: Duration, facts: u64) {
    let rate = facts as f64 / took.as_secs_f64() / 1e6;
    println!("{what:<42} {:>9.1} ms  {facts:>9} facts  {rate:>6.2} M/s", took.as_secs_f64() * 1e3);
}

/// Measures what a command and everything that follows from it costs.
fn measure(world: &mut World, what: &str, command: Command) {
    world.count = 0;
    let began = Instant::now();
    world.command(command);
    world.rest();
    report(what, began.elapsed(), world.count);
}

fn main() {
    let began = Instant::now();
    let mut world = World::new(None);
    println!("{SERVICES} services in chains of {CHAIN}; made and applied in {:.1?}", began.elapsed());
    measure(&mut world, "boot of all", Command::Start { services: Vec::new(), deps: true });
    assert_eq!(world.ready(), SERVICES);
    let began = Instant::now();
    black_box(world.brain.snapshot(world.now));
    println!("{:<42} {:>9.1} ms", "one snapshot", began.elapsed().as_secs_f64() * 1e3);

    let rounds = 200;
    let took = world.verdicts(rounds, false);
    report("verdicts that change nothing", took, (rounds * SERVICES) as u64);
    let rounds = 50;
    let took = world.verdicts(rounds, true);
    report("verdicts that turn readiness", took, (rounds * SERVICES) as u64);
    assert_eq!(world.ready(), SERVICES);

    let names = (0..SERVICES).map(|n| samples::name(&format!("s{n}"))).collect();
    measure(&mut world, "rolling restart of all", Command::Restart { services: names });
    assert_eq!(world.ready(), SERVICES);
    measure(&mut world, "down of all", Command::Down);
    assert!(world.brain.snapshot(world.now).all_down());
    remembering();
}

/// What it costs that the next engine can go on.
fn remembering() {
    let began = Instant::now();
    let mut world = World::new(Some((0, 0)));
    println!("the same with a journal, which is given every change; made and applied in {:.1?}", began.elapsed());
    let began = Instant::now();
    black_box(world.brain.changes());
    println!("{:<42} {:>9.1} ms", "changes when there are none", began.elapsed().as_secs_f64() * 1e3);
    measure(&mut world, "boot of all", Command::Start { services: Vec::new(), deps: true });
    assert_eq!(world.ready(), SERVICES);
    let (bytes, entries) = world.given.take().unwrap();
    println!("{:<42} {entries:>9}, {} KiB", "changes given", bytes >> 10);

    let took = |what: &str, began: Instant| println!("{what:<42} {:>9.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let all = world.brain.durable();
    println!("{:<42} {:>9}, {} KiB", "entries in all", all.len(), all.values().map(|v| v.len()).sum::<usize>() >> 10);
    let config = BrainConfig::new(2);
    let began = Instant::now();
    let mut brain = Brain::restore(config, all.iter().map(|(k, v)| (&**k, &**v)), world.now).unwrap();
    took("restore", began);
    let found = brain.remembered().into_iter().map(|one| one.inst).collect();
    let began = Instant::now();
    assert_eq!(brain.recovered(&found, world.now), []);
    took("recovered, all alive", began);
    let began = Instant::now();
    let turn = brain.turn(world.now);
    took("the first turn", began);
    assert!(turn.actions.iter().all(|a| matches!(a, Action::Probe { .. })));
    let began = Instant::now();
    black_box(brain.changes());
    took("changes after it", began);
    let mut world = World { brain, ..World::new(None) };
    for action in turn.actions {
        if let Action::Probe { at, inst, version, .. } = action {
            world.probed.push(Probed { at, inst, version });
        }
    }
    let rounds = 50;
    let took = world.verdicts(rounds, false);
    report("verdicts that change nothing, restored", took, (rounds * SERVICES) as u64);
    assert_eq!(world.ready(), SERVICES);
}
