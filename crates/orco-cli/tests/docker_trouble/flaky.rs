//! An engine that fails in every way, over and over, while containers run and some of them are killed: it is unknown,
//! never dead.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::{
    bench::{Bench, pid, until},
    engine::{Engine, IMAGE, Yard, rounds},
    proxy::{Manner, Proxy},
};

/// Containers that count, one of them watched from inside; and a process beside them.
fn services() -> String {
    let counts = "command: [sh, -c, \"n=0; while :; do n=$$((n+1)); echo $$HOSTNAME $$n; sleep 0.1; done\"]";
    let probed = "cmd: { command: [\"true\"] }, interval: 500ms, timeout: 400ms";
    format!(
        "  a: {{ image: \"{IMAGE}\", {counts} }}\n  b: {{ image: \"{IMAGE}\", {counts}, network: none }}\n  \
         h: {{ image: \"{IMAGE}\", {counts}, health: {{ {probed} }}, liveness: {{ {probed} }} }}\n  \
         p: {{ command: [sh, -c, \"while :; do echo tick; sleep 0.1; done\"] }}\n"
    )
}

const CONTAINERS: [&str; 3] = ["a", "b", "h"];

/// Chance that can be had again.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let asked = std::env::var("ORCO_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = asked.unwrap_or_else(now);
        eprintln!("ORCO_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 29)) % bound
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// As promised in a full count; elsewhere five times as long.
fn promised(limit: Duration) -> Duration {
    if std::env::var_os("ORCO_ROUNDS").is_some() { limit } else { limit * 5 }
}

#[test]
fn a_flaky_engine_is_unknown_and_never_dead() {
    let Some(engine) = Engine::system() else { return };
    let proxy = Proxy::new(Manner::Fine);
    let yard = Yard::new(&engine, proxy.socket(), &services());
    let history = History::begin(&engine, &yard.bench);
    let done = yard.bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let p = pid(&yard.bench.service("p"));
    let id = engine.stack_id(&yard.name);

    let mut storm = Storm { dice: Dice::new(), engine: &engine, yard: &yard, proxy: &proxy, killed: BTreeSet::new() };
    let over = AtomicBool::new(false);
    let slowest = thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&yard.bench, &over));
        let storm = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| storm.rage()));
        over.store(true, Ordering::Relaxed);
        let slowest = asking.join().unwrap();
        storm.unwrap();
        slowest
    });
    let killed = storm.killed;
    proxy.set_now(Manner::Fine);
    let calm = Instant::now();
    for service in CONTAINERS {
        let kills = killed.iter().filter(|(name, _)| name == service).count();
        yard.bench.until(service, &format!("is back, after {kills} kills"), |s| {
            s["ready"] == true && s["restarts"] == runs(&history.text(), &yard.name, service).len() - 1
        });
    }
    eprintln!("{} killed, back after {:?}; slowest status {slowest:?}", killed.len(), calm.elapsed());
    let limits = [promised(Duration::from_millis(200)), Duration::from_secs(2) + promised(Duration::from_millis(200))];
    assert!(slowest[0] < limits[0] && slowest[1] < limits[1], "a status took {slowest:?}");
    assert_eq!((pid(&yard.bench.service("p")), &yard.bench.service("p")["restarts"]), (p, &Value::from(0)));
    judge(&history.text(), &yard.name, &killed);
    output(&yard.bench, &engine);
    let done = yard.bench.orco(&["down"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(engine.left(&yard.name, &id), Vec::<String>::new());
}

/// Asks for the status over and over; the longest that took, for people and (with what is used, which an engine that
/// hangs does not tell: after two seconds that is left out) for programs.
fn ask(bench: &Bench, over: &AtomicBool) -> [Duration; 2] {
    let mut slowest = [Duration::ZERO; 2];
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let said = bench.orco(&["status"]);
        slowest[0] = slowest[0].max(begun.elapsed());
        assert_eq!(said.code, Some(0), "{said:?}");
        let begun = Instant::now();
        let status = bench.json(&["status", "-o", "json"]);
        slowest[1] = slowest[1].max(begun.elapsed());
        assert_eq!(status["services"]["p"]["ready"], true, "{status:#}");
        thread::sleep(Duration::from_millis(100));
    }
    slowest
}

struct Storm<'a> {
    dice: Dice,
    engine: &'a Engine,
    yard: &'a Yard,
    proxy: &'a Proxy,
    /// Service and container.
    killed: BTreeSet<(String, String)>,
}

impl Storm<'_> {
    fn rage(&mut self) {
        let until = Instant::now() + Duration::from_secs(10 * u64::from(rounds(1)));
        while Instant::now() < until {
            let manner = self.manner();
            if self.dice.below(2) == 0 {
                self.proxy.set_now(manner)
            } else {
                self.proxy.set(manner)
            }
            self.kill();
            thread::sleep(self.while_of(1500));
            if self.dice.below(3) == 0 {
                self.proxy.set(Manner::Fine);
                self.proxy.cut();
                thread::sleep(self.while_of(1000));
            }
        }
        // At least one, while nobody can be asked.
        self.proxy.set_now(Manner::Hangs);
        self.kill();
        thread::sleep(Duration::from_secs(1));
    }

    fn while_of(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.dice.below(most))
    }

    fn manner(&mut self) -> Manner {
        let longest = if std::env::var_os("ORCO_ROUNDS").is_some() { 30_000 } else { 1000 };
        match self.dice.below(6) {
            0 => Manner::Drops,
            1 => Manner::Delays(self.while_of(longest)),
            2 => Manner::Fails,
            3 => Manner::Cuts(usize::try_from(self.dice.below(4000)).unwrap()),
            4 => Manner::Hangs,
            _ => Manner::Refuses,
        }
    }

    /// Kills or removes one that has not been killed, and does not run twice.
    fn kill(&mut self) {
        let running = self.engine.containers(&self.yard.name, false);
        let mut services: BTreeMap<&str, usize> = BTreeMap::new();
        for (service, _) in &running {
            *services.entry(service).or_default() += 1;
        }
        assert!(services.values().all(|n| *n == 1), "one runs twice: {running:?}");
        // One that is only just there may have been told to go: leave it alone.
        let fresh: Vec<_> = running.difference(&self.killed).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        let which = usize::try_from(self.dice.below(fresh.len() as u64)).unwrap();
        let (service, id) = fresh[which].clone();
        let how: &[&str] = if self.dice.below(2) == 0 { &["kill"] } else { &["rm", "-f"] };
        self.engine.must(&[how, &[id.as_str()]].concat());
        self.killed.insert((service, id));
    }
}

/// What the engine itself says of its containers, from now on. It keeps too little of its past to be asked later.
struct History {
    child: Child,
    file: PathBuf,
}

impl History {
    fn begin(engine: &Engine, bench: &Bench) -> Self {
        let file = bench.dir.path().join("history");
        let mut command = engine.command();
        command.args(["events", "--filter", "type=container", "--filter", "event=start", "--filter", "event=die"]);
        command.args(["--format", "{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}"]);
        let child = command.stdin(Stdio::null()).stdout(fs::File::create(&file).unwrap()).spawn().unwrap();
        Self { child, file }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The instances of a service that have run, and the containers of each. One that is removed between its start and an
/// answer of the engine that has got through was never told as started: the same start makes it again, and that is no
/// restart.
fn runs<'a>(events: &'a str, stack: &str, service: &str) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut runs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in events.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["start", container, name] = words[..]
            && name.starts_with(&format!("{stack}-{service}-"))
        {
            runs.entry(name).or_default().insert(container);
        }
    }
    runs
}

/// Only what was killed has ended, each was replaced once, and never ran two.
fn judge(events: &str, stack: &str, killed: &BTreeSet<(String, String)>) {
    let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut running: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in events.lines() {
        let mut words = line.split(' ');
        let (Some(what), Some(container), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        // STACK-SERVICE-REPLICA-INSTANCE
        let mut parts = name.split('-');
        let (Some(of), Some(service)) = (parts.next(), parts.next()) else { continue };
        if of != stack {
            continue;
        }
        match what {
            "start" => {
                *starts.entry(service).or_default() += 1;
                let now = running.entry(service).or_default();
                now.insert(container);
                assert_eq!(now.len(), 1, "{service} runs twice:\n{events}");
            }
            "die" => {
                running.entry(service).or_default().remove(container);
                let was_killed = killed.contains(&(service.to_owned(), container.to_owned()));
                assert!(was_killed, "{service} {container} was healthy and has ended:\n{events}");
            }
            _ => {}
        }
    }
    for service in CONTAINERS {
        let kills = killed.iter().filter(|(name, _)| name == service).count();
        assert_eq!(starts.get(service), Some(&(1 + kills)), "{service}, {kills} kills:\n{events}");
    }
}

/// Each container's lines are there from the first on, none of them twice and none missing in between, except what the
/// engine itself has lost when it ended.
pub fn output(bench: &Bench, engine: &Engine) {
    for service in CONTAINERS {
        let text = bench.orco(&["logs", service, "-o", "json", "--tail", "1000000"]).out;
        let mut next: BTreeMap<String, u64> = BTreeMap::new();
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let message = record["msg"].as_str().unwrap().to_owned();
            let Some((host, n)) = message.split_once(' ') else { continue };
            let Ok(n) = n.parse::<u64>() else { continue };
            let expected = next.entry(host.to_owned()).or_insert(1);
            if n > *expected {
                let engines = engine.must(&["logs", host]);
                let lost = |n: u64| !engines.lines().any(|line| line == format!("{host} {n}"));
                assert!((*expected..n).all(lost), "{service}: {message} instead of {expected}");
                eprintln!("{service}: the engine itself has lost {expected} to {}", n - 1);
                *expected = n;
            }
            assert_eq!(n, *expected, "{service}: {message} instead of {expected}");
            *expected += 1;
        }
        assert!(!next.is_empty(), "{service} has said nothing: {text}");
    }
}

#[test]
fn a_hanging_engine_holds_up_nobody_else() {
    let Some(engine) = Engine::system() else { return };
    let proxy = Proxy::new(Manner::Hangs);
    let yard = Yard::new(&engine, proxy.socket(), &services());
    let bench = &yard.bench;
    let mut up = bench.up(&[]);
    bench.until_ready("p");
    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(bench.orco(&["status"]).code, Some(0));
        let took = begun.elapsed();
        assert!(took < promised(Duration::from_millis(200)), "a status took {took:?}");
    }
    let begun = Instant::now();
    assert_eq!(bench.orco(&["restart", "p"]).code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "another service was held up for {:?}", begun.elapsed());
    let says = "cannot start yet: no answer from the engine after 10 s";
    bench.until("a", "tells it", |a| a["message"].as_str().unwrap().starts_with(says));
    until("the foreground tells it", || up.err().lines().any(|line| line.starts_with("a/0 ") && line.contains(says)));
    assert!(bench.orco(&["why", "a"]).out.contains(says));
    // Twice means at once, though nobody can be asked.
    let begun = Instant::now();
    up.signal(nix::sys::signal::Signal::SIGINT);
    until("the first is heard", || up.err().contains("stopping everything"));
    up.signal(nix::sys::signal::Signal::SIGINT);
    let end = up.end();
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?} to end: {end:?}", begun.elapsed());
    assert!(engine.containers(&yard.name, true).is_empty());
}
