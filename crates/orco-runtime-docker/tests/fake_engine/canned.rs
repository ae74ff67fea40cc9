//! Answers as engines give them, each with fields that nobody knows yet.

use serde_json::{Map, Value, json};

/// Adds fields that no version knows: to the object itself, and to those of its parts that have fixed fields.
pub fn with_unknown_fields(mut value: Value) -> Value {
    const PARTS: &[&str] = &[
        "State",
        "Config",
        "HostConfig",
        "NetworkSettings",
        "Actor",
        "RestartPolicy",
        "LogConfig",
        "progressDetail",
        "Health",
        "IPAM",
        "Platform",
    ];
    match &mut value {
        Value::Object(fields) => {
            for part in PARTS {
                if let Some(inner) = fields.get_mut(*part).filter(|inner| inner.is_object()) {
                    *inner = with_unknown_fields(inner.take());
                }
            }
            fields.insert("OfALaterVersion".to_owned(), json!({ "deep": [1, null, { "x": "y" }] }));
            fields.insert("AlsoNew".to_owned(), Value::Null);
        }
        Value::Array(items) => {
            for item in items {
                *item = with_unknown_fields(item.take());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

/// `GET /version`.
pub fn version(min: &str, max: &str) -> Value {
    with_unknown_fields(json!({
        "Platform": { "Name": "" },
        "Components": [{ "Name": "Engine", "Version": "20.10.24+dfsg1", "Details": { "ApiVersion": max, "MinAPIVersion": min } }],
        "Version": "20.10.24+dfsg1", "ApiVersion": max, "MinAPIVersion": min, "Os": "linux", "Arch": "amd64",
    }))
}

/// `GET /version` of Podman.
pub fn version_of_podman() -> Value {
    with_unknown_fields(json!({
        "Platform": { "Name": "linux/amd64/debian-12" },
        "Components": [{ "Name": "Podman Engine", "Version": "4.3.1", "Details": { "APIVersion": "4.3.1", "MinAPIVersion": "4.0.0" } }],
        "Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64",
    }))
}

/// `GET /info`, with these security options (`name=rootless`).
pub fn info(security: &[&str]) -> Value {
    with_unknown_fields(json!({
        "ID": "FAKE", "Containers": 0, "Images": 0, "Driver": "overlay2", "CgroupDriver": "cgroupfs", "CgroupVersion": "1",
        "OSType": "linux", "Architecture": "x86_64", "ServerVersion": "20.10.24+dfsg1", "SecurityOptions": security,
    }))
}

fn labels_of(labels: &[(&str, &str)]) -> Map<String, Value> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

/// An entry of `GET /containers/json`; `state` is `running`, `exited`, ….
pub fn summary(id: &str, name: &str, labels: &[(&str, &str)], state: &str) -> Value {
    with_unknown_fields(json!({
        "Id": id, "Names": [format!("/{name}")], "Image": "orco-test/busybox:1", "ImageID": "sha256:00", "Command": "sleep 1000",
        "Created": 1_700_000_000, "Ports": [], "Labels": labels_of(labels), "State": state, "Status": "Up 2 seconds",
        "HostConfig": { "NetworkMode": "bridge" }, "NetworkSettings": { "Networks": {} }, "Mounts": [],
    }))
}

/// `GET /containers/ID/json`. `exit`: its code, if it is over.
pub fn inspect(id: &str, name: &str, labels: &[(&str, &str)], exit: Option<i64>) -> Value {
    let status = if exit.is_some() { "exited" } else { "running" };
    let finished = if exit.is_some() { "2026-01-02T03:04:06.000000006Z" } else { "0001-01-01T00:00:00Z" };
    with_unknown_fields(json!({
        "Id": id, "Name": format!("/{name}"), "Created": "2026-01-02T03:04:05.000000005Z", "Image": "sha256:00",
        "State": {
            "Status": status, "Running": exit.is_none(), "Paused": false, "Restarting": false, "OOMKilled": false, "Dead": false,
            "Pid": if exit.is_none() { 4711 } else { 0 }, "ExitCode": exit.unwrap_or(0), "Error": "",
            "StartedAt": "2026-01-02T03:04:05.500000005Z", "FinishedAt": finished,
        },
        "Config": { "Image": "orco-test/busybox:1", "Labels": labels_of(labels), "Env": [], "Cmd": ["sleep", "1000"] },
        "HostConfig": { "NetworkMode": "bridge", "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 } },
        "NetworkSettings": { "Networks": {}, "Ports": {} }, "Mounts": [],
    }))
}

/// An item of `GET /events` about a container; `attributes` hold its labels, and `exitCode` of a `die`.
pub fn event(action: &str, id: &str, attributes: &[(&str, &str)], time_nano: i64) -> Value {
    with_unknown_fields(json!({
        "status": action, "id": id, "from": "orco-test/busybox:1", "Type": "container", "Action": action,
        "Actor": { "ID": id, "Attributes": labels_of(attributes) }, "scope": "local",
        "time": time_nano / 1_000_000_000, "timeNano": time_nano,
    }))
}
