//! What the fake engine answers.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::canned;

/// An answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with this; see also [`canned`].
    Json(Value),
    /// This status with this body.
    Body(u16, Vec<u8>),
    /// This status with `{"message": …}`.
    Refuse(u16, String),
    /// Nothing, for ever; the connection stays open.
    Hang,
    /// This, but later.
    After(Duration, Box<Answer>),
    /// The connection is closed without an answer.
    Drop,
    /// An answer whose promised length does not come.
    Short(Value),
    /// A chunked answer, piece by piece; its end is proper unless the last piece is [`Piece::Cut`] or
    /// [`Piece::Open`].
    Stream(Vec<Piece>),
    /// 101: from then on it sends back what it gets, framed as standard output, until the client closes its side.
    Echo,
}

/// A part of a stream.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes, as one chunk.
    Bytes(Vec<u8>),
    /// Nothing for a while.
    Pause(Duration),
    /// The connection breaks.
    Cut,
    /// Nothing more, but it stays open.
    Open,
}

impl Answer {
    /// A refusal.
    pub fn refuse(status: u16, message: &str) -> Self {
        Self::Refuse(status, message.to_owned())
    }
}

impl Piece {
    /// A JSON object on a line of its own.
    pub fn line(value: &Value) -> Self {
        Self::Bytes(format!("{value}\n").into_bytes())
    }

    /// Output of a container: stream 1 or 2.
    pub fn output(stream: u8, bytes: &[u8]) -> Self {
        Self::Bytes(frame(stream, bytes))
    }
}

/// Output as the engine frames it.
pub fn frame(stream: u8, bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![stream, 0, 0, 0];
    frame.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    frame.extend(bytes);
    frame
}

struct Rule {
    pattern: String,
    answer: Answer,
    once: bool,
}

/// Everything that is known and recorded.
#[derive(Default)]
pub struct Script {
    inner: Mutex<Inner>,
    open: AtomicUsize,
}

struct Inner {
    min: String,
    max: String,
    rules: Vec<Rule>,
    requests: Vec<(String, String)>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { min: "1.24".into(), max: "1.41".into(), rules: Vec::new(), requests: Vec::new() }
    }
}

impl Script {
    pub fn speaks(&self, min: &str, max: &str) {
        let mut inner = self.inner.lock().unwrap();
        (inner.min, inner.max) = (min.to_owned(), max.to_owned());
    }

    pub fn add(&self, pattern: &str, answer: Answer, once: bool) {
        self.inner.lock().unwrap().rules.push(Rule { pattern: pattern.to_owned(), answer, once });
    }

    pub fn requests(&self) -> Vec<(String, String)> {
        self.inner.lock().unwrap().requests.clone()
    }

    pub fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// One more connection, for as long as the guard lives.
    pub fn opened(&self) -> impl Drop + '_ {
        struct Guard<'a>(&'a AtomicUsize);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::AcqRel);
            }
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        Guard(&self.open)
    }

    /// Records the request and finds its answer.
    pub fn answer(&self, method: &str, target: &str, body: String) -> Answer {
        let mut inner = self.inner.lock().unwrap();
        inner.requests.push((format!("{method} {target}"), body));
        let path = target.split('?').next().unwrap_or_default();
        let path = match path.strip_prefix("/v").and_then(|rest| rest.split_once('/')) {
            Some((version, rest)) => {
                if let Some(refusal) = inner.refuses(version) {
                    return Answer::Refuse(400, refusal);
                }
                format!("/{rest}")
            }
            None => path.to_owned(),
        };
        let asked = format!("{method} {path}");
        // Rules for one time go first, the oldest before the others; of the lasting ones the latest wins.
        let once = inner.rules.iter().position(|rule| rule.once && fits(&rule.pattern, &asked));
        if let Some(at) = once {
            return inner.rules.remove(at).answer;
        }
        let lasting = inner.rules.iter().rev().find(|rule| fits(&rule.pattern, &asked));
        lasting.map_or_else(|| inner.by_default(&asked), |rule| rule.answer.clone())
    }
}

impl Inner {
    /// As moby's `versionMiddleware`.
    fn refuses(&self, version: &str) -> Option<String> {
        if number(version) > number(&self.max) {
            let max = &self.max;
            return Some(format!("client version {version} is too new. Maximum supported API version is {max}"));
        }
        (number(version) < number(&self.min)).then(|| {
            let min = &self.min;
            format!(
                "client version {version} is too old. Minimum supported API version is {min}, please upgrade your \
                 client to a newer version"
            )
        })
    }

    fn by_default(&self, asked: &str) -> Answer {
        match asked {
            "GET /_ping" | "HEAD /_ping" => Answer::Body(200, b"OK".to_vec()),
            "GET /version" => Answer::Json(canned::version(&self.min, &self.max)),
            "GET /info" => Answer::Json(canned::info(&[])),
            "GET /containers/json" | "GET /networks" | "GET /images/json" => Answer::Json(json!([])),
            "GET /events" => Answer::Stream(vec![Piece::Open]),
            _ => Answer::refuse(404, "page not found"),
        }
    }
}

fn number(version: &str) -> (u32, u32) {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

fn fits(pattern: &str, asked: &str) -> bool {
    let (pattern, asked): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), asked.split('/').collect());
    pattern.len() == asked.len() && pattern.iter().zip(&asked).all(|(p, a)| *p == "*" || p == a)
}
