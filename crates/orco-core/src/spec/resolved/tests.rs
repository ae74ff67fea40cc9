#![allow(clippy::unwrap_used)]

use std::{os::unix::ffi::OsStringExt as _, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::FORMAT;
use crate::{
    brain,
    model::Revision,
    sim,
    spec::{
        Amount, BlueGreen, Canary, Check, Condition, HookAt, Known, Need, OnFailure, PullPolicy, Require, RetryLimit,
        Service, ServiceBuilder, Stack, Strategy as Update, code,
    },
};

/// One stack in which every field of the model is another than its default somewhere.
fn everything() -> Stack {
    let db = ServiceBuilder::container("db", "postgres:17")
        .port("5432")
        .named_port("web", "127.0.0.1:8080:80/http")
        .entrypoint(["/entry", "--now"])
        .container_workdir("/srv")
        .volume("data:/data")
        .volume("./conf:/etc/conf:ro")
        .volume("/scratch")
        .label("a", "b")
        .network("front")
        .pull_policy(PullPolicy::Always)
        .platform("linux/arm64")
        .init(false)
        .allow_docker_socket(true)
        .memory(64 << 20)
        .pids(64);
    around(db)
}

/// The same as the first version could say it.
fn everything_at_first() -> Stack {
    let db = ServiceBuilder::container("db", "postgres:17")
        .port("5432")
        .named_port("web", "127.0.0.1:8080:80/http")
        .volume("data:/data")
        .label("a", "b");
    let stack = around(db);
    // It said of containers too that they inherit variables.
    let services = stack.services().iter().map(|service| {
        let mut service = Service::clone(service);
        service.inherit_env |= service.is_container();
        service.revision = service.computed_revision();
        service.into()
    });
    Stack::assume_valid(stack.name().clone(), stack.workdir().to_owned(), services.collect(), Vec::new())
}

fn around(db: ServiceBuilder) -> Stack {
    let check = Check::http("http://localhost:${port}/health")
        .and_log("listening")
        .and(Check::cmd(["check", "${replica}"]))
        .and(Check::custom("grpc", json!({ "a": [1, 2.5, null, true], "b": { "c": "x" } })))
        .expression("(http || log) && !(cmd && grpc)")
        .interval(Duration::from_millis(1500))
        .timeout(Duration::from_micros(1500))
        .thresholds(2, 4);
    let api = ServiceBuilder::process("api", ["./api", "--port", "${port}", "$$"])
        .daemon()
        .workdir("api")
        .user("app")
        .env("A", "1")
        .env("DB", "${endpoint.db}")
        .without_env("GONE")
        .inherit_env(false)
        .secret("A")
        .replicas(3)
        .depends_on(Need::new("db").require(Require::Started).on_failure(OnFailure::Restart))
        .depends_on(Need::completed("seed").timeout(Duration::from_secs(7)))
        .health(check)
        .liveness(Check::tcp("localhost:${port}").and_tcp("localhost:1"))
        .restart(|restart| {
            restart.condition = Condition::Never;
            restart.max_retries = RetryLimit::Unlimited;
            restart.reset_after = Duration::from_secs(90);
            restart.success_exit_codes = vec![0, 3];
            restart.no_restart_exit_codes = vec![64];
        })
        .backoff(Duration::from_millis(100), Duration::from_secs(60), 1.1)
        .stop(2, Duration::from_secs(86_400))
        .hook(HookAt::PreStart, ["a"])
        .hook(HookAt::PostStart, ["b"])
        .hook(HookAt::PreStop, ["c", "d"])
        .hook_within(HookAt::PostStop, ["e"], Duration::from_secs(1))
        .resources(|limits| {
            limits.cpu_millis = Some(500);
            limits.memory = Some(1 << 40);
            limits.memory_reservation = Some(1);
        })
        .update(|update| {
            update.strategy = Update::Canary;
            update.max_unavailable = Amount::Percent(25);
            update.max_surge = Some(Amount::Count(2));
            update.min_ready = Duration::from_secs(1);
            update.progress_deadline = Duration::from_secs(2);
            update.promote_after = Some(Duration::from_secs(3));
            update.abort_after_failures = 4;
            update.observation_window = Some(Duration::from_secs(5));
            update.canary = Some(Canary { replicas: 2, weight: Some(10) });
            update.blue_green = Some(BlueGreen::default());
        });
    let seed = ServiceBuilder::process("seed", ["./seed"]).oneshot();
    Stack::builder("everything").workdir("/srv/shop").services([db, seed, api]).build().unwrap()
}

/// The same name, folder and services, revisions among them.
fn assert_same(one: &Stack, other: &Stack) {
    assert_eq!((one.name(), one.workdir()), (other.name(), other.workdir()));
    assert_eq!(one.services(), other.services());
}

/// Each version's document stays readable. When the format changes, this file stays and another is added.
#[test]
fn the_first_format_stays_readable() {
    let golden = include_str!("golden-1.json");
    let stack = everything_at_first();
    assert_same(&Stack::from_json(golden.as_bytes()).unwrap(), &stack);
    assert_same(&Stack::read_resolved(golden.as_bytes(), &Known::anything()).unwrap(), &stack);
}

/// As it was written once there were containers: the same format with more fields.
#[test]
fn the_format_with_containers_stays_readable() {
    let golden = include_str!("golden-2.json");
    let stack = everything();
    assert_same(&Stack::from_json(golden.as_bytes()).unwrap(), &stack);
    assert_same(&Stack::read_resolved(golden.as_bytes(), &Known::anything()).unwrap(), &stack);
}

/// As it is written now: with what is masked.
#[test]
fn the_format_with_masks_stays_readable() {
    let golden = include_str!("golden-3.json");
    let mut services: Vec<Service> = everything().services().iter().map(|s| Service::clone(s)).collect();
    services[0].mask_secrets = false;
    services[1].env_from_file = ["A".to_owned(), "B".to_owned()].into();
    let services = services.into_iter().map(std::sync::Arc::new).collect();
    let stack =
        Stack::assume_valid(everything().name().clone(), everything().workdir().to_owned(), services, Vec::new());
    assert_same(&Stack::from_json(golden.as_bytes()).unwrap(), &stack);
    let written: Value = serde_json::from_slice(&stack.to_json()).unwrap();
    assert_eq!(serde_json::to_string_pretty(&written).unwrap().trim(), golden.trim());
}

/// What is kept of the output: a stack that says nothing is written as before.
#[test]
fn logging_comes_back_and_is_held_to_the_rules() {
    let stack = Stack::builder("s")
        .workdir("/srv")
        .logging(|l| {
            l.directory = Some(std::ffi::OsString::from_vec(b"/var/\xff".to_vec()).into());
            l.max_file_age = Some(Duration::from_secs(7 * 86_400));
            l.max_total_size = Some(1 << 30);
        })
        .service(ServiceBuilder::process("a", ["a"]).logging(|l| l.max_line_bytes = Some(4096)))
        .build()
        .unwrap();
    let json = stack.to_json();
    for back in [Stack::from_json(&json).unwrap(), Stack::read_resolved(&json, &Known::anything()).unwrap()] {
        assert_same(&back, &stack);
        assert_eq!(back.logging(), stack.logging());
    }
    let plain = ServiceBuilder::process("a", ["a"]);
    let without = Stack::builder("s").workdir("/srv").service(plain.clone()).build().unwrap();
    assert!(!String::from_utf8(without.to_json()).unwrap().contains("logging"));
    // Not part of what makes it another program.
    assert_eq!(without.services()[0].revision, stack.services()[0].computed_revision());
    let absurd = Stack::builder("s").service(plain.logging(|l| l.max_file_size = Some(0))).build();
    assert_eq!(absurd.unwrap_err().diagnostics[0].code, code::OUT_OF_RANGE);
    let text = String::from_utf8(json).unwrap().replace("\"7d\"", "\"1s\"");
    let refused = Stack::read_resolved(text.as_bytes(), &Known::anything()).unwrap_err();
    assert_eq!(refused.diagnostics[0].code, code::OUT_OF_RANGE);
}

/// The first version kept mounts as they were written, good or not: a journal with them is still one, a stranger's
/// stack is not.
#[test]
fn mounts_of_the_first_version_are_read() {
    let written = ["./x:/x", "whatever", "a:b:c", ":/x", "x:ro", "/a:b:/c:ro", ""];
    let mut document: Value = serde_json::from_slice(&everything_at_first().to_json()).unwrap();
    document["services"][0]["volumes"] = json!(written);
    let json = serde_json::to_vec(&document).unwrap();
    let stack = Stack::from_json(&json).unwrap();
    let volumes = &stack.service("db").unwrap().volumes;
    assert_eq!(volumes.iter().map(ToString::to_string).collect::<Vec<_>>(), written);
    let invalid = Stack::read_resolved(&json, &Known::anything()).unwrap_err();
    let bad = invalid.diagnostics.iter().filter(|diagnostic| diagnostic.code == code::BAD_VOLUME).count();
    assert!(bad >= 6, "{invalid}");
}

#[test]
fn what_is_missing_has_its_default() {
    let least = json!({ "name": "a", "runtime": "process", "workdir": "/srv", "command": { "argv": ["x"] } });
    let service = Service::from_json(&serde_json::to_vec(&least).unwrap()).unwrap();
    let expected = Stack::builder("s").workdir("/srv").service(ServiceBuilder::process("a", ["x"])).build().unwrap();
    assert_eq!(service, **expected.service("a").unwrap());
    let with_check = json!({ "name": "a", "runtime": "process", "workdir": "/srv", "new": { "x": 1 },
        "dependsOn": [{ "target": "b", "later": 1 }], "hooks": { "preStop": { "command": { "argv": ["x"] } } },
        "health": { "check": { "probes": [{ "http": {} }, { "log": { "pattern": "x" } }, { "custom": { "name": "c" } }] } } });
    let service = Service::from_json(&serde_json::to_vec(&with_check).unwrap()).unwrap();
    assert_eq!(service.depends_on[0].timeout, Duration::from_secs(300));
    assert_eq!(service.hooks.pre_stop.unwrap().timeout, Duration::from_secs(10));
    assert_eq!(service.health.unwrap().check.probes.len(), 3);
}

#[test]
fn what_is_no_stack_is_refused() {
    let of = |document: Value| Stack::from_json(&serde_json::to_vec(&document).unwrap()).unwrap_err().to_string();
    let service =
        |name: &str, needs: Value| json!({ "name": name, "runtime": "r", "workdir": "/", "dependsOn": needs });
    let stack = |services: Value| json!({ "format": 1, "name": "s", "workdir": "/", "services": services });
    let need = |target: &str| json!([{ "target": target }]);
    let cases = [
        (json!({ "format": FORMAT + 1, "strange": 1 }), "format 2 is newer than 1, which this version reads"),
        (json!({ "format": 1, "name": "A b", "workdir": "/" }), "no resolved stack"),
        (stack(json!([service("a", need("b"))])), "no resolved stack: `a` depends on `b`, which is not there"),
        (
            stack(json!([service("a", json!([])), service("a", json!([]))])),
            "no resolved stack: service `a` is there twice",
        ),
        (stack(json!([service("a", need("b")), service("b", need("a"))])), "no resolved stack: `a` depends on itself"),
    ];
    for (document, expected) in cases {
        assert_eq!(of(document), expected);
    }
    assert!(Stack::from_json(b"").is_err() && Service::from_json(b"[]").is_err());
}

/// What a stranger posts is held to the rules of files.
#[test]
fn a_posted_stack_is_as_valid_as_a_file() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 26] = [
        (code::UNKNOWN_DEPENDENCY, |s| s["services"][2]["dependsOn"][0]["target"] = json!("dp")),
        (code::CYCLE, |s| s["services"][0]["dependsOn"] = json!([{ "target": "api" }])),
        (code::OUT_OF_RANGE, |s| s["services"][2]["replicas"] = json!(0)),
        (code::OUT_OF_RANGE, |s| s["services"][2]["update"]["maxSurge"] = json!("101%")),
        (code::OUT_OF_RANGE, |s| s["services"][1]["restart"]["successExitCodes"] = json!([-1])),
        (code::MIN_ABOVE_MAX, |s| s["services"][1]["restart"]["backoff"]["min"] = json!("1h")),
        (code::UNKNOWN_SIGNAL, |s| s["services"][1]["stop"]["signal"] = json!(99)),
        (code::UNKNOWN_VALUE, |s| {
            s["services"][2]["health"]["check"]["probes"][0]["http"]["method"] = json!("G\r\nX: 1")
        }),
        (code::UNKNOWN_RUNTIME, |s| s["services"][1]["runtime"] = json!("qemu")),
        (code::NUL, |s| s["services"][1]["env"] = json!({ "A": "\0" })),
        (code::NOT_RESOLVED, |s| s["services"][1]["workdir"] = json!("relative")),
        (code::NOT_RESOLVED, |s| s["services"][1]["stop"]["timeout"] = json!("soon")),
        (code::DUPLICATE_KEY, |s| s["services"][1]["name"] = json!("db")),
        (code::BAD_VOLUME, |s| s["services"][0]["volumes"] = json!(["./relative:/data"])),
        (code::BAD_VOLUME, |s| s["services"][0]["volumes"] = json!(["data:data"])),
        (code::DUPLICATE_MOUNT, |s| s["services"][0]["volumes"] = json!(["/data", "data:/data"])),
        (code::ENGINE_SOCKET, |s| {
            s["services"][0]["volumes"] = json!(["/run:/run"]);
            s["services"][0]["allowDockerSocket"] = json!(false);
        }),
        (code::BAD_PLATFORM, |s| s["services"][0]["platform"] = json!("arm")),
        (code::BAD_NAME, |s| s["services"][0]["network"] = json!("container:db")),
        (code::RESERVED_LABEL, |s| s["services"][0]["labels"] = json!({ "orco.stack": "x" })),
        (code::RELATIVE_WORKDIR, |s| s["services"][0]["containerWorkdir"] = json!("srv")),
        (code::NO_IMAGE, |s| {
            s["services"][0]["image"] = Value::Null;
            s["services"][0]["command"] = json!({ "argv": ["x"] });
        }),
        (code::OUT_OF_RANGE, |s| s["services"][0]["resources"]["memory"] = json!(1)),
        (code::OUT_OF_RANGE, |s| s["services"][0]["resources"]["pids"] = json!(0)),
        (code::CONTAINER_ONLY, |s| s["services"][1]["volumes"] = json!(["data:/data"])),
        (code::REVISION_MISMATCH, |s| s["services"][1]["revision"] = json!("0123456789abcdef")),
    ];
    let known = Known::new(["process", "docker"], ["http", "tcp", "cmd", "log", "grpc"]);
    let good: Value = serde_json::from_slice(&everything().to_json()).unwrap();
    assert!(Stack::read_resolved(&serde_json::to_vec(&good).unwrap(), &known).is_ok());
    for (code, edit) in edits {
        let mut bad = good.clone();
        edit(&mut bad);
        let invalid = Stack::read_resolved(&serde_json::to_vec(&bad).unwrap(), &known).unwrap_err();
        let codes: Vec<_> = invalid.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&code), "{code}: {invalid}");
    }
}

/// A journal's revision stays whatever this version would compute; a posted one must be ours.
#[test]
fn revisions_of_a_journal_are_kept() {
    let mut service = Service::clone(everything().service("db").unwrap());
    service.revision = Revision(7);
    assert_eq!(Service::from_json(&service.to_json()).unwrap(), service);
    service.workdir = std::ffi::OsString::from_vec(b"/srv/\xff".to_vec()).into();
    assert_eq!(Service::from_json(&service.to_json()).unwrap(), service);
}

/// As deep as expressions may be, and with the same probe twice.
#[test]
fn expressions_come_back() {
    let deep = format!("{}http{}", "(http && log || !".repeat(15), ")".repeat(15));
    for expression in ["http", "!!http", "http && (log && http)", "http || log && !(http || log)", &deep] {
        let check = Check::http("http://localhost:1/").and_log("x").and_log("y").expression(expression);
        let stack = Stack::builder("s").service(ServiceBuilder::process("a", ["x"]).health(check)).build().unwrap();
        assert_same(&Stack::from_json(&stack.to_json()).unwrap(), &stack);
    }
}

fn text() -> impl Strategy<Value = String> {
    "[ -~é\n\u{1f600}]{1,12}".prop_map(|text| text.replace("${", "$$"))
}

fn time() -> impl Strategy<Value = Duration> {
    (0..=u64::MAX, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| match seconds % 3 {
        0 => Duration::from_millis(seconds % 100_000_000),
        1 => Duration::new(seconds, nanos),
        _ => Duration::from_nanos(u64::from(nanos)),
    })
}

prop_compose! {
    fn check()(command in prop::collection::vec(text(), 1..3), pattern in "[a-z.*]{1,5}|x+", ms in 1..u64::MAX / 2,
               times in [time(), time()], thresholds in [1..1000_u32, 1..1000], spelling in 0..4_usize) -> crate::spec::CheckBuilder {
        let pattern = if pattern.starts_with('*') { "x".to_owned() } else { pattern.replace("**", "*") };
        let [grace, start] = times;
        let expression = ["cmd && log", "log || cmd", "!cmd", "!(cmd || !log) && (log || cmd)"][spelling];
        Check::cmd(command).and_log(pattern).expression(expression).interval(Duration::from_micros(ms))
            .grace_period(grace).start_timeout(start).thresholds(thresholds[0], thresholds[1])
    }
}

prop_compose! {
    fn service(index: usize)(argv in prop::collection::vec(text(), 1..4), env in prop::collection::btree_map("[A-Z]{1,4}", prop::option::of(text()), 0..4),
        needs in prop::collection::vec((0..8_usize, time(), 0..3_u8), 0..3), replicas in 1..=1000_u32, kind in 0..3_u8,
        health in prop::option::of(check()), retries in prop::option::of(0..=u32::MAX), factor in 1.0..1e6_f64,
        delays in [time(), time()], stop in (1..=64_i32, time()), surge in prop::option::of(0..=100_u32)) -> ServiceBuilder {
        let mut service = ServiceBuilder::process(format!("s{index}"), argv).replicas(replicas).stop(stop.0, stop.1)
            .backoff(delays[0].min(delays[1]), delays[0].max(delays[1]), factor)
            .restart(|restart| restart.max_retries = retries.map_or(RetryLimit::Unlimited, RetryLimit::Limited))
            .update(|update| { update.max_unavailable = Amount::Count(1); update.max_surge = surge.map(Amount::Percent); });
        service = match kind { 0 => service, 1 => service.daemon(), _ => service.oneshot() };
        for (name, value) in env {
            service = match value { Some(value) => service.env(name, value), None => service.without_env(name) };
        }
        let mut seen = std::collections::BTreeSet::new();
        for (target, timeout, then) in needs.into_iter().filter(|(target, ..)| *target < index) {
            if seen.insert(target) {
                let then = [OnFailure::Ignore, OnFailure::Restart, OnFailure::Stop][usize::from(then)];
                service = service.depends_on(Need::new(format!("s{target}")).timeout(timeout).on_failure(then));
            }
        }
        match health { Some(check) => service.health(check), None => service }
    }
}

proptest! {
    /// There and back, by both ways of reading.
    #[test]
    fn every_stack_comes_back(services in (1..6_usize).prop_flat_map(|count| (0..count).map(service).collect::<Vec<_>>())) {
        let Ok(stack) = Stack::builder("s").workdir("/srv").services(services).build() else {
            return Err(TestCaseError::fail("the generator made an invalid stack"));
        };
        let json = stack.to_json();
        assert_same(&Stack::from_json(&json).unwrap(), &stack);
        assert_same(&Stack::read_resolved(&json, &Known::anything()).unwrap(), &stack);
        prop_assert_eq!(&Stack::from_json(&json).unwrap().to_json(), &json);
    }

    /// Whatever arrives, the answer is an answer.
    #[test]
    fn noise_never_panics(at in 0..4000_usize, byte in any::<u8>()) {
        let mut json = everything().to_json();
        let at = at % json.len();
        json[at] = byte;
        let _ = Stack::from_json(&json);
        let _ = Stack::read_resolved(&json, &Known::anything());
        let _ = Stack::from_json(&json[..at]).unwrap_err();
    }
}

/// What the simulator plays comes back too.
#[test]
fn simulated_stacks_come_back() {
    for seed in 0..100 {
        for (_, command) in sim::plan(seed).orders {
            if let brain::Command::Apply(stack) = command {
                assert_same(&Stack::from_json(&stack.to_json()).unwrap(), &stack);
            }
        }
    }
}
