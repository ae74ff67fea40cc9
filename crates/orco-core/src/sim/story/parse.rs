//! The words of stories.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    brain::samples,
    model::{Exit, Revision, ServiceName},
    sim::{Chance, ENGINES, Manner, Mood, Script, Spawn},
    spec::{
        Amount, Backoff, Check, Condition, Dependency, Health, Kind, OnFailure, Port, ProbeSpec, Protocol, Require,
        RetryLimit, Service, expr::Expr,
    },
};

/// `500ms`, `3s`, `2m`, `1h`.
pub(in crate::sim) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is no duration"))?;
    match unit {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        "h" => Ok(Duration::from_secs(number * 3600)),
        _ => Err(format!("`{text}` is no duration")),
    }
}

pub(super) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

pub(super) fn name(text: &str) -> Result<ServiceName, String> {
    ServiceName::new(text).map_err(|e| e.to_string())
}

/// `3`, `SIGKILL`, `oom`.
pub(super) fn exit(text: &str) -> Result<Exit, String> {
    Ok(match text {
        "SIGKILL" => Exit::Signal(9),
        "SIGSEGV" => Exit::Signal(11),
        "SIGTERM" => Exit::Signal(15),
        "oom" => Exit::Oom,
        code => Exit::Code(code.parse().map_err(|_| format!("`{code}` is no exit"))?),
    })
}

/// `kv`, `kv:started`, `kv:ready:restart`.
fn edge(text: &str) -> Result<Dependency, String> {
    let mut parts = text.split(':');
    let target = name(parts.next().unwrap_or_default())?;
    let mut edge = samples::need(target.as_str(), Require::Ready);
    for part in parts {
        match part {
            "exists" => edge.require = Require::Exists,
            "started" => edge.require = Require::Started,
            "ready" => edge.require = Require::Ready,
            "completed" => edge.require = Require::Completed,
            "restart" => edge.on_failure = OnFailure::Restart,
            "stop" => edge.on_failure = OnFailure::Stop,
            timeout => edge.timeout = duration(timeout)?,
        }
    }
    Ok(edge)
}

/// `every=2s grace=5s fail=3 pass=1 within=5m`, joined by commas.
fn check(text: &str) -> Result<Health, String> {
    let mut tally = samples::health().tally;
    for word in text.split(',').filter(|w| !w.is_empty()) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "every" => tally.interval = duration(value)?,
            "timeout" => tally.timeout = duration(value)?,
            "grace" => tally.grace_period = duration(value)?,
            "within" => tally.start_timeout = duration(value)?,
            "pass" => tally.success_threshold = number(value)?,
            "fail" => tally.failure_threshold = number(value)?,
            _ => return Err(format!("`{word}` says nothing of a check")),
        }
    }
    let probe = ProbeSpec::Custom { name: "fake".to_owned(), config: serde_json::Value::Null };
    Ok(Health { tally, check: std::sync::Arc::new(Check { probes: vec![probe], expression: Expr::Probe(0) }) })
}

/// A container engine's name.
pub(super) fn engine(text: &str) -> Result<&'static str, String> {
    ENGINES.into_iter().find(|name| *name == text).ok_or(format!("`{text}` is no container engine"))
}

/// `refuses`, `hangs`, `restarts`.
pub(super) fn manner(text: &str) -> Result<Manner, String> {
    match text {
        "refuses" => Ok(Manner::Refuses),
        "hangs" => Ok(Manner::Hangs),
        "restarts" => Ok(Manner::Restarts),
        _ => Err(format!("`{text}` is no way to be away")),
    }
}

/// `api x2 after kv,seed:completed health every=1s retries 3 backoff 1s..10s`.
pub(super) fn service(words: &[&str]) -> Result<Service, String> {
    let mut words = words.iter().copied();
    let title = name(words.next().unwrap_or_default())?;
    let mut s = samples::service(title.as_str());
    s.revision = Revision(Chance::part(title.as_str()));
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` wants a value"));
        match word {
            "in" => (s.image, s.runtime) = (Some("image".to_owned()), engine(value()?)?.to_owned()),
            "oneshot" => (s.kind, s.restart.condition) = (Kind::Oneshot, Condition::OnFailure),
            "daemon" => s.kind = Kind::Daemon,
            "after" => s.depends_on = value()?.split(',').map(edge).collect::<Result<_, _>>()?,
            "health" => s.health = Some(check("")?),
            "health:" => s.health = Some(check(value()?)?),
            "liveness:" => s.liveness = Some(check(value()?)?),
            "retries" => {
                let limit = value()?;
                s.restart.max_retries =
                    if limit == "unlimited" { RetryLimit::Unlimited } else { RetryLimit::Limited(number(limit)?) };
            }
            "restart" => {
                s.restart.condition = match value()? {
                    "never" => Condition::Never,
                    "on-failure" => Condition::OnFailure,
                    _ => Condition::Always,
                }
            }
            "backoff" => {
                let (min, max) = value()?.split_once("..").ok_or("a backoff is `min..max`")?;
                s.restart.backoff = Backoff { min: duration(min)?, max: duration(max)?, factor: 2.0 };
            }
            "reset" => s.restart.reset_after = duration(value()?)?,
            "grace" => s.stop.timeout = duration(value()?)?,
            "surge" => s.update.max_surge = Some(Amount::Count(number(value()?)?)),
            "unavailable" => s.update.max_unavailable = Amount::Count(number(value()?)?),
            "rev" => s.revision = Revision(Chance::part(title.as_str()) ^ u64::from(number(value()?)?) << 32),
            "port" => {
                let port = u16::try_from(number(value()?)?).map_err(|e| e.to_string())?;
                s.ports = vec![Port { ip: None, host: Some(port), target: port, protocol: Protocol::Tcp, name: None }];
            }
            times if times.starts_with('x') => s.replicas = number(&times[1..])?,
            _ => return Err(format!("`{word}` says nothing of a service")),
        }
    }
    Ok(s)
}

/// `api ready-after 2s`: what becomes of the service's next instances.
pub(super) fn script(script: &mut Script, words: &[&str]) -> Result<(), String> {
    match words {
        ["ready-after", after] => script.readiness = Mood::WellAfter(duration(after)?),
        ["never-ready"] => script.readiness = Mood::Sick,
        ["flaps", turn] => script.readiness = Mood::Flaps(duration(turn)?),
        ["alive-until", age] => script.liveness = Mood::WellUntil(duration(age)?),
        ["starts-in", after] => script.spawn = Spawn::Runs(duration(after)?),
        ["cannot-start"] => script.spawn = Spawn::Refused(Duration::from_millis(10)),
        ["start-unclear"] => {
            let born = Some(Duration::from_millis(5));
            script.spawn = Spawn::Unclear { after: Duration::from_millis(10), born };
        }
        ["exits-after", age, how] => script.end = Some((duration(age)?, exit(how)?)),
        ["stops-in", after] => script.stop = Some((duration(after)?, Exit::Signal(15))),
        ["ignores-stop"] => script.stop = None,
        _ => return Err(format!("`{}` becomes of nobody", words.join(" "))),
    }
    Ok(())
}

/// The services of the sample stack `demo`, in file order.
pub(super) fn demo() -> Result<BTreeMap<usize, Service>, String> {
    let lines = [
        "kv health: every=2s,grace=1s",
        "seed oneshot after kv",
        "api x2 after kv:ready,seed:completed health: every=1s,grace=1s",
        "web after api health: every=1s",
        "worker after kv:started",
    ];
    lines
        .iter()
        .map(|line| service(&line.split_whitespace().collect::<Vec<_>>()))
        .enumerate()
        .map(|(n, s)| Ok((n, s?)))
        .collect()
}
