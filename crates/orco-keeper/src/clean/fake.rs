//! A container engine for tests: objects, and a temper.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{CleanUp, EngineHost, objects::Kind, rounds::Limits};

/// As long as in life, but for a test.
pub(super) const SHORT: Limits = Limits {
    answer: Duration::from_millis(300),
    quiet: (Duration::from_millis(60), Duration::from_millis(400)),
    pause: Duration::from_millis(5),
    unanswered: Duration::from_millis(1500),
    refused: Duration::from_millis(300),
    total: Duration::from_secs(10),
};

pub(super) const LABEL: &str = "orco.stack=0123abcd";

/// How it answers one request.
pub(super) enum Temper {
    /// As it should.
    Good,
    /// With this status, and nothing happens.
    Says(u16),
    /// Never.
    Hangs,
    /// It hangs up in the middle of the answer.
    Cuts,
    /// It ignores filters.
    ListsAll,
    /// It does it, after this long.
    Thinks(Duration),
}

#[derive(Clone)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) id: String,
    label: Option<(String, String)>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) objects: Vec<Object>,
    pub(super) requests: Vec<String>,
    /// Answered at this moment, and the most that ever were.
    pub(super) at_once: (usize, usize),
}

type Tempers = Box<dyn Fn(&mut State, &str) -> Temper + Send + Sync>;

pub(super) struct Engine {
    dir: tempfile::TempDir,
    state: Arc<Mutex<State>>,
}

impl State {
    pub(super) fn add(&mut self, kind: Kind, id: &str, label: Option<&str>) {
        let label = label.and_then(|text| text.split_once('=')).map(|(name, value)| (name.into(), value.into()));
        self.objects.push(Object { kind, id: id.to_owned(), label });
    }

    /// How often something like this was asked.
    pub(super) fn asked(&self, start: &str) -> usize {
        self.requests.iter().filter(|request| request.starts_with(start)).count()
    }
}

impl Engine {
    /// One with nothing in it; it answers each request with the temper that this gives for the state and the request's
    /// first line.
    pub(super) fn new(temper: impl Fn(&mut State, &str) -> Temper + Send + Sync + 'static) -> Self {
        let engine = Self { dir: tempfile::tempdir().unwrap(), state: Arc::default() };
        engine.serve(temper);
        engine
    }

    /// One that does not run yet.
    pub(super) fn absent() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), state: Arc::default() }
    }

    pub(super) fn serve(&self, temper: impl Fn(&mut State, &str) -> Temper + Send + Sync + 'static) {
        let listener = UnixListener::bind(self.dir.path().join("sock")).unwrap();
        let (state, temper): (_, Arc<Tempers>) = (Arc::clone(&self.state), Arc::new(Box::new(temper)));
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, temper) = (Arc::clone(&state), Arc::clone(&temper));
                thread::spawn(move || answer(stream, &state, &temper));
            }
        });
    }

    /// With these: `kind id label`, the label `-` for none.
    pub(super) fn with(self, objects: &[(Kind, &str, Option<&str>)]) -> Self {
        for (kind, id, label) in objects {
            self.state().add(*kind, id, *label);
        }
        self
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn left(&self) -> Vec<String> {
        self.state().objects.iter().map(|object| object.id.clone()).collect()
    }

    pub(super) fn clean_up(&self) -> CleanUp {
        CleanUp::new(EngineHost::Unix(self.dir.path().join("sock")), LABEL)
    }
}

fn answer(mut stream: UnixStream, state: &Mutex<State>, temper: &Tempers) {
    let mut text = Vec::new();
    let mut piece = [0; 1024];
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(count @ 1..) => text.extend_from_slice(&piece[..count]),
            _ => return,
        }
    }
    let line = String::from_utf8(text).unwrap().lines().next().unwrap().to_owned();
    let temper = {
        let mut state = state.lock().unwrap();
        state.requests.push(line.clone());
        state.at_once.0 += 1;
        state.at_once.1 = state.at_once.1.max(state.at_once.0);
        temper(&mut state, &line)
    };
    if let Temper::Thinks(time) = temper {
        thread::sleep(time);
    }
    let (status, body) = match temper {
        Temper::Hangs => loop {
            thread::park();
        },
        Temper::Says(status) => (status, json!({ "message": "no" })),
        Temper::Good | Temper::Cuts | Temper::Thinks(_) => act(&mut state.lock().unwrap(), &line, false),
        Temper::ListsAll => act(&mut state.lock().unwrap(), &line, true),
    };
    state.lock().unwrap().at_once.0 -= 1;
    let body = if status == 204 { String::new() } else { body.to_string() };
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let answer = format!("HTTP/1.0 {status} Whatever\r\nApi-Version: 1.41\r\n{length}\r\n{body}");
    let cut = if matches!(temper, Temper::Cuts) { answer.len() - 3 } else { answer.len() };
    let _ = stream.write_all(&answer.as_bytes()[..cut]);
}

fn act(state: &mut State, line: &str, all: bool) -> (u16, Value) {
    let (method, rest) = line.split_once(' ').unwrap();
    let target = rest.strip_suffix(" HTTP/1.0").unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parts = path[1..].split('/');
    let kind = match parts.next().unwrap() {
        "containers" => Kind::Container,
        "networks" => Kind::Network,
        "volumes" => Kind::Volume,
        other => panic!("{other}"),
    };
    if method == "DELETE" {
        let id = parts.next().unwrap();
        assert_eq!(query, if kind == Kind::Container { "force=1&v=1" } else { "" });
        let before = state.objects.len();
        state.objects.retain(|object| object.kind != kind || object.id != id);
        return if state.objects.len() < before { (204, Value::Null) } else { (404, json!({ "message": "no such" })) };
    }
    assert_eq!(method, "GET");
    let filter = "filters=%7B%22label%22%3A%5B%22orco.stack%3D0123abcd%22%5D%7D";
    assert_eq!(query, if kind == Kind::Container { format!("all=1&{filter}") } else { filter.to_owned() });
    let wanted = LABEL.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let shown = state.objects.iter().filter(|object| object.kind == kind && (all || object.label == wanted));
    let shown: Vec<Value> = shown
        .map(|object| {
            let labels = object.label.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "Id": object.id, "Name": object.id, "Labels": Value::Object(labels) })
        })
        .collect();
    (200, if kind == Kind::Volume { json!({ "Volumes": shown, "Warnings": null }) } else { json!(shown) })
}
