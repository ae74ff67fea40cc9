//! The main job: up, look, change, kill, down.

use nix::sys::signal::Signal;

use crate::bench::{Bench, is_alive, pid, signal, sleeper, until};

#[test]
fn from_up_to_down() {
    let bench = Bench::new(
        "  db: { command: [sh, -c, \"exec sleep 1000\"] }
  seed: { kind: oneshot, command: [sh, -c, \"exit 0\"], dependsOn: [db] }
  api:
    command: [sh, -c, \"exec sleep 1000\"]
    replicas: 2
    dependsOn: [db, { target: seed, require: completed }]
",
    );
    let mut up = bench.up(&[]);
    let api = bench.until("api", "ready", |s| s["ready_replicas"] == 2);
    let status = bench.json(&["status", "-o", "json"]);
    assert_eq!(status["stack"], "demo");
    assert_eq!(status["mode"], "foreground");
    assert_eq!(status["services"].as_object().unwrap().keys().collect::<Vec<_>>(), ["db", "seed", "api"]);
    assert_eq!(status["services"]["seed"]["state"], "Completed");
    assert_eq!(status["services"]["seed"]["exit"]["code"], 0);
    let pids: Vec<i32> = status["services"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|s| s["instances"].as_array().unwrap().clone())
        .filter_map(|i| i["pid"].as_i64())
        .map(|p| i32::try_from(p).unwrap())
        .collect();
    assert_eq!(pids.len(), 3, "{status:#}");

    let table = bench.orco(&["status"]).out;
    assert!(table.starts_with("SERVICE  STATE"), "{table}");
    assert!(table.contains("api      Running    true   2/2"), "{table}");

    // Replaced by itself, one at a time.
    let done = bench.orco(&["restart", "api"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let after = bench.service("api");
    assert_eq!(after["ready_replicas"], 2);
    assert_ne!(pid(&after), pid(&api));

    // What depends on a stopped one stays.
    assert_eq!(bench.orco(&["stop", "db"]).code, Some(0));
    assert_eq!(bench.service("db")["state"], "Stopped");
    assert_eq!(bench.service("api")["state"], "Running");
    assert_eq!(bench.json(&["start", "db", "-o", "json"])[0]["done"], true);
    assert_eq!(bench.service("db")["state"], "Running");

    let live = bench.json(&["graph", "-o", "json"]);
    assert_eq!(live["nodes"][0]["state"], "Running");

    assert_eq!(bench.orco(&["down"]).code, Some(0));
    let end = up.end();
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(pids.iter().all(|p| !is_alive(*p)));
    assert_eq!(bench.orco(&["status"]).code, Some(3));
    // At once again: nothing stale is in the way.
    let up = bench.up(&[]);
    bench.until("api", "ready", |s| s["ready"] == true);
    drop(up);
}

#[test]
fn what_is_killed_comes_back() {
    let bench = Bench::new(
        "  a:
    command: [sh, -c, \"exec sleep 1000\"]
    restartPolicy: { backoff: { min: 10ms, max: 20ms } }
",
    );
    let _up = bench.up(&[]);
    let before = bench.until_ready("a");
    signal(pid(&before), Signal::SIGKILL);
    let after = bench.until("a", "restarted", |s| s["ready"] == true && s["restarts"] == 1);
    assert_ne!(pid(&after), pid(&before));
    assert_eq!(after["exit"]["signal"], 9);
    let events = bench.orco(&["events"]).out;
    let kinds: Vec<String> = events
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let at = |kind: &str| kinds.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{kind} in {kinds:?}"));
    assert!(at("ServiceReady") < at("ServiceCrashed"), "{kinds:?}");
    assert!(at("ServiceCrashed") <= at("ServiceRestarting"), "{kinds:?}");
}

#[test]
fn only_the_named_with_what_they_need() {
    let services = sleeper("db") + &sleeper("other") + "  api: { command: [sleep, \"1000\"], dependsOn: [db] }\n";
    let bench = Bench::new(&services);
    let mut up = bench.up(&["api"]);
    bench.until_ready("api");
    assert_eq!(bench.service("db")["state"], "Running");
    assert_eq!(bench.service("other")["state"], "Stopped");
    up.signal(Signal::SIGTERM);
    assert_eq!(up.end().code, Some(0));

    // The gate holds all the same, and nothing is left to run.
    let end = bench.up_at_once(&["api", "--no-deps"]).end();
    assert_eq!(end.code, Some(1), "{end:?}");
    assert!(end.err.contains("api is Pending: blocked: dependency db not Ready"), "{}", end.err);
    assert!(end.err.contains("not asked to start"), "{}", end.err);
    let nobody = bench.orco(&["up", "nobody"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert!(nobody.err.contains("no service `nobody`"), "{}", nobody.err);
}

#[test]
fn what_is_stopped_by_hand_does_not_end_the_stack() {
    let bench = Bench::new(&(sleeper("a") + "  once: { kind: oneshot, command: [\"true\"] }\n"));
    let mut up = bench.up(&[]);
    bench.until("once", "done", |s| s["state"] == "Completed");
    assert_eq!(bench.orco(&["stop", "a"]).code, Some(0));
    assert_eq!(bench.service("a")["message"], "stopped by you");
    assert_eq!(bench.orco(&["start", "a"]).code, Some(0));
    up.signal(Signal::SIGTERM);
    assert_eq!(up.end().code, Some(0));
}

#[test]
fn a_missing_program_says_so_and_the_rest_runs() {
    let services = sleeper("fine")
        + "  lost:
    command: [/no/such/program]
    restartPolicy: { maxRetries: 1, backoff: { min: 1ms, max: 2ms } }
  web: { command: [sleep, \"1000\"], dependsOn: [lost] }
";
    let bench = Bench::new(&services);
    let _up = bench.up(&[]);
    bench.until("lost", "failed", |s| s["state"] == "Failed");
    bench.until_ready("fine");
    let why = bench.orco(&["why", "web"]).out;
    assert!(why.contains("web: Pending: blocked: dependency lost not Ready"), "{why}");
    assert!(why.contains("lost: Failed"), "{why}");
    assert!(why.contains("/no/such/program"), "{why}");
    let json = bench.json(&["why", "web", "-o", "json"]);
    assert_eq!(json["because"][0]["service"], "lost");
}

#[test]
fn a_second_up_is_refused_by_name() {
    let bench = Bench::new(&sleeper("a"));
    let up = bench.up(&[]);
    let second = bench.orco(&["up"]);
    assert_eq!(second.code, Some(4), "{second:?}");
    assert!(second.err.contains(&format!("pid {}", up.pid())), "{}", second.err);
    let folder = bench.dir.path().canonicalize().unwrap();
    assert!(second.err.contains(folder.to_str().unwrap()), "{}", second.err);
    // And by name from anywhere.
    let elsewhere = bench.command(&["status", "--stack", "demo"]).current_dir("/").output().unwrap();
    assert!(elsewhere.status.success());
}

#[test]
fn killed_at_once_it_leaves_nothing_and_blocks_nobody() {
    let bench = Bench::new(&sleeper("a"));
    let mut up = bench.up(&[]);
    let service = pid(&bench.until_ready("a"));
    up.signal(Signal::SIGKILL);
    up.end();
    until("the service is gone", || !is_alive(service));
    let mut up = bench.up(&[]);
    bench.until_ready("a");
    up.signal(Signal::SIGTERM);
    assert_eq!(up.end().code, Some(0));
}
