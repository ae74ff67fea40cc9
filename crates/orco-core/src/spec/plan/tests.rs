#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::spec::{Need, OnFailure, ServiceBuilder};

fn process(name: &str) -> ServiceBuilder {
    ServiceBuilder::process(name, ["./run", name])
}

fn stack(services: impl IntoIterator<Item = ServiceBuilder>) -> Stack {
    Stack::builder("s").workdir("/srv").services(services).build().unwrap()
}

fn plan(old: &Stack, new: &Stack) -> Plan {
    Plan::new(old, new, &BTreeMap::new())
}

fn steps(plan: &Plan) -> Vec<String> {
    let because = |step: &PlanStep| step.because.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    plan.order.iter().map(|step| format!("{:?} {}{}", step.kind, step.service, because(step))).collect()
}

#[test]
fn the_same_stack_is_an_empty_plan() {
    let stack = stack([process("db"), process("api").depends_on("db")]);
    let plan = plan(&stack, &stack);
    assert!(plan.is_empty() && plan.order.is_empty());
    assert_eq!(plan.services.len(), 2);
}

#[test]
fn what_changes_of_the_stack_itself_is_told() {
    let old = stack([process("db")]);
    let new = Stack::builder("s").workdir("/srv").services([process("db")]);
    let new = new.logging(|logging| logging.max_total_size = Some(64 << 20)).build().unwrap();
    let plan = plan(&old, &new);
    assert_eq!((plan.stack.as_slice(), plan.services[0].fate), (&["logging"][..], Fate::Same));
    assert!(!plan.is_empty() && plan.order.is_empty());
}

/// Somebody scaled it meanwhile: applying the same file is not nothing.
#[test]
fn what_was_scaled_by_hand_goes_back() {
    let stack = stack([process("a").replicas(2)]);
    let plan = Plan::new(&stack, &stack, &BTreeMap::from([("a".parse().unwrap(), 5)]));
    let a = &plan.services[0];
    assert_eq!((a.fate, a.replicas, a.fields.as_slice()), (Fate::Changed, (5, 2), &["replicas"][..]));
    assert_eq!(steps(&plan), ["Scale a"]);
}

#[test]
fn why_a_service_is_replaced_without_telling_secrets() {
    let old = stack([process("a").env("TOKEN", "hush").env("GONE", "hush")]);
    let change = process("a").command(["./run", "-v"]).env("TOKEN", "psst").env("NEW", "psst").user("app");
    let new = stack([change.hook(crate::spec::HookAt::PreStop, ["x"]).port("80").stop(2, Duration::ZERO)]);
    let plan = plan(&old, &new);
    let why: Vec<_> = plan.services[0].why.iter().map(|reason| reason.field.as_str()).collect();
    assert_eq!(why, ["command", "user", "env.GONE", "env.NEW", "env.TOKEN", "hooks.preStop", "ports"]);
    assert_eq!(plan.services[0].fields, ["stop"]);
    let shown = format!("{plan:?}");
    assert!(shown.contains("./run -v") && !shown.contains("hush") && !shown.contains("psst"), "{shown}");
}

#[test]
fn secrets_in_commands_are_not_shown() {
    let service = |value: &str| {
        process("a").env("TOKEN", value).secret("TOKEN").command(["./run", "--token", value, "--url=https://x.invalid"])
    };
    let plan = plan(&stack([service("hush-hush-1")]), &stack([service("hush-hush-22")]));
    assert_eq!(plan.services[0].why[0].field, "command");
    let shown = format!("{plan:?}");
    assert!(shown.contains("./run --token ***") && !shown.contains("hush"), "{shown}");
}

/// Every field of a revision has a reason: what replaces is never left unexplained.
#[test]
fn each_replacing_field_has_its_name() {
    type Edit = fn(ServiceBuilder) -> ServiceBuilder;
    let edits: [(&str, Edit); 10] = [
        ("command", |s| s.command(["./run a"])),
        ("workdir", |s| s.workdir("sub")),
        ("user", |s| s.user("app")),
        ("env.A", |s| s.env("A", "")),
        ("env.A", |s| s.without_env("A")),
        ("inheritEnv", |s| s.inherit_env(false)),
        ("kind", |s| s.daemon()),
        ("ports", |s| s.port("80")),
        ("secret", |s| s.secret("S")),
        ("resources", |s| s.resources(|limits| limits.memory = Some(1))),
    ];
    let before = || process("a").env("S", "12345678");
    let old = stack([before()]);
    for (field, edit) in edits {
        let plan = plan(&old, &stack([edit(before())]));
        let why: Vec<_> = plan.services[0].why.iter().map(|reason| reason.field.as_str()).collect();
        assert_eq!((plan.services[0].fate, why), (Fate::Replaced, vec![field]));
    }
    let edits: [(&str, Edit); 13] = [
        ("image", |s| s.image("b")),
        ("entrypoint", |s| s.entrypoint(["a b"])),
        ("entrypoint", |s| s.entrypoint([] as [&str; 0])),
        ("workdir", |s| s.workdir("/app")),
        ("volumes", |s| s.volume("a:/b")),
        ("labels", |s| s.label("a", "b")),
        ("network", |s| s.network("front")),
        ("platform", |s| s.platform("linux/arm64")),
        ("init", |s| s.init(false)),
        ("resources", |s| s.cpu(1)),
        ("resources", |s| s.memory(64 << 20)),
        ("resources", |s| s.pids(1)),
        ("env.A", |s| s.without_env("A")),
    ];
    let container = || ServiceBuilder::container("a", "a").command(["x"]);
    let old = stack([container()]);
    for (field, edit) in edits {
        let plan = plan(&old, &stack([edit(container())]));
        let why: Vec<_> = plan.services[0].why.iter().map(|reason| reason.field.as_str()).collect();
        assert_eq!((plan.services[0].fate, why), (Fate::Replaced, vec![field]));
    }
}

#[test]
fn the_order_of_things() {
    let on = |target: &str, then| Need::new(target).on_failure(then);
    let old = stack([
        process("db"),
        process("cache"),
        process("gone").depends_on("deep"),
        process("deep"),
        process("used"),
        process("api").depends_on(on("db", OnFailure::Restart)).depends_on("used"),
        process("web").depends_on(on("api", OnFailure::Restart)),
        process("batch").depends_on(on("db", OnFailure::Stop)),
        process("calm").depends_on("db"),
        process("many").depends_on("cache"),
    ]);
    let new = stack([
        process("db").env("A", "1"),
        process("cache"),
        process("api").depends_on(on("db", OnFailure::Restart)).env("A", "1"),
        process("web").depends_on(on("api", OnFailure::Restart)),
        process("batch").depends_on(on("db", OnFailure::Stop)),
        process("calm").depends_on("db"),
        process("many").depends_on("cache").replicas(3),
        process("new").depends_on("api"),
    ]);
    assert_eq!(
        steps(&plan(&old, &new)),
        [
            "Stop gone",
            "Stop deep",
            "Replace db",
            "Replace api",
            "Stop batch for db",
            "Scale many",
            "Restart web for api",
            "Start new",
            "Stop used",
        ]
    );
}

/// With a replica that may be missing, the service stays ready, and nobody above it is restarted.
#[test]
fn what_stays_ready_restarts_nobody() {
    let of = |missing, value: &str| {
        let db = process("db").replicas(2).env("A", value).update(|update| update.max_unavailable = missing);
        stack([db, process("api").depends_on(Need::new("db").on_failure(OnFailure::Restart))])
    };
    use crate::spec::Amount::{Count, Percent};
    for (missing, expected) in [(Count(0), 2), (Count(1), 1), (Percent(49), 2), (Percent(50), 1)] {
        assert_eq!(plan(&of(missing, "1"), &of(missing, "2")).order.len(), expected, "{missing:?}");
    }
}
