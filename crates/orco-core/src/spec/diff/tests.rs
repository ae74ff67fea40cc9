#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::{Change, diff};
use crate::spec::{Amount, Check, HookAt, RetryLimit, ServiceBuilder, Stack};

fn base() -> ServiceBuilder {
    ServiceBuilder::process("api", ["./api"]).env("A", "1")
}

fn stack(services: impl IntoIterator<Item = ServiceBuilder>) -> Stack {
    Stack::builder("s").workdir("/srv").services(services).build().unwrap()
}

#[test]
fn what_each_field_means() {
    use Change::{InPlace, Replace, Same};
    type Edit = fn(ServiceBuilder) -> ServiceBuilder;
    let edits: [(&str, Edit, Change); 22] = [
        ("nothing", |s| s, Same),
        ("replicas", |s| s.replicas(2), InPlace(vec!["replicas"])),
        ("dependsOn", |s| s.depends_on("db"), InPlace(vec!["dependsOn"])),
        ("health", |s| s.health(Check::tcp("localhost:1")), InPlace(vec!["health"])),
        ("liveness", |s| s.liveness(Check::log("x")), InPlace(vec!["liveness"])),
        ("restartPolicy", |s| s.restart(|r| r.max_retries = RetryLimit::Unlimited), InPlace(vec!["restartPolicy"])),
        ("stop", |s| s.stop(2, Duration::from_secs(1)), InPlace(vec!["stop"])),
        ("update", |s| s.update(|u| u.max_unavailable = Amount::Count(1)), InPlace(vec!["update"])),
        ("two", |s| s.replicas(2).stop(2, Duration::ZERO), InPlace(vec!["replicas", "stop"])),
        ("command", |s| s.command(["./api", "-v"]), Replace),
        ("env", |s| s.env("A", "2"), Replace),
        ("env gone", |s| s.without_env("A"), Replace),
        ("env new", |s| s.env("B", ""), Replace),
        ("workdir", |s| s.workdir("sub"), Replace),
        ("user", |s| s.user("app"), Replace),
        ("inheritEnv", |s| s.inherit_env(false), Replace),
        ("kind", |s| s.daemon(), Replace),
        ("ports", |s| s.port("80"), Replace),
        ("secret", |s| s.secret("A"), Replace),
        ("hooks", |s| s.hook(HookAt::PreStop, ["x"]), Replace),
        ("hook's time", |s| s.hook_within(HookAt::PreStop, ["x"], Duration::ZERO), Replace),
        ("resources", |s| s.resources(|r| r.memory = Some(1)), Replace),
    ];
    let db = || ServiceBuilder::process("db", ["./db"]);
    let old = stack([base(), db()]);
    for (name, edit, expected) in edits {
        let new = stack([edit(base()), db()]);
        assert_eq!(diff(&old, &new), [("api".parse().unwrap(), expected), ("db".parse().unwrap(), Same)], "{name}");
    }
}

#[test]
fn comings_and_goings() {
    let one = stack([base(), ServiceBuilder::process("old", ["x"])]);
    let two = stack([ServiceBuilder::process("new", ["x"]), base()]);
    let changes: Vec<_> = diff(&one, &two).into_iter().map(|(name, change)| (name.to_string(), change)).collect();
    let named = |name: &str, change| (name.to_owned(), change);
    assert_eq!(changes, [named("new", Change::Added), named("api", Change::Same), named("old", Change::Removed)]);
}

/// A daemon of another build must find the same revision for the same service.
#[test]
fn revisions_are_stable() {
    let stack = stack([base()]);
    assert_eq!(stack.service("api").unwrap().revision.to_string(), "cf15db0ff2be");
}

/// Two lists that read the same when joined are not the same.
#[test]
fn revisions_tell_neighbours_apart() {
    let of = |service: ServiceBuilder| stack([service]).services()[0].revision;
    let process = |argv: &[&str]| ServiceBuilder::process("a", argv.to_vec());
    assert_ne!(of(process(&["x", "y z"])), of(process(&["x y", "z"])));
    assert_ne!(of(process(&["x"]).env("A", "BC")), of(process(&["x"]).env("AB", "C")));
    assert_ne!(of(process(&["x"]).env("A", "")), of(process(&["x"]).without_env("A")));
    assert_ne!(of(process(&["x"]).user("a")), of(process(&["x"]).volume("a")));
}
