//! Why services did not become ready, with all that a test's reader needs.

use std::{collections::BTreeMap, fmt, time::Duration};

use orco_core::{
    engine::{Engine, Status, Why},
    log::{Query, Record, Store},
    model::{ServiceName, Verdict},
};
use serde::{Deserialize, Serialize};

/// So many of the last log lines are in a failure.
const LINES: u64 = 50;
/// So many of the last changes of a probe's verdict.
const VERDICTS: usize = 10;

/// Why services did not become ready: the service at the root of it, and its evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The stack.
    pub stack: String,
    /// The service that stands in the way of the others.
    pub service: String,
    /// Its state, and what it waits for or why it failed.
    pub message: String,
    /// How its last instance ended: exit code, signal, or want of memory.
    pub exit: Option<String>,
    /// What its probe said, each change with the time since the start; the last ones.
    pub probes: Vec<String>,
    /// Its last 50 log lines.
    pub log: Vec<String>,
    /// Which services wait for it.
    pub waiting: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.stack, self.service, self.message)?;
        if let Some(exit) = &self.exit {
            write!(f, "\n  last exit: {exit}")?;
        }
        if !self.waiting.is_empty() {
            write!(f, "\n  waiting for it: {}", self.waiting.join(", "))?;
        }
        for said in &self.probes {
            write!(f, "\n  probe {said}")?;
        }
        if self.log.is_empty() {
            return write!(f, "\n  it has printed nothing");
        }
        write!(f, "\n  its last {} lines:", self.log.len())?;
        self.log.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// What the probes have said since the start, as far as statuses show it.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<ServiceName, Vec<(Duration, u32, Verdict)>>);

impl History {
    /// Notes what has changed.
    pub(crate) fn note(&mut self, status: &Status, since_start: Duration) {
        for service in &status.snapshot.services {
            let Some((replica, verdict)) = &service.last_probe else { continue };
            let said = self.0.entry(service.name.clone()).or_default();
            if said.last().is_none_or(|(_, r, v)| (r, v) != (replica, verdict)) {
                said.push((since_start, *replica, verdict.clone()));
                let surplus = said.len().saturating_sub(VERDICTS);
                said.drain(..surplus);
            }
        }
    }

    fn of(&self, service: &ServiceName) -> Vec<String> {
        let all = self.0.get(service).into_iter().flatten();
        all.map(|(at, replica, verdict)| format!("of replica {replica} after {at:.1?}: {verdict}")).collect()
    }
}

/// What stands in the way of this service.
pub(crate) fn of_service(stack: &str, why: &Why, history: &History, store: &Store) -> Failure {
    let root = why.root();
    let mut waiting = Vec::new();
    let mut link = why;
    while !std::ptr::eq(link, root) {
        waiting.push(link.service.to_string());
        let Some(next) = link.because.first() else { break };
        link = next;
    }
    let message = match root.message.as_str() {
        "" => format!("is {}", root.state),
        message => format!("is {}: {message}", root.state),
    };
    Failure {
        stack: stack.to_owned(),
        service: root.service.to_string(),
        message,
        exit: root.exit.map(|ended| ended.exit.to_string()),
        probes: history.of(&root.service),
        log: tail(store, &root.service),
        waiting,
    }
}

/// What stands in the way when the time is over: the first service that is not there.
pub(crate) async fn late(engine: &Engine, stack: &str, within: Duration, history: &History, store: &Store) -> Failure {
    let over = format!("not ready within {within:?}");
    let status = engine.status().await;
    let first = status.as_deref().and_then(|status| {
        let missing =
            |s: &&orco_core::model::ServiceView| s.wanted && !s.ready && s.state != orco_core::model::State::Completed;
        status.snapshot.services.iter().find(missing).map(|s| s.name.clone())
    });
    let why = match &first {
        Some(service) => engine.why(service.as_str()).await,
        None => None,
    };
    match why {
        Some(why) => {
            let mut failure = of_service(stack, &why, history, store);
            failure.message = format!("{} ({over})", failure.message);
            failure
        }
        None => ended(stack, &over),
    }
}

/// There is no service to blame.
pub(crate) fn ended(stack: &str, message: &str) -> Failure {
    Failure {
        stack: stack.to_owned(),
        service: "the stack".to_owned(),
        message: message.to_owned(),
        exit: None,
        probes: Vec::new(),
        log: Vec::new(),
        waiting: Vec::new(),
    }
}

fn tail(store: &Store, service: &ServiceName) -> Vec<String> {
    let mut query = Query::default();
    query.services = vec![service.clone()];
    query.tail = Some(LINES);
    crate::logs::read(store, &query).unwrap_or_default().iter().map(line).collect()
}

fn line(record: &Record) -> String {
    format!("{} {}", record.source, orco_core::log::sanitize(&record.msg))
}
