//! Data for the snapshot tests of this folder.
#![allow(clippy::unwrap_used)]

use orco_api::wire::{Event, Graph, LogRecord, Status, Timestamp, Why};
use serde_json::{from_value, json};

fn service(name: &str, state: &str, ready: bool, message: &str) -> serde_json::Value {
    json!({
        "name": name, "kind": if state == "Completed" { "oneshot" } else { "service" }, "state": state, "ready": ready,
        "replicas": 1, "ready_replicas": u8::from(ready), "restarts": 0, "message": message, "waiting": null,
        "revision": "0123456789ab", "first_seen": "2026-01-01T00:00:00Z", "last_event": "2026-01-01T00:00:01Z",
        "exit": null, "resources": {"cpu": null, "memory": null}, "instances": [],
    })
}

pub(super) fn status() -> (Status, Timestamp) {
    let mut api = service("api", "Running", true, "");
    api["replicas"] = 2.into();
    api["ready_replicas"] = 1.into();
    api["restarts"] = 12.into();
    api["instances"] = json!([
        {"replica": 0, "id": null, "pid": 7, "container": null, "state": "Running", "ready": true,
         "started_at": "2026-01-01T00:00:02Z", "endpoint": "127.0.0.1:20001", "restarts": 12, "exit": null},
    ]);
    let status = json!({
        "stack": "demo", "id": "0123456789ab", "version": 3, "generated_at": "2026-01-01T01:00:00Z",
        "mode": "foreground", "kill_backend": "sweep",
        "services": {
            "db": service("db", "Starting", false, "not ready: tcp connect: connection refused"),
            "seed": service("seed", "Completed", true, ""),
            "api": api,
            "web": service("web", "Pending", false,
                "blocked: dependency db not Ready (timeout 1m, probe failing tcp connect: connection refused)"),
            "worker": service("worker", "Failed", false, "exit code 3\u{1b}[2J; gave up after 5 restarts"),
        },
    });
    (from_value(status).unwrap(), "2026-01-01T01:00:00Z".parse().unwrap())
}

pub(super) fn records() -> Vec<LogRecord> {
    let record = |service: &str, replica: i64, source: &str, level: &str, msg: &str| {
        json!({"ts": "2026-01-01T00:00:01Z", "service": service, "replica": replica, "level": level, "msg": msg,
               "source": source, "seq": 0, "run": 1, "fields": null})
    };
    let mut fields = record("api", 1, "stderr", "warn", "slow");
    fields["fields"] = json!({"ms": 120, "path": "/a b"});
    let mut dropped = record("api", 0, "system", "warn", "7 lines dropped");
    dropped["dropped"] = 7.into();
    let all = vec![
        record("db", 0, "stdout", "info", "ready to accept connections"),
        fields,
        record("api", -1, "system", "info", "stopped"),
        dropped,
        record("a-service-with-quite-a-long-name", 0, "stderr", "error", "boom\u{1b}[31m"),
        record("db", 0, "stdout", "info", "still there"),
    ];
    all.into_iter().map(|r| from_value(r).unwrap()).collect()
}

pub(super) fn events() -> Vec<Event> {
    [
        json!({"ts": "2026-01-01T00:00:01.5Z", "seq": 0, "type": "ServiceReady", "service": "db", "replica": 0,
               "message": "ready", "reason": null, "attempt": null, "data": null}),
        json!({"ts": "2026-01-01T00:00:02Z", "seq": 1, "type": "ServiceRestarting", "service": "api", "replica": 1,
               "message": "restart 1/5 in 2s", "reason": "exit code 1", "attempt": 1, "data": {"delay_ms": 2000}}),
        json!({"ts": "2026-01-01T00:00:03Z", "seq": 2, "type": "StackStopped", "service": null, "replica": null,
               "message": "nothing is left", "reason": null, "attempt": null, "data": null}),
        json!({"ts": "2026-01-01T00:00:04Z", "seq": 3, "type": "ServiceBlocked", "service": "api", "replica": null,
               "message": "api blocked: dependency db not Ready (timeout 5m)", "reason": null, "attempt": null,
               "data": {"dependency": "db"}}),
        json!({"ts": "2026-01-01T00:00:05Z", "seq": 4, "type": "ServiceCrashed", "service": "db", "replica": 0,
               "message": "killed by SIGKILL", "reason": "killed by SIGKILL", "attempt": null,
               "data": {"exit": {"signal": 9, "at": null}}}),
        json!({"ts": "2026-01-01T00:00:06Z", "seq": 5, "type": "ServiceStarting", "service": "db", "replica": 0,
               "message": "starting", "reason": null, "attempt": null, "data": null}),
    ]
    .into_iter()
    .map(|e| from_value(e).unwrap())
    .collect()
}

pub(super) fn why() -> Why {
    from_value(json!({
        "service": "web", "state": "Pending", "ready": false, "message": "blocked: dependency api not Ready (timeout 5m)",
        "exit": null, "last_probe": null, "log_tail": [],
        "because": [{
            "service": "api", "state": "Starting", "ready": false, "message": "restart 2/5 in 4s (exit code 1)",
            "exit": {"code": 1, "at": "2026-01-01T00:00:02Z"}, "last_probe": "probe failing http: connection refused",
            "log_tail": [{"ts": "2026-01-01T00:00:01Z", "service": "api", "replica": 0, "level": "info",
                "msg": "panic: no database", "source": "stderr", "seq": 4, "run": 2, "fields": null}],
            "because": [],
        }],
    }))
    .unwrap()
}

pub(super) fn graph() -> Graph {
    let node = |name: &str, layer: usize| json!({"name": name, "kind": "service", "layer": layer, "state": null, "ready": null, "message": ""});
    let edge = |from: &str, to: &str, require: &str| json!({"from": from, "to": to, "require": require, "timeout_ms": 300_000, "on_failure": "ignore"});
    from_value(json!({
        "stack": "demo",
        "nodes": [node("db", 0), node("seed", 1), node("web", 3), node("api", 2), node("worker", 0)],
        "edges": [edge("seed", "db", "ready"), edge("web", "api", "ready"), edge("api", "seed", "completed"),
                  edge("api", "db", "ready")],
    }))
    .unwrap()
}
