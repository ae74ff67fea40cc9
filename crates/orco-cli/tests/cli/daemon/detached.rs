//! From `up -d` to `down`.

use std::{fs, time::Duration};

use super::{Detached, marked, pids, within};
use crate::bench::{Bench, is_alive, pid, sleeper, stack, until};

#[test]
fn from_up_to_down() {
    let bench = Bench::new(&(sleeper("db") + "  api: { command: [sleep, \"1000\"], replicas: 2, dependsOn: [db] }\n"));
    let daemon = Detached::of(&bench);
    let up = bench.orco(&["up", "-d"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    assert_eq!(up.out, "");
    assert_eq!(up.err.lines().count(), 1, "{}", up.err);
    for part in ["demo runs under the daemon", &format!("pid {}", daemon.engine()), "orco logs", "daemon.log"] {
        assert!(up.err.contains(part), "{part}: {}", up.err);
    }
    bench.until("api", "ready", |s| s["ready_replicas"] == 2);
    let status = bench.json(&["status", "-o", "json"]);
    assert_eq!(status["mode"], "detached");
    let before = pids(&bench);
    assert_eq!(before.len(), 3);
    let elsewhere = bench.command(&["status", "--stack", "demo"]).current_dir("/").output().unwrap();
    assert!(elsewhere.status.success());
    until("its output is there", || bench.orco(&["logs", "db"]).out.contains("db is here"));

    // The same again is no change.
    let again = bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    // In the foreground it is refused, with who and where.
    let other = within(Duration::from_secs(10), &bench, &["up"]);
    assert_eq!(other.code, Some(4), "{other:?}");
    let folder = bench.dir.path().canonicalize().unwrap();
    assert!(other.err.contains(&format!("pid {}", daemon.engine())), "{}", other.err);
    assert!(other.err.contains(folder.to_str().unwrap()), "{}", other.err);
    // With another file it is refused, with what to do.
    bench.write("stack.yaml", &stack("demo", &(sleeper("db") + &sleeper("new"))));
    let changed = bench.orco(&["up", "-d"]);
    assert_eq!(changed.code, Some(4), "{changed:?}");
    assert!(changed.err.contains("orco apply"), "{}", changed.err);
    assert_eq!(pids(&bench), before);

    daemon.down();
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
    let left = marked(bench.dir.path().to_str().unwrap());
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(daemon.meta()["pid"], serde_json::Value::Null);
    assert!(!daemon.state().join("control.sock").exists() && !daemon.state().join("incoming.json").exists());
    let gone = bench.orco(&["status"]);
    assert_eq!(gone.code, Some(3));
    assert!(!gone.err.contains("killed"), "{}", gone.err);
    // And again.
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
    assert_eq!(bench.service("new")["ready"], true);
}

#[test]
fn wait_returns_when_all_is_ready() {
    let bench = Bench::new(
        "  slow: { command: [sh, -c, \"sleep 0.4; echo open; exec sleep 1000\"], health: { log: { pattern: ^open } } }
  once: { kind: oneshot, command: [\"true\"], dependsOn: [slow] }
",
    );
    let _daemon = Detached::up(&bench);
    let status = bench.json(&["status", "-o", "json"]);
    assert_eq!(status["services"]["slow"]["ready"], true);
    assert_eq!(status["services"]["once"]["state"], "Completed");
}

#[test]
fn wait_names_the_culprit() {
    let bench = Bench::new(
        "  bad: { kind: oneshot, command: [sh, -c, \"echo no good; exit 3\"], restartPolicy: { condition: never } }
  next: { command: [sleep, \"1000\"], dependsOn: [{ target: bad, require: completed }] }
",
    );
    let daemon = Detached::of(&bench);
    let up = bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(up.code, Some(1), "{up:?}");
    for part in ["bad is not ready", "exit code 3", "no good"] {
        assert!(up.err.contains(part), "{part}: {}", up.err);
    }
    // It stays, to be looked at.
    assert_eq!(bench.service("bad")["state"], "Failed");
    daemon.down();

    bench.write(
        "stack.yaml",
        &stack("demo", "  mute: { command: [sleep, \"1000\"], health: { log: { pattern: never } } }\n"),
    );
    let up = within(Duration::from_secs(10), &bench, &["up", "-d", "--wait", "--timeout", "500ms"]);
    assert_eq!(up.code, Some(1), "{up:?}");
    assert!(up.err.contains("mute is not ready in time"), "{}", up.err);
    assert!(is_alive(pid(&bench.service("mute"))));
}

#[test]
fn only_the_named_with_what_they_need() {
    let services = sleeper("db") + &sleeper("other") + "  api: { command: [sleep, \"1000\"], dependsOn: [db] }\n";
    let bench = Bench::new(&services);
    let _daemon = Detached::of(&bench);
    let up = bench.orco(&["up", "-d", "--wait", "api"]);
    assert_eq!(up.code, Some(0), "{up:?}");
    assert_eq!(bench.service("db")["state"], "Running");
    assert_eq!(bench.service("other")["state"], "Stopped");
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let bench = Bench::new("  a: { command: [sleep, \"1000\"], replicas: many }\n");
    let up = bench.orco(&["up", "-d"]);
    assert_eq!(up.code, Some(2), "{up:?}");
    assert!(up.err.contains("error["), "{}", up.err);
    bench.write("stack.yaml", &stack("demo", &sleeper("a")));
    let up = bench.orco(&["up", "-d", "nobody"]);
    assert_eq!(up.code, Some(2), "{up:?}");
    assert!(up.err.contains("no service `nobody`"), "{}", up.err);
    assert_eq!(bench.orco(&["status"]).code, Some(3));
    let engine = bench.orco(&["daemon", "engine", "/tmp"]);
    assert_eq!(engine.code, Some(2), "{engine:?}");
}

#[test]
fn it_stays_when_everything_has_completed() {
    let bench = Bench::new("  once: { kind: oneshot, command: [\"true\"] }\n");
    let daemon = Detached::up(&bench);
    assert_eq!(bench.service("once")["state"], "Completed");
    assert_eq!(bench.orco(&["restart", "once"]).code, Some(0));
    assert!(is_alive(daemon.engine()));
}

#[test]
fn an_engine_that_cannot_begin_says_why() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::up(&bench);
    daemon.down();
    let journal = fs::read_dir(daemon.state()).unwrap().flatten().map(|e| e.path());
    let journal = journal.filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("journal")).last().unwrap();
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&journal, &bytes).unwrap();
    let up = bench.orco(&["up", "-d"]);
    assert_eq!(up.code, Some(5), "{up:?}");
    assert!(up.err.contains("journal") && up.err.contains("next: "), "{}", up.err);
    let run = bench.orco(&["daemon", "run"]);
    assert_eq!(run.code, Some(5), "{run:?}");
    fs::remove_file(&journal).unwrap();
    assert_eq!(bench.orco(&["up", "-d", "--wait"]).code, Some(0));
}
