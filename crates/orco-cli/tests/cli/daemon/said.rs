//! What commands say about a stack under the daemon, and what to do next.

use std::fs;

use serde_json::{Value, json};

use super::{Detached, pids};
use crate::bench::{Bench, sleeper};

#[test]
fn up_on_a_running_stack_starts_what_is_stopped() {
    let bench = Bench::new(&(sleeper("db") + &sleeper("other") + "  once: { kind: oneshot, command: [\"true\"] }\n"));
    let _daemon = Detached::of(&bench);
    assert_eq!(bench.orco(&["up", "-d", "--wait", "db", "once"]).code, Some(0));
    assert_eq!(bench.service("other")["state"], "Stopped");
    let before = pids(&bench);

    let again = bench.orco(&["up", "-d", "--wait", "db"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.err.starts_with("demo runs already (pid ") && !again.err.contains("started"), "{}", again.err);
    let all = bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(all.err.contains("; started: other\n"), "{}", all.err);
    assert_eq!(bench.service("other")["ready"], true);
    // What ran runs on, and what has completed is not run again.
    let after = pids(&bench);
    assert!(before.iter().all(|one| after.contains(one)), "{before:?} {after:?}");
    assert_eq!(bench.service("once")["state"], "Completed");

    assert_eq!(bench.orco(&["stop", "db"]).code, Some(0));
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
    assert_eq!(bench.service("db")["ready"], true);
    let down = bench.orco(&["down"]);
    assert_eq!((down.out.as_str(), down.err.as_str()), ("", "everything is down\n"));
}

#[test]
fn up_tells_programs_what_runs() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::of(&bench);
    let up = bench.json(&["up", "-d", "--wait", "-o", "json"]);
    assert_eq!(up, bench.json(&["ls", "-o", "json"])[0]);
    assert_eq!(up["pid"], json!(daemon.engine()));
    assert_eq!(up["state"], "ready");
}

#[test]
fn a_limit_is_a_wait() {
    let bench = Bench::new("  mute: { command: [sleep, \"1000\"], health: { log: { pattern: never } } }\n");
    let _daemon = Detached::of(&bench);
    let up = bench.orco(&["up", "-d", "--timeout", "300ms"]);
    assert_eq!(up.code, Some(1), "{up:?}");
    assert!(up.err.contains("mute is not ready in time"), "{}", up.err);
}

#[test]
fn a_killed_daemon_is_told_by_every_command() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::up(&bench);
    let running = pids(&bench);
    daemon.kill_both();
    for args in [&["status"][..], &["apply"], &["why", "a"], &["restart", "a"], &["events"], &["daemon", "upgrade"]] {
        let done = bench.orco(args);
        assert_eq!(done.code, Some(3), "{args:?}: {done:?}");
        assert!(done.err.contains("its daemon was killed"), "{args:?}: {}", done.err);
        assert!(done.err.contains("`orco up -d` takes them over"), "{args:?}: {}", done.err);
    }
    let list = bench.json(&["ls", "-o", "json"]);
    assert_eq!((&list[0]["state"], &list[0]["pid"]), (&json!("killed"), &Value::Null));
    assert!(bench.orco(&["ls"]).err.contains("`orco down` stops it"));
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
    assert_eq!(pids(&bench), running);
    assert_eq!(bench.json(&["ls", "-o", "json"])[0]["state"], "ready");
}

#[test]
fn every_closed_gate_is_named() {
    let mute =
        |name: &str| format!("  {name}: {{ command: [sleep, \"1000\"], health: {{ log: {{ pattern: never }} }} }}\n");
    let needs = "  api: { command: [sleep, \"1000\"], dependsOn: [db, cache, mq] }
  web: { command: [sleep, \"1000\"], dependsOn: [api, db] }\n";
    let bench = Bench::new(&(mute("db") + &mute("cache") + &sleeper("mq") + needs));
    let _daemon = Detached::of(&bench);
    assert_eq!(bench.orco(&["up", "-d"]).code, Some(0));
    let api = bench.until("api", "waits for two", |s| s["waiting"]["on"] == json!(["db", "cache"]));
    assert!(api["message"].as_str().unwrap().ends_with("; and cache"), "{api}");
    let why = bench.json(&["why", "api", "-o", "json"]);
    assert_eq!(why["because"][0]["service"], "db");
    assert_eq!(why["because"][1]["service"], "cache");
    // What stands in the way twice is explained once.
    let why = bench.json(&["why", "web", "-o", "json"]);
    assert_eq!(why["because"][0]["because"].as_array().unwrap().len(), 2, "{why}");
    assert_eq!((&why["because"][1]["service"], &why["because"][1]["log_tail"]), (&json!("db"), &json!([])), "{why}");
}

#[test]
fn errors_say_what_to_do() {
    let bench = Bench::new(&sleeper("a"));
    bench.write("plain", "");
    let up = bench.command(&["up", "-d"]).env("ORCO_STATE_DIR", "plain/state").output().unwrap();
    let err = String::from_utf8(up.stderr).unwrap();
    assert_eq!(up.status.code(), Some(5), "{err}");
    assert!(err.contains("Not a directory\nnext: ") && err.contains("`ORCO_STATE_DIR`"), "{err}");
    let ls = bench.command(&["ls"]).env("ORCO_STATE_DIR", "plain/state").output().unwrap();
    assert_eq!(ls.status.code(), Some(5));

    let up = bench.orco(&["up", "-d", "b"]);
    assert_eq!(up.code, Some(2), "{up:?}");
    assert_eq!(up.err, "error: no service `b`\nnext: the stack has a\n");
    let status = bench.orco(&["status", "--stack", "nobody"]);
    assert!(status.err.contains("next: `orco ls`"), "{}", status.err);
}

#[test]
fn an_upgrade_that_cannot_be_says_so() {
    let bench = Bench::new(&sleeper("a"));
    let program = bench.dir.path().join("orco");
    fs::copy(env!("CARGO_BIN_EXE_orco"), &program).unwrap();
    let _daemon = Detached::of(&bench);
    let up = std::process::Command::new(&program)
        .args(["up", "-d", "--wait"])
        .current_dir(bench.dir.path())
        .env("ORCO_STATE_DIR", bench.dir.path().join("state"))
        .output()
        .unwrap();
    assert!(up.status.success(), "{up:?}");
    let before = pids(&bench);
    fs::remove_file(&program).unwrap();
    let upgrade = bench.orco(&["daemon", "upgrade"]);
    assert_eq!(upgrade.code, Some(1), "{upgrade:?}");
    assert!(upgrade.err.contains("next: the running engine goes on"), "{}", upgrade.err);
    assert_eq!(pids(&bench), before);
}
