//! Numbers that contradict each other.

use super::{Finding, of_service};
use crate::spec::{Amount, Kind, Service, Strategy, code, show_duration};

pub(super) fn check(service: &Service, findings: &mut Vec<Finding>) {
    let path = of_service(service.name.as_str());
    let backoff = service.restart.backoff;
    if backoff.min > backoff.max {
        let message = format!("min {} is above max {}", show_duration(backoff.min), show_duration(backoff.max));
        let at = path.clone().key("restartPolicy").key("backoff").key("min");
        findings.push(Finding::error(code::MIN_ABOVE_MAX, at, message).help("swap them"));
    }
    if !backoff.factor.is_finite() || backoff.factor < 1.0 {
        let message = match backoff.factor >= 1.0 {
            true => format!("factor {} has no end", backoff.factor),
            false => format!("factor {} is below 1: delays would shrink", backoff.factor),
        };
        let at = path.clone().key("restartPolicy").key("backoff").key("factor");
        findings.push(Finding::error(code::OUT_OF_RANGE, at, message).help("write 1 for equal delays"));
    }
    for (key, health) in super::programs::checks(service) {
        let times = [("interval", health.tally.interval), ("timeout", health.tally.timeout)];
        for (field, _) in times.into_iter().filter(|(_, time)| time.is_zero()) {
            let at = path.clone().key(key).key(field);
            let finding = Finding::error(code::OUT_OF_RANGE, at, format!("`{field}` of a check cannot be 0"));
            findings.push(finding.help("the shortest is `1ms`"));
        }
    }
    update(service, findings);
}

fn update(service: &Service, findings: &mut Vec<Finding>) {
    let (update, path) = (&service.update, of_service(service.name.as_str()).key("update"));
    let zero = |amount: Amount| matches!(amount, Amount::Count(0) | Amount::Percent(0));
    let surge = update.max_surge;
    if update.strategy == Strategy::BlueGreen {
        if surge.is_some_and(|surge| !zero(surge)) {
            let message = "`maxSurge` has no meaning beside `blueGreen`: it always starts a full second set".to_owned();
            let at = path.clone().key("maxSurge");
            findings.push(Finding::error(code::SURGE_BESIDE_BLUE_GREEN, at, message).help("remove `maxSurge`"));
        }
    } else if update.strategy != Strategy::Recreate && surge.is_some_and(zero) && zero(update.max_unavailable) {
        let message = "`maxSurge` and `maxUnavailable` are both 0: nothing could ever be replaced".to_owned();
        let finding = Finding::error(code::UPDATE_STUCK, path.clone().key("maxSurge"), message);
        findings.push(finding.help("raise one of them, or use `strategy: recreate`"));
    }
    if service.kind == Kind::Oneshot && matches!(update.strategy, Strategy::Canary | Strategy::BlueGreen) {
        let name = if update.strategy == Strategy::Canary { "canary" } else { "blueGreen" };
        let message = format!("a oneshot cannot be updated by `{name}`: it has no traffic and ends by itself");
        let finding = Finding::error(code::UPDATE_ON_ONESHOT, path.key("strategy"), message);
        findings.push(finding.help("use `strategy: recreate`"));
    }
}
