//! From a seed to a plan: what stack, which orders, which faults.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Chance, Crash, ENGINES, Faults, Outage, Plan, Weather};
use crate::{
    brain::{Command, samples},
    model::{Moment, Revision, ServiceName},
    spec::{
        Amount, Backoff, Check, Condition, Dependency, Health, Kind, OnFailure, Port, ProbeSpec, Protocol, Require,
        RetryLimit, Service, Strategy, Tally, expr::Expr,
    },
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const HOUR: Duration = Duration::from_secs(3600);

fn name(index: usize) -> Option<ServiceName> {
    ServiceName::new(&format!("s{index}")).ok()
}

/// The plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut c = Chance::new(&[seed, 10]);
    let quiet = c.hit(250);
    let count = if c.hit(15) { c.between(9, 40) } else { c.between(1, 8) };
    let density = u32::try_from(c.below(501)).unwrap_or(0);
    let services = (0..usize::try_from(count).unwrap_or(1)).filter_map(|i| draw_service(seed, i, density, quiet));
    let mut services: Vec<Service> = services.collect();
    let boxed = contain(&mut Chance::new(&[seed, 13]), &mut services);
    let faults = if quiet { Faults::default() } else { Faults::draw(&mut c) };
    let mut cursed = BTreeMap::new();
    if !quiet && c.hit(120) {
        let victim = services[usize::try_from(c.below(count)).unwrap_or(0)].name.clone();
        cursed.insert(victim, if c.hit(500) { None } else { Some(c.pick(&[1, 7])) });
    }
    let chaos = Duration::from_secs(c.between(5, 60));
    let orders = orders(&mut c, services, chaos);
    let mut weather = Weather::default();
    if boxed {
        let within = u64::try_from(chaos.as_micros()).unwrap_or(u64::MAX);
        weather = Weather::draw(&mut Chance::new(&[seed, 14]), within, quiet);
    }
    let (crashes, outages, parting) = crashes(&mut Chance::new(&[seed, 12]), chaos, quiet);
    if let Some(crash) = crashes.first() {
        weather.meet(&mut Chance::new(&[seed, 15]), crash.at);
    }
    Plan {
        seed,
        quiet,
        faults,
        orders,
        cursed,
        chaos,
        steps: u32::try_from(c.between(100, 600)).unwrap_or(300),
        restarts_per_second: c.pick(&[50, 50, 5, 1]),
        crashes,
        outages,
        weather,
        parting,
        revive: c.hit(600),
        plant: None,
    }
}

/// In some stacks more services are containers, all of them or a few, some of another engine, and sometimes many
/// replicas. True: some are.
fn contain(c: &mut Chance, services: &mut [Service]) -> bool {
    let share = c.pick(&[0, 0, 0, 300, 700, 1000]);
    let other = c.pick(&[0, 0, 300]);
    let crowded = c.hit(100);
    for s in services.iter_mut() {
        if c.hit(share) {
            s.image = Some("image".to_owned());
        }
        if s.image.is_some() {
            if crowded && s.kind != Kind::Oneshot && s.ports.is_empty() {
                s.replicas = u32::try_from(c.between(4, 12)).unwrap_or(4);
            }
            s.runtime = (if c.hit(other) { ENGINES[1] } else { ENGINES[0] }).to_owned();
        }
    }
    services.iter().any(|s| s.image.is_some())
}

/// Less than half of the runs have an engine that keeps a journal, and dies.
fn crashes(c: &mut Chance, chaos: Duration, quiet: bool) -> (Vec<Crash>, Vec<Outage>, Option<Crash>) {
    if !c.hit(400) {
        return (Vec::new(), Vec::new(), None);
    }
    let within = u64::try_from(chaos.as_micros()).unwrap_or(u64::MAX);
    let count = if c.hit(100) { c.between(6, 20) } else { c.between(1, 4) };
    let mut crashes: Vec<Crash> = (0..count).map(|_| Crash::draw(c, within, quiet)).collect();
    crashes.sort_by_key(|crash| crash.at);
    let count = if !quiet && c.hit(250) { c.between(1, 3) } else { 0 };
    let mut outages: Vec<Outage> = (0..count).map(|_| Outage::draw(c, within)).collect();
    outages.sort_by_key(|outage| outage.at);
    let parting = c.hit(300).then(|| Crash::draw(c, 2_000_000, quiet));
    (crashes, outages, parting)
}

fn sample(name: &ServiceName, kind: Kind) -> Service {
    let mut s = samples::service(name.as_str());
    s.kind = kind;
    s
}

fn draw_service(seed: u64, index: usize, density: u32, quiet: bool) -> Option<Service> {
    let c = &mut Chance::new(&[seed, 11, index as u64]);
    let kind = match c.below(100) {
        0..15 => Kind::Oneshot,
        15..23 => Kind::Daemon,
        _ => Kind::Service,
    };
    let mut s = sample(&name(index)?, kind);
    s.revision = Revision(c.next());
    s.replicas = if kind == Kind::Oneshot || c.hit(500) { 1 } else { u32::try_from(c.between(1, 6)).unwrap_or(1) };
    if c.hit(150) {
        s.image = Some("image".to_owned());
        s.runtime = "docker".to_owned();
    }
    if c.hit(60) {
        s.ports = vec![Port { ip: None, host: Some(8080), target: 8080, protocol: Protocol::Tcp, name: None }];
        s.replicas = 1;
    }
    tune(c, &mut s, quiet);
    for target in 0..index {
        // Whether the other is a oneshot follows from its own stream.
        let oneshot = Chance::new(&[seed, 11, target as u64]).below(100) < 15;
        if c.hit(density) {
            s.depends_on.push(draw_edge(c, name(target)?, oneshot));
        }
    }
    Some(s)
}

fn draw_edge(c: &mut Chance, target: ServiceName, oneshot: bool) -> Dependency {
    let require = if oneshot && c.hit(700) {
        Require::Completed
    } else {
        c.pick(&[Require::Ready, Require::Ready, Require::Ready, Require::Started, Require::Exists])
    };
    Dependency {
        target,
        require,
        timeout: c.pick(&[ms(1000), Duration::from_secs(300), Duration::ZERO]),
        on_failure: c.pick(&[
            OnFailure::Ignore,
            OnFailure::Ignore,
            OnFailure::Ignore,
            OnFailure::Ignore,
            OnFailure::Restart,
            OnFailure::Stop,
        ]),
    }
}

/// Draws everything that can also be changed in place.
fn tune(c: &mut Chance, s: &mut Service, quiet: bool) {
    if s.kind != Kind::Oneshot {
        s.health = c.hit(650).then(|| draw_health(c, quiet));
        s.liveness = c.hit(200).then(|| draw_health(c, quiet));
    }
    s.restart.condition = match (s.kind, c.below(10)) {
        (_, 0) => Condition::Never,
        (Kind::Oneshot, _) | (_, 1 | 2) => Condition::OnFailure,
        (Kind::Service | Kind::Daemon, _) => Condition::Always,
    };
    s.restart.max_retries = c.pick(&[
        RetryLimit::Limited(0),
        RetryLimit::Limited(1),
        RetryLimit::Limited(2),
        RetryLimit::Limited(5),
        RetryLimit::Limited(5),
        RetryLimit::Unlimited,
    ]);
    let min = c.pick(&[Duration::ZERO, ms(1), ms(100), ms(500), ms(1000)]);
    let max = c.pick(&[min, ms(1000), ms(5000), Duration::from_secs(30), HOUR]).max(min);
    s.restart.backoff = Backoff { min, max, factor: c.pick(&[1.0, 1.5, 2.0, 2.0, 3.0]) };
    s.restart.reset_after = c.pick(&[Duration::ZERO, ms(1000), ms(5000), Duration::from_secs(60), HOUR]);
    s.restart.no_restart_exit_codes = if c.hit(150) { vec![3] } else { Vec::new() };
    s.stop.timeout = c.pick(&[Duration::ZERO, ms(1), ms(500), ms(2000), ms(10_000), ms(10_000), HOUR]);
    let surge = [
        None,
        None,
        None,
        Some(Amount::Count(0)),
        Some(Amount::Count(1)),
        Some(Amount::Count(2)),
        Some(Amount::Percent(50)),
    ];
    let missing = [Amount::Count(0), Amount::Count(0), Amount::Count(1), Amount::Count(2), Amount::Percent(25)];
    s.update.max_surge = if s.ports.is_empty() { c.pick(&surge) } else { None };
    s.update.max_unavailable = c.pick(&missing);
    if s.update.max_surge == Some(Amount::Count(0))
        && matches!(s.update.max_unavailable, Amount::Count(0) | Amount::Percent(_))
    {
        s.update.max_unavailable = Amount::Count(1);
    }
    s.update.min_ready = c.pick(&[Duration::ZERO, Duration::ZERO, Duration::ZERO, ms(500), ms(3000)]);
    s.update.strategy = if c.hit(150) { Strategy::Recreate } else { Strategy::Rolling };
}

/// A check by one fake probe.
pub fn probe(tally: Tally) -> Health {
    let probe = ProbeSpec::Custom { name: "fake".to_owned(), config: serde_json::Value::Null };
    Health { tally, check: Arc::new(Check { probes: vec![probe], expression: Expr::Probe(0) }) }
}

fn draw_health(c: &mut Chance, quiet: bool) -> Health {
    let interval = c.pick(&[ms(100), ms(500), ms(2000), ms(2000), ms(10_000)]);
    let success_threshold = c.pick(&[1, 1, 1, 2, 3]);
    let start_timeout = c.pick(&[ms(1000), ms(5000), Duration::from_secs(30), Duration::from_secs(300), HOUR]);
    // A healthy instance must be able to make it.
    let start_timeout = start_timeout.max(interval * (success_threshold + 1) + ms(2500));
    probe(Tally {
        grace_period: c.pick(&[Duration::ZERO, ms(1), ms(500), ms(5000)]),
        interval,
        timeout: c.pick(&[ms(1), ms(100), ms(1000)]),
        success_threshold,
        failure_threshold: c.pick(&[1, 2, 3, 3]),
        // Also for one whose engine is dead for most of that time.
        start_timeout: if quiet { start_timeout.max(Duration::from_secs(600)) } else { start_timeout },
    })
}

/// The operator's diary: everything up at first, mostly, then whatever comes to mind.
fn orders(c: &mut Chance, services: Vec<Service>, chaos: Duration) -> Vec<(Moment, Command)> {
    let mut shapes = vec![services];
    let mut orders = Vec::new();
    orders.push((Moment::ZERO, Command::Apply(samples::stack(shapes[0].clone()))));
    let start = if c.hit(900) { Vec::new() } else { some_names(c, &shapes[0]) };
    orders.push((Moment::ZERO, Command::Start { services: start, deps: c.hit(800) }));
    let count = if c.hit(200) { 0 } else { c.between(1, 8) };
    let end = u64::try_from(chaos.as_micros()).unwrap_or(u64::MAX);
    let mut times: Vec<u64> = (0..count).map(|_| c.below(end)).collect();
    times.sort_unstable();
    if c.hit(200) {
        // All at once.
        times.iter_mut().for_each(|t| *t = end / 2);
    }
    for at in times {
        let command = draw_order(c, &mut shapes);
        orders.extend(command.map(|command| (Moment::from_micros(at), command)));
    }
    orders
}

fn some_names(c: &mut Chance, services: &[Service]) -> Vec<ServiceName> {
    let wanted = c.between(1, 2);
    (0..wanted)
        .filter_map(|_| services.get(usize::try_from(c.below(services.len() as u64)).unwrap_or(0)))
        .map(|s| s.name.clone())
        .collect()
}

fn draw_order(c: &mut Chance, shapes: &mut Vec<Vec<Service>>) -> Option<Command> {
    let current = shapes.last()?.clone();
    if current.is_empty() {
        return Some(Command::Down);
    }
    Some(match c.below(100) {
        0..10 => Command::Start { services: some_names(c, &current), deps: c.hit(500) },
        10..20 => Command::Start { services: Vec::new(), deps: true },
        20..35 => Command::Stop { services: some_names(c, &current) },
        35..50 => Command::Restart { services: some_names(c, &current) },
        50..62 => {
            let victim = &current[usize::try_from(c.below(current.len() as u64)).unwrap_or(0)];
            Command::Scale { service: victim.name.clone(), replicas: u32::try_from(c.between(1, 6)).unwrap_or(1) }
        }
        62..70 => Command::Down,
        70..71 => Command::Kill,
        71..76 => Command::Apply(samples::stack(current)),
        76..80 => {
            // Back to an older file.
            let older = shapes[usize::try_from(c.below(shapes.len() as u64)).unwrap_or(0)].clone();
            shapes.push(older.clone());
            Command::Apply(samples::stack(older))
        }
        _ => {
            let mut next = current;
            for _ in 0..c.between(1, 3) {
                change(c, &mut next);
            }
            shapes.push(next.clone());
            Command::Apply(samples::stack(next))
        }
    })
}

/// One edit of the file.
fn change(c: &mut Chance, services: &mut Vec<Service>) {
    let nth = usize::try_from(c.below(services.len() as u64)).unwrap_or(0);
    match c.below(10) {
        0..4 => {
            if let Some(s) = services.get_mut(nth) {
                s.revision = Revision(c.next());
            }
        }
        4 | 5 => {
            if let Some(s) = services.get_mut(nth) {
                tune(c, s, true);
            }
        }
        6 => {
            let taken = |n: &ServiceName| services.iter().any(|s| s.name == *n);
            let Some(free) = (0..100).filter_map(name).find(|n| !taken(n)) else { return };
            let mut s = sample(&free, Kind::Service);
            s.revision = Revision(c.next());
            tune(c, &mut s, true);
            if let Some(target) = services.get(nth) {
                s.depends_on.push(draw_edge(c, target.name.clone(), target.kind == Kind::Oneshot));
            }
            services.push(s);
        }
        7 if services.len() > 1 => {
            let gone = services.remove(nth).name;
            for s in services.iter_mut() {
                s.depends_on.retain(|d| d.target != gone);
            }
        }
        _ => flip(c, services, nth),
    }
}

/// Turns an edge round, or drops it where that would make a circle; or adds one.
fn flip(c: &mut Chance, services: &mut [Service], nth: usize) {
    let Some(from) = services.get_mut(nth) else { return };
    let source = from.name.clone();
    if let Some(edge) = from.depends_on.pop() {
        if !reaches(services, &source, &edge.target) {
            let oneshot = services[nth].kind == Kind::Oneshot;
            if let Some(target) = services.iter_mut().find(|s| s.name == edge.target) {
                target.depends_on.push(draw_edge(c, source, oneshot));
            }
        }
        return;
    }
    let other = usize::try_from(c.below(services.len() as u64)).unwrap_or(0);
    let target = services[other].name.clone();
    if other != nth && !reaches(services, &target, &source) {
        let edge = draw_edge(c, target, services[other].kind == Kind::Oneshot);
        services[nth].depends_on.push(edge);
    }
}

fn reaches(services: &[Service], from: &ServiceName, to: &ServiceName) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let mut todo = vec![from];
    while let Some(name) = todo.pop() {
        if seen.insert(name) {
            let found = services.iter().filter(|s| s.name == *name);
            todo.extend(found.flat_map(|s| s.depends_on.iter().map(|d| &d.target)));
        }
    }
    seen.contains(to)
}
