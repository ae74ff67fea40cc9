//! Another stack file for a running stack.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bench::{Bench, is_alive, pid, sleeper, stack, until};

fn apply(bench: &Bench, services: &str) -> Value {
    bench.write("stack.yaml", &stack("demo", services));
    bench.json(&["apply", "--wait", "-o", "json"])
}

fn change<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let services = answer["plan"]["services"].as_array().unwrap();
    services.iter().find(|s| s["service"] == name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn order(answer: &Value) -> Vec<String> {
    let step = |s: &Value| format!("{} {}", s["step"].as_str().unwrap(), s["service"].as_str().unwrap());
    answer["plan"]["order"].as_array().unwrap().iter().map(step).collect()
}

fn pids(service: &Value) -> Vec<i64> {
    service["instances"].as_array().unwrap().iter().filter_map(|i| i["pid"].as_i64()).collect()
}

#[test]
fn services_come_and_go_and_the_others_stay() {
    let bench = Bench::new(&[sleeper("a"), sleeper("old")].concat());
    let up = bench.up(&[]);
    let (a, old) = (pid(&bench.until_ready("a")), pid(&bench.until_ready("old")));
    let answer = apply(&bench, &[sleeper("a"), sleeper("new")].concat());
    assert_eq!(order(&answer), ["stop old", "start new"]);
    assert_eq!(answer["outcome"]["done"], true);
    let status = bench.json(&["status", "-o", "json"]);
    let names: BTreeSet<_> = status["services"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, BTreeSet::from(["a".to_owned(), "new".to_owned()]));
    assert_eq!((pid(&status["services"]["a"]), is_alive(old)), (a, false));
    assert_eq!(status["services"]["new"]["ready"], true);
    // The graph and the logs know the new one too.
    assert!(bench.orco(&["graph"]).out.contains("new"));
    assert_eq!(bench.orco(&["logs", "new"]).code, Some(0));

    // The same file once more changes nothing.
    let again = bench.orco(&["apply", "--wait"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), "= 2 unchanged\n"), "{again:?}");
    assert_eq!(pid(&bench.service("a")), a);
    drop(up);
}

#[test]
fn a_change_in_place_keeps_the_process() {
    let base = "  a: { command: [sleep, \"1000\"]";
    let bench = Bench::new(&format!("{base} }}\n"));
    let _up = bench.up(&[]);
    let before = pid(&bench.until_ready("a"));
    let answer = apply(&bench, &format!("{base}, stop: {{ timeout: 1s }}, restartPolicy: {{ maxRetries: 1 }} }}\n"));
    assert_eq!(change(&answer, "a")["change"], "changed");
    assert_eq!(change(&answer, "a")["fields"], serde_json::json!(["restartPolicy", "stop"]));
    assert_eq!(pid(&bench.service("a")), before);
    // More of it, and less.
    let answer = apply(&bench, &format!("{base}, replicas: 3 }}\n"));
    assert_eq!(order(&answer), ["scale a"]);
    let service = bench.service("a");
    assert_eq!((service["ready_replicas"].as_u64(), pid(&service)), (Some(3), before));
    // Scaled by hand meanwhile: the file wins again.
    assert_eq!(bench.orco(&["scale", "a=2"]).code, Some(0));
    assert_eq!(order(&apply(&bench, &format!("{base}, replicas: 1 }}\n"))), ["scale a"]);
    until("one is left", || pids(&bench.service("a")) == [i64::from(before)]);
}

#[test]
fn a_replacement_goes_one_replica_at_a_time() {
    let of = |value: &str| {
        format!(
            "  a: {{ command: [sh, -c, \"echo up; exec sleep 1000\"], replicas: 3, env: {{ V: {value} }}, health: {{ interval: 20ms, log: {{ pattern: up }} }} }}\n"
        )
    };
    let bench = Bench::new(&of("one"));
    let _up = bench.up(&[]);
    let before = pids(&bench.until_ready("a"));
    let answer = apply(&bench, &of("two"));
    assert_eq!(change(&answer, "a")["why"][0]["field"], "env.V");
    assert!(!answer.to_string().contains("two"), "values of variables are not shown: {answer}");
    let after = pids(&bench.service("a"));
    assert!(after.len() == 3 && after.iter().all(|pid| !before.contains(pid)), "{before:?} {after:?}");
    // At no moment was more than one away: each of the old ones went only after the one before had its successor.
    let events = bench.orco(&["events"]);
    let events: Vec<Value> = events.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let begun = events.iter().position(|e| e["type"] == "UpdatePhase").unwrap();
    let mut away = 0_i32;
    for event in &events[begun..] {
        match event["type"].as_str().unwrap() {
            "ServiceStopping" => away += 1,
            "ServiceReady" if event["replica"].is_u64() => away -= 1,
            _ => {}
        }
        assert!((0..=1).contains(&away), "{away} away at {event}");
    }
    assert_eq!(away, 0);
}

#[test]
fn an_invalid_file_and_a_dry_run_change_nothing() {
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    let before = pid(&bench.until_ready("a"));
    bench.write(
        "stack.yaml",
        &stack("demo", "  a: { command: [x], dependson: [b] }\n  b: { command: [y], replicas: 0 }\n"),
    );
    let done = bench.orco(&["apply"]);
    assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{done:?}");
    assert_eq!(done.err.matches("error[").count(), 2, "{}", done.err);
    bench.write("stack.yaml", &stack("demo", "  a: { command: [sleep, \"${NO_SUCH_VARIABLE}\"] }\n"));
    assert_eq!(bench.orco(&["apply"]).code, Some(2));

    bench.write("stack.yaml", &stack("demo", "  a: { command: [sleep, \"999\"] }\n"));
    let done = bench.orco(&["apply", "--dry-run"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.starts_with("± a: replaced: command `") && done.out.contains("  replace a\n"), "{}", done.out);
    assert_eq!(pid(&bench.service("a")), before);
    assert_eq!(bench.orco(&["status", "-o", "json"]).out.matches("UpdatePhase").count(), 0);

    // Another name is another stack.
    bench.write("stack.yaml", &stack("other", &sleeper("a")));
    let done = bench.orco(&["apply"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("the running stack is `demo`, not `other`"), "{}", done.err);
}

#[test]
fn an_apply_amid_another_changes_the_goal() {
    // The second revision never becomes ready.
    let of = |ready: &str| {
        format!(
            "  a: {{ command: [sh, -c, \"echo {ready}; exec sleep 1000\"], replicas: 2, health: {{ interval: 20ms, log: {{ pattern: fine }} }} }}\n"
        )
    };
    let bench = Bench::new(&of("fine"));
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let revision = bench.service("a")["revision"].clone();
    bench.write("stack.yaml", &stack("demo", &of("bad")));
    assert_eq!(bench.orco(&["apply"]).code, Some(0));
    let late = bench.orco(&["apply", "--wait", "--timeout", "100ms"]);
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.err.contains("not done in time: a"), "{}", late.err);
    // Back: what still serves of the first stays.
    let answer = apply(&bench, &of("fine"));
    assert_eq!(answer["outcome"]["done"], true);
    let service = bench.service("a");
    assert_eq!((&service["revision"], service["ready_replicas"].as_u64()), (&revision, Some(2)));
    // And on to a third that nobody has seen before, in its order.
    let services = format!("{}{}", of("fine fine"), "  b: { command: [sleep, \"1000\"], dependsOn: [a] }\n");
    assert_eq!(order(&apply(&bench, &services)), ["replace a", "start b"]);
}

#[test]
fn who_fails_is_named() {
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let bad = "  bad: { command: [\"false\"], restartPolicy: { maxRetries: 0 }, health: { log: { pattern: x } } }\n";
    bench.write("stack.yaml", &stack("demo", &(sleeper("a") + bad)));
    let done = bench.orco(&["apply", "--wait"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.starts_with("+ bad: added\n= 1 unchanged\n"), "{}", done.out);
    assert!(done.err.contains("error: bad failed: "), "{}", done.err);
}

/// A thousand services are more than an ordinary request may be long.
#[test]
fn a_large_stack_fits() {
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let many: String = (0..1500).map(|n| format!("  s{n}: {{ command: [sleep, \"1\"], dependsOn: [a] }}\n")).collect();
    bench.write("stack.yaml", &stack("demo", &(sleeper("a") + &many)));
    let done = bench.orco(&["apply", "--dry-run", "-o", "json"]);
    let answer: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(answer["plan"]["services"].as_array().unwrap().len(), 1501);
    assert_eq!(answer["outcome"], Value::Null);
}

#[test]
fn ls_lists_what_runs_and_nothing_else() {
    let bench = Bench::new(&sleeper("a"));
    assert_eq!(bench.json(&["ls", "-o", "json"]), serde_json::json!([]));
    let mut up = bench.up(&[]);
    bench.until_ready("a");
    let list = bench.json(&["ls", "-o", "json"]);
    let one = &list[0];
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!((&one["stack"], &one["state"], &one["mode"]), (&"demo".into(), &"ready".into(), &"foreground".into()));
    assert_eq!(one["pid"].as_i64(), Some(i64::from(up.pid())));
    for field in ["id", "dir", "keeper_pid", "since"] {
        assert!(!one[field].is_null(), "{field}: {one}");
    }
    let text = bench.orco(&["ls"]);
    assert!(text.out.lines().nth(1).unwrap().starts_with("demo   ready"), "{}", text.out);
    assert_eq!(bench.orco(&["stop", "a"]).code, Some(0));
    assert_eq!(bench.json(&["ls", "-o", "json"])[0]["state"], "stopped");
    // Its folder stays, with its meta.json; it runs no more.
    assert_eq!(bench.orco(&["down"]).code, Some(0));
    up.end();
    assert_eq!(bench.json(&["ls", "-o", "json"]), serde_json::json!([]));
}

/// Frozen, not dead: listed, and said so within a second or so.
#[test]
fn a_stack_that_does_not_answer_is_unreachable() {
    use nix::sys::signal::Signal;
    let bench = Bench::new(&sleeper("a"));
    let up = bench.up(&[]);
    up.signal(Signal::SIGSTOP);
    let list = bench.json(&["ls", "-o", "json"]);
    up.signal(Signal::SIGCONT);
    assert_eq!(list[0]["state"], "unreachable");
}
