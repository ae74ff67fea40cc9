//! G12 and G13: nothing starts before what it needs is as required, nothing is stopped while somebody stands on it.
//! Random graphs, judged twice: by the engine's events, and by a journal that the services write themselves.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use fastrand::Rng;
use orco::{
    engine::Event,
    model::{EventKind, Require},
    spec::{Check, Need, ServiceBuilder},
};

use crate::world::{World, eventually, figure, rounds, sh, tag};

const SERVICES: usize = 50;

/// A service of the graph.
struct Node {
    oneshot: bool,
    /// It is ready when it says so, not when it runs.
    checked: bool,
    /// Its first try fails.
    crashes: bool,
    /// What it needs, all before it in the list.
    needs: BTreeMap<usize, Require>,
    /// How long it takes to become ready, and to end.
    millis: (u32, u32),
}

fn graph(seed: u64) -> Vec<Node> {
    let mut rng = Rng::with_seed(seed);
    let mut nodes: Vec<Node> = Vec::new();
    for at in 0..SERVICES {
        let mut needs = BTreeMap::new();
        for _ in 0..rng.usize(0..4).min(at) {
            let to = rng.usize(at.saturating_sub(12)..at);
            let all = [Require::Exists, Require::Started, Require::Ready, Require::Ready, Require::Completed];
            let require = all[rng.usize(..if nodes[to].oneshot { 5 } else { 4 })];
            needs.insert(to, require);
        }
        nodes.push(Node {
            oneshot: rng.u8(..5) == 0,
            checked: rng.u8(..4) != 0,
            crashes: rng.u8(..8) == 0,
            needs,
            millis: (rng.u32(..30), rng.u32(..30)),
        });
    }
    nodes
}

fn service(at: usize, node: &Node) -> ServiceBuilder {
    let crash = if node.crashes { format!("if mkdir s{at}.tried 2>/dev/null; then exit 3; fi") } else { String::new() };
    let (warm, cool) = (format!("0.0{:02}", node.millis.0), format!("0.0{:02}", node.millis.1));
    // What it waits in is there before it says that it is ready: a shell that is told to end while it forks leaves the
    // child behind, for the kill.
    let (body, life) = if node.oneshot { ("", "exit 0") } else { ("sleep 1000 &", "wait") };
    let script = format!(
        "echo begin {at} >>journal; {crash}
         trap 'echo term {at} >>journal; sleep {cool}; echo end {at} >>journal; kill $! 2>/dev/null; exit 0' TERM
         sleep {warm}; {body}
         echo ready {at} >>journal; echo ready
         {life}"
    );
    let mut service = sh(format!("s{at}"), &script)
        .backoff(Duration::from_millis(5), Duration::from_millis(20), 2.0)
        .stop(15, Duration::from_secs(30));
    if node.oneshot {
        service = service.oneshot();
    } else if node.checked {
        service = service.health(Check::log("^ready"));
    }
    let need = |(to, require): (&usize, &Require)| Need::new(format!("s{to}")).require(*require);
    node.needs.iter().map(need).fold(service, ServiceBuilder::depends_on)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gates_and_reverse_order_hold_in_random_graphs() {
    let first: u64 = std::env::var("ORCO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (mut gates, mut stops) = (0, 0);
    for seed in (first..).take(rounds(4)) {
        let nodes = graph(seed);
        let world = World::new(nodes.iter().enumerate().map(|(at, node)| service(at, node)));
        let journal = world.dir.path().join("journal");
        let read = || fs::read_to_string(&journal).unwrap_or_default();
        world.up().await;
        // A service without a check is up before its shell has said so.
        eventually("all have said so", || read().lines().filter(|l| l.starts_with("ready")).count() == SERVICES).await;
        world.engine.down().await.unwrap().done().await.unwrap();
        let journal = read();
        let events = world.end().await;
        let (g, s) = judge_events(&nodes, &events).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{journal}"));
        let (h, t) = judge_journal(&nodes, &journal).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{journal}"));
        (gates, stops) = (gates + g + h, stops + s + t);
    }
    figure(&format!("G12, G13: {} graphs of {SERVICES}, {gates} gates and {stops} stops judged", rounds(4)));
    assert!(gates > 100 && stops > 100, "{gates} {stops}");
}

#[derive(Clone, Copy, Default)]
struct Seen {
    begun: bool,
    started: bool,
    ready: bool,
    completed: bool,
    live: bool,
}

/// The engine's own account. Returns how many gates and stops were looked at.
fn judge_events(nodes: &[Node], events: &[Arc<Event>]) -> Result<(usize, usize), String> {
    let mut seen = vec![Seen::default(); nodes.len()];
    let (mut gates, mut stops) = (0, 0);
    for event in events {
        let Some(at) = event.service.as_ref().and_then(|s| s.as_str()[1..].parse::<usize>().ok()) else { continue };
        match event.kind {
            EventKind::ServiceStarting => {
                for (to, require) in &nodes[at].needs {
                    let dep = seen[*to];
                    let open = match require {
                        Require::Exists => dep.begun,
                        Require::Started => dep.started || dep.completed,
                        Require::Ready => dep.ready,
                        Require::Completed => dep.completed,
                    };
                    if !open {
                        return Err(format!("s{at} starts, s{to} is not {}", require.as_str()));
                    }
                    gates += 1;
                }
                (seen[at].begun, seen[at].live) = (true, true);
            }
            EventKind::ServiceStarted => seen[at].started = true,
            EventKind::ServiceReady => seen[at].ready = true,
            EventKind::ServiceUnready => seen[at].ready = false,
            EventKind::ServiceCompleted => {
                seen[at] = Seen { begun: true, ready: true, completed: true, ..Seen::default() }
            }
            EventKind::ServiceCrashed | EventKind::ServiceStopped => {
                seen[at] = Seen { begun: seen[at].begun, completed: seen[at].completed, ..Seen::default() };
            }
            EventKind::ServiceStopping => {
                // Everybody heeds the signal, so nobody has to be killed.
                if &*event.message != "stopping" {
                    return Err(format!("s{at}: {}", event.message));
                }
                if let Some(on) = nodes.iter().zip(&seen).position(|(n, s)| s.live && n.needs.contains_key(&at)) {
                    return Err(format!("s{at} is stopped while s{on} lives"));
                }
                seen[at].ready = false;
                stops += 1;
            }
            EventKind::ServiceFailed => return Err(format!("s{at} failed: {}", event.message)),
            _ => {}
        }
    }
    Ok((gates, stops))
}

/// What the services themselves wrote, in the order in which they wrote it.
fn judge_journal(nodes: &[Node], journal: &str) -> Result<(usize, usize), String> {
    let lines: Vec<&str> = journal.lines().collect();
    let place = |what: &str, at: usize| {
        let line = format!("{what} {at}");
        lines.iter().position(|l| *l == line)
    };
    let (mut gates, mut stops) = (0, 0);
    for (at, node) in nodes.iter().enumerate() {
        let begin = place("begin", at).ok_or(format!("{at} never began"))?;
        for (to, require) in &node.needs {
            let dep = &nodes[*to];
            let said = *require == Require::Completed || *require == Require::Ready && (dep.checked || dep.oneshot);
            if said {
                if place("ready", *to).is_none_or(|ready| ready > begin) {
                    return Err(format!("{at} began before {to} was ready"));
                }
                gates += 1;
            }
            if !node.oneshot && !dep.oneshot {
                let end = place("end", at).ok_or(format!("{at} never ended"))?;
                if place("term", *to).is_none_or(|term| term < end) {
                    return Err(format!("{to} was signalled before {at} had ended"));
                }
                stops += 1;
            }
        }
    }
    Ok((gates, stops))
}

/// The judges see what is wrong.
#[test]
fn wrong_orders_are_seen() {
    let node = |needs: &[(usize, Require)]| Node {
        oneshot: false,
        checked: true,
        crashes: false,
        needs: needs.iter().copied().collect(),
        millis: (0, 0),
    };
    let nodes = [node(&[]), node(&[(0, Require::Ready)])];
    let right = "begin 0\nready 0\nbegin 1\nready 1\nterm 1\nend 1\nterm 0\nend 0\n";
    assert_eq!(judge_journal(&nodes, right), Ok((1, 1)));
    assert!(judge_journal(&nodes, &right.replace("ready 0\nbegin 1", "begin 1\nready 0")).is_err());
    assert!(judge_journal(&nodes, &right.replace("end 1\nterm 0", "term 0\nend 1")).is_err());
}

#[test]
fn a_circle_is_named_whole() {
    let name = tag();
    let on = |name: &str, dep: &str| sh(name, "true").depends_on(dep);
    let services = [on("a", "b"), on("b", "c"), on("c", "a"), sh("d", "true")];
    let error = orco::spec::Stack::builder(name.trim_end_matches('.')).services(services).build().unwrap_err();
    assert!(error.to_string().contains("a -> b -> c -> a"), "{error}");
}
