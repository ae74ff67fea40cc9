//! Data for the tests of this folder.
#![allow(clippy::unwrap_used)]

use orco_api::wire::{Event, Status, Timestamp};
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
