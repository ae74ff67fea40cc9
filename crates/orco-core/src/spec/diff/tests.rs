#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::{Change, diff};
use crate::spec::{Amount, Check, HookAt, Network, PullPolicy, RetryLimit, ServiceBuilder, Stack};

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
    let edits: [(&str, Edit, Change); 23] = [
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
        ("logging", |s| s.logging(|l| l.max_file_count = Some(3)), InPlace(vec!["logging"])),
    ];
    let db = || ServiceBuilder::process("db", ["./db"]);
    let old = stack([base(), db()]);
    for (name, edit, expected) in edits {
        let new = stack([edit(base()), db()]);
        assert_eq!(diff(&old, &new), [("api".parse().unwrap(), expected), ("db".parse().unwrap(), Same)], "{name}");
    }
}

#[test]
fn what_each_field_of_containers_means() {
    use Change::{InPlace, Replace, Same};
    type Edit = fn(ServiceBuilder) -> ServiceBuilder;
    let edits: [(&str, Edit, Change); 19] = [
        ("nothing", |s| s.init(true).network("stack").pull_policy(PullPolicy::Missing), Same),
        ("pullPolicy", |s| s.pull_policy(PullPolicy::Always), InPlace(vec!["pullPolicy"])),
        ("allowDockerSocket", |s| s.allow_docker_socket(true), InPlace(vec!["allowDockerSocket"])),
        ("both", |s| s.pull_policy(PullPolicy::Never).replicas(2), InPlace(vec!["replicas", "pullPolicy"])),
        ("image", |s| s.image("acme/api:2"), Replace),
        ("entrypoint", |s| s.entrypoint(["./entry"]), Replace),
        ("workdir", |s| s.workdir("/app"), Replace),
        ("volumes", |s| s.volume("other:/data"), Replace),
        ("mode", |s| s.volume("data:/more:ro"), Replace),
        ("labels", |s| s.label("team", "shop"), Replace),
        ("network", |s| s.network(Network::Host), Replace),
        ("platform", |s| s.platform("linux/arm64"), Replace),
        ("init", |s| s.init(false), Replace),
        ("cpu", |s| s.cpu(500), Replace),
        ("memory", |s| s.memory(64 << 20), Replace),
        ("pids", |s| s.pids(64), Replace),
        ("ports", |s| s.port("80"), Replace),
        ("user", |s| s.user("app"), Replace),
        ("env", |s| s.env("A", "1"), Replace),
    ];
    let base = || ServiceBuilder::container("api", "acme/api:1");
    let old = stack([base()]);
    for (name, edit, expected) in edits {
        assert_eq!(diff(&old, &stack([edit(base())])), [("api".parse().unwrap(), expected)], "{name}");
    }
    let mounted = |text: &str| stack([base().volume(text)]);
    assert_eq!(diff(&mounted("data:/a"), &mounted("data:/a/:rw"))[0].1, Same);
    assert_eq!(diff(&mounted("data:/a"), &mounted("data:/a:ro"))[0].1, Replace);
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
    let service = ServiceBuilder::container("api", "acme/api:1").volume("data:/data:ro").network("front").pids(64);
    let stack = Stack::builder("s").workdir("/srv").service(service.init(false)).build().unwrap();
    assert_eq!(stack.service("api").unwrap().revision.to_string(), "f1fd3bbc7672");
}

/// Two lists that read the same when joined are not the same.
#[test]
fn revisions_tell_neighbours_apart() {
    let of = |service: ServiceBuilder| stack([service]).services()[0].revision;
    let process = |argv: &[&str]| ServiceBuilder::process("a", argv.to_vec());
    assert_ne!(of(process(&["x", "y z"])), of(process(&["x y", "z"])));
    assert_ne!(of(process(&["x"]).env("A", "BC")), of(process(&["x"]).env("AB", "C")));
    assert_ne!(of(process(&["x"]).env("A", "")), of(process(&["x"]).without_env("A")));
    let container = || ServiceBuilder::container("a", "x");
    assert_ne!(of(container().platform("init/false")), of(container().network("init").entrypoint(["false"])));
    assert_ne!(of(container().entrypoint(["x"])), of(container().container_workdir("/x").command(["x"])));
    assert_ne!(of(container().entrypoint([] as [&str; 0]).command(["x"])), of(container().command(["x"])));
}
