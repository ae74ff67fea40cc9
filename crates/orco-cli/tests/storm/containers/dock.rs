//! The container engine as others see it: asked over its socket, never through Orco.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::Value;

use crate::hostile::can;

/// What all containers here are made of.
pub const IMAGE: &str = "orco-test/busybox:1";

fn socket() -> String {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock").to_owned()
}

/// One call; the status and what was answered.
pub fn ask(method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

fn call(method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
    let mut stream = UnixStream::connect(socket())?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// A call that must succeed.
pub fn must(method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, answer) = ask(method, path, body);
    assert!((200..305).contains(&status), "{method} {path}: {status} {answer}");
    answer
}

/// Whether there is an engine with the image; in CI there must be.
pub fn ready() -> bool {
    let there = call("GET", &format!("/images/{IMAGE}/json"), None).is_ok_and(|(status, _)| status == 200);
    can(&format!("a container engine with {IMAGE}"), there)
}

fn filter(label: &str) -> String {
    let json = serde_json::json!({ "label": [label] }).to_string();
    json.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A container with one of our labels.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: String,
    pub name: String,
    /// `service.replica`.
    pub seat: String,
    /// The instance that it says it is.
    pub instance: String,
    pub state: String,
    /// Its volumes without a name.
    pub nameless: Vec<String>,
}

impl Found {
    fn of(container: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let label = |name: &str| text(&container["Labels"][name]);
        let slot = label("orco.slot");
        let mounts = container["Mounts"].as_array().into_iter().flatten();
        let nameless = mounts.map(|mount| text(&mount["Name"]));
        Self {
            id: text(&container["Id"]),
            name: text(&container["Names"][0]).trim_start_matches('/').to_owned(),
            seat: format!("{}.{}", label("orco.service"), slot.rsplit('/').next().unwrap_or_default()),
            instance: label("orco.instance"),
            state: text(&container["State"]),
            nameless: nameless.filter(|name| name.len() == 64 && !name.contains('-')).collect(),
        }
    }

    pub fn runs(&self) -> bool {
        matches!(&*self.state, "running" | "paused" | "restarting")
    }
}

/// All containers with this label (`name=value`), also those that do not run.
pub fn containers(label: &str) -> Vec<Found> {
    let answer = must("GET", &format!("/containers/json?all=1&filters={}", filter(label)), None);
    answer.as_array().unwrap().iter().map(Found::of).collect()
}

/// The ids of all networks with this label.
pub fn networks(label: &str) -> Vec<String> {
    let answer = must("GET", &format!("/networks?filters={}", filter(label)), None);
    answer.as_array().unwrap().iter().map(|network| network["Id"].as_str().unwrap().to_owned()).collect()
}

/// The names of all volumes with this label.
pub fn volumes(label: &str) -> Vec<String> {
    let answer = must("GET", &format!("/volumes?filters={}", filter(label)), None);
    let volumes = answer["Volumes"].as_array().into_iter().flatten();
    volumes.map(|volume| volume["Name"].as_str().unwrap().to_owned()).collect()
}

/// Whether it is there: `containers`, `networks` or `volumes`, and its id or name.
pub fn exists(kind: &str, name: &str) -> bool {
    let suffix = if kind == "containers" { "/json" } else { "" };
    ask("GET", &format!("/{kind}/{name}{suffix}"), None).0 == 200
}

/// Takes away all that has a label. Only for what a test has made.
pub fn sweep(label: &str) {
    for container in containers(label) {
        let _ = ask("DELETE", &format!("/containers/{}?force=1&v=1", container.id), None);
    }
    for network in networks(label) {
        let _ = ask("DELETE", &format!("/networks/{network}"), None);
    }
    for volume in volumes(label) {
        let _ = ask("DELETE", &format!("/volumes/{volume}"), None);
    }
}
