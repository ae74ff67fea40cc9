//! What an apply changes.

use std::fmt::Write;

use orco_api::wire::{Change, Plan, PlanService, PlanStep, Reason, Step};

use super::{Ink, Paint, printable};

/// One line for each service that changes, how many do not, and what happens in which order.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    if !plan.stack.is_empty() {
        let _ = writeln!(text, "{} the stack: changed in place: {}", paint.ink(Ink::Busy, "~"), plan.stack.join(", "));
    }
    for service in &plan.services {
        let (mark, ink, what) = match service.change {
            Change::Same => continue,
            Change::Added => ("+", Ink::Good, added(service)),
            Change::Removed => ("-", Ink::Bad, "removed".to_owned()),
            Change::Replaced => ("±", Ink::Busy, replaced(service)),
            _ => ("~", Ink::Busy, format!("changed in place: {}", fields(service))),
        };
        let _ = writeln!(text, "{} {}: {}", paint.ink(ink, mark), service.service, printable(&what));
    }
    let same = plan.services.iter().filter(|service| service.change == Change::Same).count();
    if same > 0 || plan.services.is_empty() {
        let _ = writeln!(text, "{} {same} unchanged", paint.ink(Ink::Faint, "="));
    }
    if !plan.order.is_empty() {
        let _ = writeln!(text, "\n{}", paint.ink(Ink::Strong, "in this order:"));
        for one in &plan.order {
            let _ = writeln!(text, "  {}", step(one));
        }
    }
    text
}

fn added(service: &PlanService) -> String {
    match service.replicas.to {
        1 => "added".to_owned(),
        count => format!("added, {count} replicas"),
    }
}

fn fields(service: &PlanService) -> String {
    let one = |field: &String| match field.as_str() {
        "replicas" => format!("replicas {} -> {}", service.replicas.from, service.replicas.to),
        field => field.to_owned(),
    };
    service.fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn replaced(service: &PlanService) -> String {
    let why = |reason: &Reason| match (&reason.from, &reason.to) {
        (Some(from), Some(to)) => format!("{} `{from}` -> `{to}`", reason.field),
        _ => reason.field.clone(),
    };
    let why = service.why.iter().map(why).collect::<Vec<_>>().join(", ");
    match service.fields.is_empty() {
        true => format!("replaced: {why}"),
        false => format!("replaced: {why}; also: {}", fields(service)),
    }
}

fn step(step: &PlanStep) -> String {
    let name = &step.service;
    match (step.step, &step.because) {
        (Step::Start, _) => format!("start {name}"),
        (Step::Replace, _) => format!("replace {name}"),
        (Step::Scale, _) => format!("scale {name}"),
        (Step::Stop, Some(because)) => format!("stop {name}: its dependency {because} is not ready meanwhile"),
        (Step::Stop, None) => format!("stop {name}"),
        (Step::Restart, Some(because)) => format!("restart {name}: its dependency {because} is not ready meanwhile"),
        _ => format!("restart {name}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{from_value, json};

    use super::*;

    fn sample() -> Plan {
        let service = |name: &str, change: &str, fields: &[&str], replicas: (u32, u32)| {
            json!({"service": name, "change": change, "fields": fields, "why": [],
                   "replicas": {"from": replicas.0, "to": replicas.1}})
        };
        let mut db = service("db", "replaced", &["stop"], (1, 1));
        db["why"] = json!([{"field": "command", "from": "./db", "to": "./db \u{1b}[2J"}, {"field": "env.LOG", "from": null, "to": null}]);
        from_value(json!({
            "stack": ["logging"],
            "services": [
                db, service("api", "changed", &["replicas", "health"], (2, 3)), service("web", "same", &[], (1, 1)),
                service("calm", "same", &[], (1, 1)), service("worker", "added", &[], (0, 2)), service("old", "removed", &[], (1, 0)),
            ],
            "order": [
                {"step": "stop", "service": "old", "because": null}, {"step": "replace", "service": "db", "because": null},
                {"step": "restart", "service": "web", "because": "db"}, {"step": "scale", "service": "api", "because": null},
                {"step": "start", "service": "worker", "because": null},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn everything_that_may_change() {
        insta::assert_snapshot!(plan(&sample(), Paint(false)));
    }

    #[test]
    fn nothing_changes() {
        let mut nothing = sample();
        nothing.order.clear();
        nothing.stack.clear();
        nothing.services.retain(|service| service.change == Change::Same);
        assert_eq!(plan(&nothing, Paint(false)), "= 2 unchanged\n");
    }

    #[test]
    fn colour_only_adds_escapes() {
        let coloured = plan(&sample(), Paint(true));
        assert!(coloured.contains("\x1b["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plan(&sample(), Paint(false)));
    }
}
