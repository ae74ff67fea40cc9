//! Numbers and words that the reader of files has checked already.

use super::{Finding, programs::checks};
use crate::spec::{Amount, ProbeSpec, Service, code, value::nearest, yaml::Path};

/// What most counts of the language may be.
const COUNT: (u64, u64) = (1, 1_000);
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH", "DELETE"];
const SOURCES: [&str; 2] = ["stdout", "stderr"];
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

pub(super) fn check(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let at = |keys: &[&str]| keys.iter().fold(path.clone(), |path, key| path.key(key));
    within(service.replicas.into(), COUNT, || at(&["replicas"]), findings);
    let (restart, update) = (&service.restart, &service.update);
    let codes =
        [("successExitCodes", &restart.success_exit_codes), ("noRestartExitCodes", &restart.no_restart_exit_codes)];
    for (key, codes) in codes {
        for code in codes {
            within(u64::try_from(*code).unwrap_or(u64::MAX), (0, 255), || at(&["restartPolicy", key]), findings);
        }
    }
    within(update.abort_after_failures.into(), COUNT, || at(&["update", "abortAfterFailures"]), findings);
    for (key, amount) in [("maxUnavailable", Some(update.max_unavailable)), ("maxSurge", update.max_surge)] {
        if let Some(Amount::Percent(percent)) = amount {
            within(percent.into(), (0, 100), || at(&["update", key]), findings);
        }
    }
    if let Some(canary) = update.canary {
        within(canary.replicas.into(), COUNT, || at(&["update", "canary", "replicas"]), findings);
        within(canary.weight.unwrap_or(0).into(), (0, 100), || at(&["update", "canary", "weight"]), findings);
    }
    for (key, health) in checks(service) {
        within(health.tally.success_threshold.into(), COUNT, || at(&[key, "successThreshold"]), findings);
        within(health.tally.failure_threshold.into(), COUNT, || at(&[key, "failureThreshold"]), findings);
        health.check.probes.iter().for_each(|spec| probe(spec, &at(&[key, spec.name()]), findings));
    }
    if let Some(pids) = service.resources.pids {
        within(pids, (1, 4_194_304), || at(&["resources", "pids"]), findings);
    }
    texts(service, path, findings);
}

fn within(number: u64, (low, high): (u64, u64), at: impl Fn() -> Path, findings: &mut Vec<Finding>) {
    if !(low..=high).contains(&number) {
        let message = format!("`{number}` is out of range: {low} to {high}");
        findings.push(Finding::error(code::OUT_OF_RANGE, at(), message));
    }
}

fn one_of(word: &str, words: &[&'static str], at: Path, findings: &mut Vec<Finding>) {
    if !words.contains(&word) {
        let finding = Finding::error(
            code::UNKNOWN_VALUE,
            at,
            format!("`{}` is not one of {}", word.escape_debug(), words.join(", ")),
        );
        findings.push(match nearest(word, words.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        });
    }
}

fn probe(spec: &ProbeSpec, path: &Path, findings: &mut Vec<Finding>) {
    match spec {
        ProbeSpec::Http { method, expect_status, .. } => {
            one_of(method, &METHODS, path.clone().key("method"), findings);
            for (low, high) in expect_status {
                if !(100..=599).contains(low) || !(*low..=599).contains(high) {
                    let message = format!("`{low}-{high}` is not a range of statuses");
                    findings.push(Finding::error(code::OUT_OF_RANGE, path.clone().key("expectStatus"), message));
                }
            }
        }
        ProbeSpec::Log { sources, levels, count, .. } => {
            sources.iter().for_each(|source| one_of(source, &SOURCES, path.clone().key("sources"), findings));
            levels.iter().for_each(|level| one_of(level, &LEVELS, path.clone().key("levels"), findings));
            within((*count).into(), (1, 1_000_000), || path.clone().key("count"), findings);
        }
        ProbeSpec::Tcp { .. } | ProbeSpec::Cmd { .. } | ProbeSpec::Custom { .. } => {}
    }
}

/// What the kernel could not take: it ends texts at the first NUL.
fn texts(service: &Service, path: &Path, findings: &mut Vec<Finding>) {
    let mut texts = vec![("runtime", service.runtime.as_str())];
    texts.extend(service.env.values().flatten().map(|value| ("env", value.as_str())));
    texts.extend(service.user.iter().map(|user| ("user", user.as_str())));
    texts.extend(service.entrypoint.iter().flatten().map(|word| ("entrypoint", word.as_str())));
    texts.extend(service.container_workdir.iter().map(|workdir| ("workdir", workdir.as_str())));
    texts.extend(service.labels.iter().flat_map(|(key, value)| [("labels", key.as_str()), ("labels", value.as_str())]));
    texts.extend(service.image.iter().map(|image| ("image", image.as_str())));
    let nul = |text: &&str| text.contains('\0');
    for (key, _) in texts.iter().filter(|(_, text)| nul(text)) {
        findings.push(Finding::error(code::NUL, path.clone().key(key), "a NUL character".to_owned()));
    }
    if service.workdir.as_os_str().as_encoded_bytes().contains(&0) {
        findings.push(Finding::error(code::NUL, path.clone().key("workdir"), "a NUL character".to_owned()));
    }
}
