#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, time::Duration};

use super::*;
use crate::spec::{Check, Kind, Known, Network, PullPolicy, Require, Severity, Stack, code};

fn process(name: &str) -> ServiceBuilder {
    ServiceBuilder::process(name, ["./run"])
}

fn container() -> ServiceBuilder {
    ServiceBuilder::container("a", "acme/a")
}

/// The same rules as for files: each mistake has the code that it has there.
#[test]
fn mistakes() {
    let with = |service: ServiceBuilder| Stack::builder("s").service(service);
    let stacks: Vec<(&str, Builder)> = vec![
        (code::NO_SERVICES, Stack::builder("s")),
        (code::BAD_NAME, Stack::builder("No Name").service(process("a"))),
        (code::BAD_NAME, with(process("A"))),
        (code::BAD_NAME, with(process("a").depends_on("B C"))),
        (code::DUPLICATE_KEY, with(process("a")).service(process("a"))),
        (code::BAD_PORT, with(process("a").port("80:"))),
        (code::NO_COMMAND, with(ServiceBuilder::new("a", "process"))),
        (code::BAD_COMMAND, with(ServiceBuilder::process("a", [""]))),
        (code::BAD_COMMAND, with(process("a").hook(HookAt::PreStart, [] as [&str; 0]))),
        (code::NUL, with(ServiceBuilder::process("a", ["a\0b"]))),
        (code::BAD_VARIABLE_NAME, with(process("a").env("A=B", ""))),
        (code::OUT_OF_RANGE, with(process("a").replicas(0))),
        (code::OUT_OF_RANGE, with(process("a").health(Check::tcp("localhost:1").interval(Duration::ZERO)))),
        (code::OUT_OF_RANGE, with(process("a").health(Check::tcp("localhost:1").thresholds(0, 1)))),
        (code::OUT_OF_RANGE, with(process("a").backoff(Duration::ZERO, Duration::ZERO, 0.5))),
        (code::OUT_OF_RANGE, with(process("a").backoff(Duration::ZERO, Duration::ZERO, f64::NAN))),
        (code::MIN_ABOVE_MAX, with(process("a").backoff(Duration::from_secs(2), Duration::from_secs(1), 1.0))),
        (code::UNKNOWN_SIGNAL, with(process("a").stop(99, Duration::ZERO))),
        (code::BAD_ADDRESS, with(process("a").health(Check::http("localhost/x")))),
        (code::BAD_REGEX, with(process("a").health(Check::log("(")))),
        (code::BAD_EXPRESSION, with(process("a").health(Check::log("x").expression("http")))),
        (code::UNKNOWN_DEPENDENCY, with(process("a").depends_on("b"))),
        (code::CYCLE, with(process("a").depends_on("b")).service(process("b").depends_on("a"))),
        (code::NEVER_COMPLETES, with(process("a").depends_on(Need::completed("b"))).service(process("b"))),
        (code::HOST_PORT_REPLICAS, with(process("a").port("80:80").replicas(2))),
        (code::ENDPOINT_NOT_DEPENDENCY, with(process("a").env("B", "${endpoint.b}")).service(process("b"))),
        (code::BAD_VOLUME, with(container().volume("./data"))),
        (code::DUPLICATE_MOUNT, with(container().volume("a:/data").volume("b:/data/"))),
        (code::ENGINE_SOCKET, with(container().volume("/var/run/docker.sock:/sock"))),
        (code::RESERVED_LABEL, with(container().label("orco.stack", "x"))),
        (code::RELATIVE_WORKDIR, with(container().workdir("app"))),
        (code::RELATIVE_WORKDIR, with(container().container_workdir("app"))),
        (code::BAD_PLATFORM, with(container().platform("arm"))),
        (code::BAD_NAME, with(container().network("a b"))),
        (code::BAD_COMMAND, with(container().entrypoint([""]))),
        (code::NO_COMMAND, with(container().entrypoint([] as [&str; 0]))),
        (code::NO_COMMAND, with(ServiceBuilder::new("a", "podman"))),
        (code::NO_IMAGE, with(ServiceBuilder::new("a", "podman").command(["x"]))),
        (code::NO_IMAGE, with(ServiceBuilder::new("a", "custom").command(["x"]).pull_policy(PullPolicy::Always))),
        (code::NUL, with(container().label("a", "\0"))),
        (code::NUL, with(container().entrypoint(["\0"]))),
        (code::BAD_VOLUME, with(container().volume("./\0:/data"))),
        (code::BAD_VOLUME, with(container().volume("./data:/data")).workdir(OsStr::from_bytes(b"/srv/\xff"))),
        (code::OUT_OF_RANGE, with(container().memory(1))),
        (code::OUT_OF_RANGE, with(container().pids(0))),
        (code::MIN_ABOVE_MAX, with(container().memory(8 << 20).resources(|r| r.memory_reservation = Some(9 << 20)))),
        (code::PROCESS_ONLY, with(container().inherit_env(true))),
        (code::HOST_PORT_MAPPING, with(container().network(Network::Host).port("8080:80"))),
        (code::HOST_PORT_REPLICAS, with(container().port("8080:80").replicas(2))),
        (code::CONFLICTING_KEYS, with(container().network(Network::None).port("80"))),
        (code::CONTAINER_ONLY, with(process("a").image("x"))),
        (code::CONTAINER_ONLY, with(process("a").entrypoint(["x"]))),
        (code::CONTAINER_ONLY, with(process("a").container_workdir("/x"))),
        (code::CONTAINER_ONLY, with(process("a").volume("a:/b"))),
        (code::CONTAINER_ONLY, with(process("a").label("a", "b"))),
        (code::CONTAINER_ONLY, with(process("a").network("front"))),
        (code::CONTAINER_ONLY, with(process("a").pull_policy(PullPolicy::Never))),
        (code::CONTAINER_ONLY, with(process("a").platform("linux/amd64"))),
        (code::CONTAINER_ONLY, with(process("a").init(false))),
        (code::CONTAINER_ONLY, with(process("a").allow_docker_socket(true))),
        (code::UNKNOWN_RUNTIME, with(ServiceBuilder::new("a", "nope")).known(Known::new(["process"], ["tcp"]))),
        (code::UNKNOWN_PROBE, with(process("a").health(Check::log("x"))).known(Known::new(["process"], ["tcp"]))),
    ];
    for (code, stack) in stacks {
        let shown = format!("{stack:?}");
        let invalid = stack.build().expect_err(&shown);
        let codes: Vec<_> = invalid.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [code], "{invalid}");
    }
}

#[test]
fn all_mistakes_at_once() {
    let stack = Stack::builder("s").service(process("a").depends_on("bb").replicas(0)).service(process("b").port("x"));
    assert_eq!(
        stack.build().unwrap_err().to_string(),
        "invalid stack: `0` is out of range: 1 to 1000 (at `services.a.replicas`), `x` is not a port \
         (at `services.b.ports[0]`); a port is 1 to 65535, unknown dependency `bb` \
         (at `services.a.dependsOn[0].target`); did you mean `b`?"
    );
}

#[test]
fn what_was_said_arrives() {
    let stack = Stack::builder("s")
        .workdir("/srv")
        .service(process("db").oneshot().workdir("db"))
        .service(
            ServiceBuilder::new("api", "custom")
                .depends_on(Need::completed("db").timeout(Duration::from_secs(7)))
                .health(Check::http("http://localhost:${port}/").and_log("up").expression("http or log"))
                .named_port("admin", "9000:9000/http"),
        )
        .build()
        .unwrap();
    let api = stack.service("api").unwrap();
    assert_eq!((api.runtime.as_str(), &api.command, api.workdir.to_str()), ("custom", &None, Some("/srv")));
    assert_eq!(api.depends_on[0].require, Require::Completed);
    assert_eq!(api.ports[0].name.as_deref(), Some("admin"));
    assert!(api.uses_own_port());
    assert_eq!(api.health.as_ref().unwrap().check.probes.len(), 2);
    let db = stack.service("db").unwrap();
    assert_eq!((db.kind, db.workdir.to_str()), (Kind::Oneshot, Some("/srv/db")));
    assert_eq!(db.restart.condition, crate::spec::Condition::OnFailure);
}

/// What is relative is so to the stack's folder; what is inside a container, to nothing.
#[test]
fn containers_and_what_surrounds_them() {
    let stack = Stack::builder("s")
        .workdir("/srv/shop")
        .service(
            container()
                .workdir("/app")
                .volume("./data/../conf:/etc//conf/:ro")
                .volume("cache:/cache:rw")
                .volume("/scratch")
                .volume("/run/docker.sock:/sock"),
        )
        .service(ServiceBuilder::new("vm", "qemu").image("disk"))
        .service(ServiceBuilder::new("job", "qemu").command(["x"]).workdir("job"))
        .service(process("p").resources(|limits| limits.memory = Some(1)))
        .known(Known::anything());
    let invalid = stack.clone().build().unwrap_err();
    assert_eq!(invalid.diagnostics.iter().filter(|d| d.severity == Severity::Error).count(), 1, "{invalid}");
    let allowed = Stack::builder("s").workdir("/srv/shop");
    let service = container().workdir("/app").volume("./data/../conf:/etc//conf/:ro").volume("cache:/cache:rw");
    let allowed = allowed
        .service(service.volume("/scratch").volume("/run/docker.sock:/sock").allow_docker_socket(true))
        .service(ServiceBuilder::new("vm", "qemu").image("disk"))
        .service(ServiceBuilder::new("job", "qemu").command(["x"]).workdir("job"))
        .service(process("p").resources(|limits| limits.memory = Some(1)))
        .build()
        .unwrap();
    let notes: Vec<_> = allowed.notes().iter().map(|note| (note.severity, note.code)).collect();
    assert_eq!(notes, [(Severity::Warning, code::ENGINE_SOCKET), (Severity::Warning, code::NO_EFFECT_YET)]);
    let a = allowed.service("a").unwrap();
    assert_eq!((a.container_workdir.as_deref(), a.workdir.to_str()), (Some("/app"), Some("/srv/shop")));
    assert!(a.is_container() && !a.inherit_env && a.init);
    let volumes: Vec<_> = a.volumes.iter().map(ToString::to_string).collect();
    assert_eq!(volumes, ["/srv/shop/conf:/etc/conf:ro", "cache:/cache", "/scratch", "/run/docker.sock:/sock"]);
    let job = allowed.service("job").unwrap();
    assert!(allowed.service("vm").unwrap().is_container() && !job.is_container());
    assert_eq!((job.workdir.to_str(), &job.container_workdir), (Some("/srv/shop/job"), &None));
}

/// A probe of an instance has its own values everywhere a variable may stand.
#[test]
fn probes_are_filled() {
    let check = Check::http("http://localhost:${port}/")
        .and_tcp("${endpoint.db}")
        .and(Check::cmd(["check", "${replica}", "$$x"]))
        .and(Check::custom("grpc", serde_json::json!({ "a": ["${service}", 1], "b": { "c": "${port}" } })))
        .and_log("up on $$");
    let stack = Stack::builder("s")
        .service(process("db"))
        .service(process("a").depends_on("db").health(check))
        .build()
        .unwrap();
    let value = |var: &crate::spec::vars::InstanceVar| Ok::<_, ()>(format!("<{var}>").replace(['$', '{', '}'], ""));
    let health = stack.service("a").unwrap().health.clone().unwrap();
    let filled: Vec<_> =
        health.check.probes.iter().map(|probe| format!("{:?}", probe.filled(&value).unwrap())).collect();
    for (probe, text) in [
        (0, "http://localhost:<port>/"),
        (1, "<endpoint.db>"),
        (2, "[\"check\", \"<replica>\", \"$x\"]"),
        (3, "[String(\"<service>\"), Number(1)]"),
        (3, "String(\"<port>\")"),
        (4, "up on $$"),
    ] {
        assert!(filled[probe].contains(text), "{}", filled[probe]);
    }
}
