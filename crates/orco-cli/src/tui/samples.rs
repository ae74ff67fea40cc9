//! Data for the tests of this folder.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use orco_api::wire::{Event, Graph, Status, Timestamp, Why};
use serde_json::{Value, from_value, json};

/// An hour after everything in [`status`] began.
pub fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn service(name: &str, state: &str, replicas: u32, ready: u32, message: &str) -> Value {
    let instance = |replica: u32| {
        let up = replica < ready;
        json!({"replica": replica, "id": null, "pid": if up { Some(4000 + replica) } else { None }, "container": null,
               "state": if up { "Running" } else { "Starting" }, "ready": up,
               "started_at": if up { Some("2026-01-01T00:10:00Z") } else { None },
               "endpoint": if up { Some(format!("127.0.0.1:{}", 20_000 + replica)) } else { None },
               "restarts": 0, "exit": null})
    };
    json!({
        "name": name, "kind": if state == "Completed" { "oneshot" } else { "service" }, "state": state,
        "ready": state == "Completed" || ready == replicas, "replicas": replicas, "ready_replicas": ready, "restarts": 0,
        "message": message, "waiting": null, "revision": "0123456789ab", "first_seen": "2026-01-01T00:00:00Z",
        "last_event": "2026-01-01T00:00:01Z", "exit": null, "resources": {"cpu": null, "memory": null},
        "instances": if state == "Completed" { json!([]) } else { (0..replicas).map(instance).collect() },
    })
}

fn document(services: Value) -> Value {
    json!({"stack": "demo", "id": "0123456789ab", "version": 3, "generated_at": "2026-01-01T01:00:00Z",
           "mode": "foreground", "kill_backend": "sweep", "services": services})
}

/// A stack with something of everything.
pub fn status() -> Status {
    let mut api = service("api", "Running", 2, 1, "");
    api["restarts"] = 12.into();
    from_value(document(json!({
        "db": service("db", "Starting", 1, 0, "not ready: tcp connect: connection refused"),
        "seed": service("seed", "Completed", 1, 0, ""),
        "api": api,
        "web": service("web", "Pending", 1, 0, "blocked: dependency db not Ready (timeout 1m)"),
        "worker": service("worker", "Failed", 1, 0, "exit code 3\u{1b}[2J; gave up after 5 restarts"),
    })))
    .unwrap()
}

/// A status with what services have used by then: name, seconds of processor time, bytes.
pub fn used(second: u64, services: &[(&str, f64, u64)]) -> Status {
    let all = services.iter().map(|(name, cpu, memory)| {
        let mut one = service(name, "Running", 1, 1, "");
        one["resources"] = json!({"cpu": cpu, "memory": memory});
        ((*name).to_owned(), one)
    });
    let mut document = document(Value::Object(all.collect()));
    document["generated_at"] = json!(Timestamp::from_unix_micros(second * 1_000_000));
    from_value(document).unwrap()
}

/// An event.
pub fn event(seq: u64) -> Event {
    from_value(json!({"ts": "2026-01-01T00:00:01Z", "seq": seq, "type": "ServiceReady", "service": "db", "replica": 0,
                      "message": "ready", "reason": null, "attempt": null, "data": null}))
    .unwrap()
}

fn graph_of(nodes: &[(String, usize)], edges: &[(String, String, &str)]) -> Graph {
    let node = |(name, layer): &(String, usize)| json!({"name": name, "kind": "service", "layer": layer, "state": null, "ready": null, "message": ""});
    let edge = |(from, to, require): &(String, String, &str)| json!({"from": from, "to": to, "require": require, "timeout_ms": 300_000, "on_failure": "ignore"});
    let (nodes, edges): (Vec<_>, Vec<_>) = (nodes.iter().map(node).collect(), edges.iter().map(edge).collect());
    from_value(json!({"stack": "demo", "nodes": nodes, "edges": edges})).unwrap()
}

/// The graph of [`status`].
pub fn graph() -> Graph {
    let nodes = [("db", 0), ("seed", 1), ("api", 2), ("web", 3), ("worker", 3)];
    let edges = [
        ("seed", "db", "ready"),
        ("api", "db", "ready"),
        ("api", "seed", "completed"),
        ("web", "api", "ready"),
        ("worker", "api", "started"),
        ("worker", "db", "ready"),
    ];
    let edges: Vec<_> = edges.iter().map(|(a, b, r)| ((*a).to_owned(), (*b).to_owned(), *r)).collect();
    graph_of(&nodes.map(|(name, layer)| (name.to_owned(), layer)), &edges)
}

/// Layers of ten services, each of which needs one or two of the layer above.
pub fn wide_graph(services: usize) -> Graph {
    let name = |at: usize| format!("s{at}");
    let nodes: Vec<_> = (0..services).map(|at| (name(at), at / 10)).collect();
    let needs = |at: usize| [at - 10, (at / 10 - 1) * 10 + at * 7 % 10].into_iter().collect::<BTreeSet<_>>();
    let edges: Vec<_> =
        (10..services).flat_map(|at| needs(at).into_iter().map(move |to| (name(at), name(to), "ready"))).collect();
    graph_of(&nodes, &edges)
}

/// Events of some kinds.
pub fn events() -> Vec<Event> {
    let rows = [
        ("StackStarting", None, None, "5 services are wanted", Value::Null),
        ("ServiceStarting", Some("db"), Some(0), "starting", Value::Null),
        ("ServiceReady", Some("api"), Some(1), "ready", Value::Null),
        ("ServiceBlocked", Some("web"), None, "web blocked: dependency db not Ready", json!({"dependency": "db"})),
        ("ServiceCrashed", Some("worker"), Some(0), "exit code 3\u{1b}[2J", json!({"exit": {"code": 3}})),
        ("ServiceRestarting", Some("worker"), Some(0), "restart 1/5 in 2s", json!({"delay_ms": 2000})),
    ];
    let mut events = Vec::new();
    for ((kind, service, replica, message, data), seq) in rows.into_iter().zip(7..) {
        let mut one = event(seq);
        kind.clone_into(&mut one.kind);
        one.service = service.map(str::to_owned);
        one.replica = replica;
        message.clone_into(&mut one.message);
        one.data = data;
        events.push(one);
    }
    events
}

/// Why `web` is not ready.
pub fn why() -> Why {
    from_value(json!({
        "service": "web", "state": "Pending", "ready": false, "exit": null, "last_probe": null, "log_tail": [],
        "message": "blocked: dependency db not Ready (timeout 1m)",
        "because": [{
            "service": "db", "state": "Starting", "ready": false, "message": "restart 2/5 in 4s (exit code 1)",
            "exit": {"code": 1, "at": "2026-01-01T00:00:02Z"},
            "last_probe": "probe failing tcp connect: connection refused",
            "log_tail": [{"ts": "2026-01-01T00:00:01Z", "service": "db", "replica": 0, "level": "info",
                "msg": "panic: no\u{1b}[2J disk, and a long line about what that means for everybody",
                "source": "stderr", "seq": 4, "run": 2, "fields": null}],
            "because": [],
        }],
    }))
    .unwrap()
}
