//! Two brains hear the same; one of them is made anew out of what it remembers time and again. Nobody can
//! tell them apart, but for orders and probes that are given again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    brain::{Action, Brain, BrainConfig, Command, Input, RestoreError, Step, chance, samples},
    model::{Exit, Fact, InstanceId, Moment, ProbeVersion, Require, Revision, Role, Seat, Verdict},
    spec::{OnFailure, Service, Stack},
};

/// An instance: its seat and run, the same for both.
type Who = (Seat, u32);

#[derive(Clone)]
struct Side {
    brain: Brain,
    live: BTreeMap<Who, (InstanceId, [Option<ProbeVersion>; 2])>,
}

#[derive(Clone, Debug)]
enum Heard {
    Order(Command),
    Of(Who, u64),
    Nothing,
}

fn config() -> BrainConfig {
    let mut config = BrainConfig::new(11);
    // Who waits for its turn waits anew after a crash: not what this is about.
    config.restarts_per_second = 1_000_000;
    config
}

fn checked(name: &str) -> Service {
    let mut service = samples::service(name);
    let mut health = samples::health();
    // What was counted of verdicts dies with an engine.
    health.tally.failure_threshold = 1;
    health.tally.grace_period = Duration::ZERO;
    health.tally.start_timeout = Duration::from_secs(20);
    service.health = Some(health);
    service
}

/// Stacks that follow each other.
fn stack(version: u64) -> Arc<Stack> {
    let mut db = checked("db");
    db.revision = Revision(1 + version % 2);
    db.liveness = db.health.clone().filter(|_| version % 4 < 2);
    let mut api = checked("api");
    api.replicas = 2;
    api.revision = Revision(1 + version % 3);
    api.depends_on = vec![samples::need("db", Require::Ready)];
    api.depends_on[0].on_failure = OnFailure::Restart;
    let mut job = samples::oneshot("job");
    job.depends_on = vec![samples::need("db", Require::Started)];
    let mut web = samples::service("web");
    web.depends_on = vec![samples::need("api", Require::Ready), samples::need("job", Require::Completed)];
    web.depends_on[0].on_failure = OnFailure::Stop;
    let mut services = vec![db, api, job, web];
    if version % 5 == 4 {
        services.truncate(1 + (version % 3) as usize);
    }
    samples::stack(services)
}

impl Side {
    fn hear(&mut self, heard: &Heard, now: Moment) -> Vec<String> {
        let mut said = Vec::new();
        match heard {
            Heard::Nothing => {}
            Heard::Order(command) => {
                said.push(format!("{:?}", self.brain.apply(Input::Command(command.clone()), now)));
            }
            Heard::Of(who, what) => {
                let fact = self.fact(*who, *what);
                self.brain.apply(Input::Fact(fact), now).unwrap();
                // What cannot be (a start that failed after all) is not believed: it lives on.
                let alive: Vec<_> = self.brain.remembered().into_iter().map(|r| r.inst).collect();
                self.live.retain(|_, (inst, _)| alive.contains(inst));
            }
        }
        said.extend(self.turn(now).0);
        said
    }

    fn fact(&self, who: Who, what: u64) -> Fact {
        let (at, (inst, versions)) = (who.0, self.live[&who]);
        let verdict = |role: Role, pass| {
            let version = versions[role as usize].unwrap_or_default();
            let verdict = if pass { Verdict::Pass } else { Verdict::Fail("refused".into()) };
            Fact::Probed { at, inst, role, version, verdict }
        };
        match what % 16 {
            0..5 => Fact::Started { at, inst },
            5 => Fact::Created { at, inst },
            6..10 => verdict(Role::Readiness, true),
            10 => verdict(Role::Readiness, false),
            11 => verdict(Role::Liveness, what % 32 < 16),
            12 => Fact::StartFailed { at, inst, why: "no file".into(), certain: what % 32 < 16 },
            _ => {
                let code = i32::from(what % 48 < 16);
                Fact::Exited { at, inst, exit: Exit::Code(code), port_lost: what % 80 < 16 }
            }
        }
    }

    /// What was decided, without ids; and whether that was only what an earlier engine had asked for.
    fn turn(&mut self, now: Moment) -> (Vec<String>, bool) {
        let turn = self.brain.turn(now);
        let again = turn.steps.iter().all(|(_, step)| matches!(step, Step::Repeat(_) | Step::Probe(..)));
        // Who is on its way out is not probed anew; if it stays after all, it is.
        let steps = turn.steps.iter().filter(|(_, step)| !matches!(step, Step::Probe(..) | Step::Unprobe(..)));
        let mut said: Vec<_> = steps.map(|step| format!("{step:?}")).collect();
        for action in turn.actions {
            let words = match action {
                Action::Start { at, inst, run, service } => {
                    self.live.insert((at, run), (inst, [None; 2]));
                    format!("start {at:?} run {run} of {:?}", service.revision)
                }
                Action::Probe { inst, role, version, .. } => {
                    let known = self.live.values_mut().find(|(known, _)| *known == inst).unwrap();
                    known.1[role as usize] = Some(version);
                    continue;
                }
                Action::Unprobe { inst, role } => {
                    self.live.values_mut().filter(|(known, _)| *known == inst).for_each(|l| l.1[role as usize] = None);
                    continue;
                }
                Action::Stop { at, inst, .. } | Action::Kill { at, inst } => {
                    assert!(self.live.values().any(|(known, _)| *known == inst), "{inst:?} is signalled");
                    format!("end {at:?}")
                }
            };
            said.push(words);
        }
        self.brain.check(now).unwrap();
        said.sort_unstable();
        (said, again)
    }

    fn crash(&mut self, now: Moment) {
        let memory = self.brain.durable();
        self.brain.check_memory(&memory).unwrap();
        self.brain = Brain::restore(config(), memory.iter().map(|(key, value)| (&**key, &**value)), now).unwrap();
        let found = self.live.values_mut().map(|(inst, versions)| {
            *versions = [None; 2];
            *inst
        });
        let found = found.collect();
        assert_eq!(self.brain.recovered(&found, now), []);
        let (said, again) = self.turn(now);
        assert!(again, "after a crash: {said:?}");
    }

    fn looks(&self, now: Moment) -> Vec<String> {
        let services = self.brain.snapshot(now).services.into_iter();
        let seat =
            |i: &crate::model::InstanceView| format!("{}@{:?} {:?} {:?}", i.replica, i.generation, i.state, i.exit);
        let line = |s: crate::model::ServiceView| {
            let seats: Vec<_> = s.instances.iter().map(seat).collect();
            format!("{} {:?} {} {} {:?} {seats:?}", s.name, s.state, s.ready, s.restarts, s.exit)
        };
        services.map(line).chain([format!("{:?}", self.brain.next_wake())]).collect()
    }
}

fn next(side: &Side, random: impl Fn(u64) -> u64) -> Heard {
    let name = || samples::name(["db", "api", "job", "web"][(random(3) % 4) as usize]);
    match random(1) % 24 {
        0 => Heard::Order(Command::Apply(stack(random(2) % 60))),
        1 => Heard::Order(Command::Restart { services: vec![name()] }),
        2 if random(2).is_multiple_of(3) => Heard::Order(Command::Down),
        2 | 3 => Heard::Order(Command::Start { services: Vec::new(), deps: true }),
        4 => match random(2) % 8 {
            0 => Heard::Order(Command::Kill),
            1..3 => Heard::Order(Command::Stop { services: vec![name()] }),
            3..6 => Heard::Order(Command::Start { services: vec![name()], deps: false }),
            _ => Heard::Order(Command::Scale { service: name(), replicas: 1 + (random(4) % 3) as u32 }),
        },
        5..8 => Heard::Nothing,
        _ => {
            let count = side.live.len() as u64;
            let who = side.live.keys().nth((random(2) % count.max(1)) as usize);
            who.map_or(Heard::Nothing, |who| Heard::Of(*who, random(4) % 240))
        }
    }
}

/// Goes through a life of so many inputs; the one side crashes after every eighth, about.
fn life(seed: u64, length: u64) -> Side {
    let mut one = Side { brain: Brain::new(config()), live: BTreeMap::new() };
    let mut now = Moment::from_micros(1);
    let up = Command::Start { services: Vec::new(), deps: true };
    one.hear(&Heard::Order(Command::Apply(stack(0))), now);
    one.hear(&Heard::Order(up), now);
    let mut other = one.clone();
    let mut past = Vec::new();
    for round in 0..length {
        let random = |n: u64| chance(u128::from(seed), &[round, n]);
        now = now + Duration::from_millis(random(5) % 1500);
        let mut heard = next(&one, random);
        if let Heard::Of(who, _) = &heard
            && one.live[who].1 != other.live[who].1
        {
            // The one is probed, the other not.
            heard = Heard::Nothing;
        }
        past.push(match &heard {
            Heard::Order(Command::Apply(stack)) => format!("{now:?} apply {:?}", stack.services().len()),
            heard => format!("{now:?} {heard:?}"),
        });
        assert_eq!(one.hear(&heard, now), other.hear(&heard, now), "seed {seed}: {past:#?}");
        assert_eq!(one.looks(now), other.looks(now), "seed {seed}: {past:#?}");
        if random(6) % 8 == 0 {
            past.push("crash".to_owned());
            other.crash(now);
            assert_eq!(one.looks(now), other.looks(now), "seed {seed}: {past:#?}");
        }
    }
    one
}

/// What becomes of an entry; `None`: it is not there.
type Change<'a> = &'a dyn Fn(&str, &[u8]) -> Option<Vec<u8>>;

#[test]
fn nobody_can_tell_who_was_restored() {
    for seed in 0..60 {
        life(seed, 150);
    }
}

#[test]
fn what_makes_no_sense_is_an_error_that_names_its_entry() {
    for seed in 0..4 {
        let memory = life(seed, 40 + seed).brain.durable();
        let restore = |with: Change<'_>| {
            let entries: BTreeMap<&str, Vec<u8>> =
                memory.iter().filter_map(|(key, value)| Some((&**key, with(key, value)?))).collect();
            Brain::restore(config(), entries.iter().map(|(k, v)| (*k, v.as_slice())), Moment::MAX).map(|_| ())
        };
        assert_eq!(restore(&|_, value| Some(value.to_vec())), Ok(()));
        for broken in memory.keys() {
            let missing = restore(&|key, value| (key != &**broken).then(|| value.to_vec()));
            let named = match missing.unwrap_err() {
                RestoreError::Missing { key } | RestoreError::Broken { key, .. } => key,
                other => panic!("{other}"),
            };
            // Whoever counts it, or belongs to it, notices.
            let service = broken.split('/').nth(1).unwrap_or("stack");
            assert!(named == "stack" || named.contains(service), "{broken} is missing, {named} is named");
            for garbage in ["", "{}", "[]", "null", "7", "{\"phase\": 3}", "\u{0}"] {
                let wrong = restore(&|key, value| {
                    Some(if key == &**broken { garbage.as_bytes().to_vec() } else { value.to_vec() })
                });
                let Err(RestoreError::Broken { key, .. }) = wrong else { panic!("{broken} = {garbage}: {wrong:?}") };
                assert_eq!(key, **broken, "{garbage}");
            }
            // Any byte may be another one: never a panic.
            for at in (seed as usize..memory[broken].len()).step_by(5) {
                let _ = restore(&|key, value| {
                    let mut value = value.to_vec();
                    if key == &**broken {
                        value[at] = b"0\"{9"[(at + seed as usize) % 4];
                    }
                    Some(value)
                });
            }
        }
    }
}

#[test]
fn a_newer_form_is_refused_and_what_is_not_ours_passed_over() {
    let newer = [("stack", b"{\"format\": 99}".as_slice())];
    let refused = Brain::restore(config(), newer.into_iter(), Moment::ZERO).unwrap_err();
    assert_eq!(refused, RestoreError::Newer { format: 99 });
    let others = [("port/db/0", b"x".as_slice()), ("handle/00", b"y")];
    assert!(Brain::restore(config(), others.into_iter(), Moment::ZERO).is_ok());
    let alone = [("set/db/1", b"{}".as_slice())];
    let refused = Brain::restore(config(), alone.into_iter(), Moment::ZERO).unwrap_err();
    assert_eq!(refused.to_string(), "the entry `stack` is missing");
}
