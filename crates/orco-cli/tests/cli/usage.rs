//! Commands that need no running stack, and what they say where one is missing.

use crate::bench::{Bench, sleeper, stack};

#[test]
fn ten_mistakes_are_ten_findings_and_nothing_starts() {
    let bench = Bench::new("");
    bench.write(
        "stack.yaml",
        "version: 0.1
stack: { name: Bad Name }
services:
  a: { command: [\"true\"], replicas: many }
  b: { command: [\"true\"], dependson: [a] }
  c: { command: [\"true\"], dependsOn: [nobody] }
  d: { command: [\"true\"], dependsOn: [d] }
  e: { command: [\"true\"], stop: { timeout: 5 } }
  f: { command: [\"true\"], kind: job }
  g: {}
  h: { command: [\"true\"], health: { log: { pattern: \"(\" } } }
  i: { command: [\"true\"], restartPolicy: { backoff: { min: 2s, max: 1s } } }
",
    );
    let done = bench.orco(&["validate"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.out.contains("stack.yaml: 10 errors"), "{}", done.out);
    assert_eq!(done.out.matches("error[").count(), 10, "{}", done.out);
    assert_eq!(done.err, "");

    let found: serde_json::Value = serde_json::from_str(&bench.orco(&["config", "lint", "-o", "json"]).out).unwrap();
    assert_eq!(found.as_array().unwrap().iter().filter(|f| f["severity"] == "error").count(), 10);

    let up = bench.orco(&["up"]);
    assert_eq!(up.code, Some(2));
    assert_eq!(up.out, "");
    assert_eq!(up.err.matches("error[").count(), 10, "{}", up.err);
}

#[test]
fn a_good_file_is_valid() {
    let bench = Bench::new(&sleeper("a"));
    let done = bench.orco(&["validate"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), "stack.yaml: no findings\n"), "{done:?}");
}

#[test]
fn without_a_running_stack_commands_exit_3() {
    let bench = Bench::new(&sleeper("a"));
    for args in [
        &["status"][..],
        &["down"],
        &["restart", "a"],
        &["stop", "a"],
        &["start", "a"],
        &["logs"],
        &["events"],
        &["apply"],
        &["why", "a"],
        &["scale", "a=2"],
        &["signal", "a", "HUP"],
        &["exec", "a", "--", "true"],
        &["status", "--stack", "demo"],
        &["status", "-f", "gone.yaml"],
    ] {
        let done = bench.orco(args);
        assert_eq!(done.code, Some(3), "{args:?}: {done:?}");
        assert_eq!(done.out, "", "{args:?}");
        assert!(done.err.starts_with("error: no "), "{args:?}: {}", done.err);
    }
    // Only the path counts: a broken file changes nothing.
    bench.write("stack.yaml", "[");
    assert_eq!(bench.orco(&["down"]).code, Some(3));
    // And no file at all.
    std::fs::remove_file(bench.dir.path().join("stack.yaml")).unwrap();
    assert_eq!(bench.orco(&["status"]).code, Some(3));
    assert_eq!(bench.orco(&["up"]).code, Some(2));
}

#[test]
fn the_graph_needs_no_running_stack() {
    let bench = Bench::new(
        "  db: { command: [\"true\"] }
  api: { command: [\"true\"], dependsOn: [db, { target: seed, require: completed }] }
  seed: { command: [\"true\"], kind: oneshot, dependsOn: [db] }
",
    );
    let graph = bench.json(&["graph", "-o", "json"]);
    assert_eq!(graph["nodes"][1]["layer"], 2);
    assert_eq!(graph["nodes"][1]["state"], serde_json::Value::Null);
    for (args, expected) in [
        (&["graph"][..], "  2  api   <- db (ready), seed (completed)"),
        (&["graph", "--dot"], "\"api\" -> \"seed\" [label=\"completed\"]"),
        (&["graph", "-o", "mermaid"], "n1 -->|completed| n2"),
    ] {
        let done = bench.orco(args);
        assert!(done.out.contains(expected), "{done:?}");
    }
}

#[test]
fn what_is_generated_is_there() {
    let bench = Bench::new("");
    assert!(bench.json(&["schema"])["properties"]["services"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        assert!(bench.orco(&["completions", shell]).out.contains("restart"), "{shell}");
    }
    assert!(bench.orco(&["man"]).out.contains(".TH orco"));
    assert!(bench.orco(&["man", "logs"]).out.contains("orco\\-logs"));
}

#[test]
fn what_comes_later_says_so() {
    let bench = Bench::new(&sleeper("a"));
    for args in [["promote", "a"], ["abort", "a"]] {
        let done = bench.orco(&args);
        assert_eq!(done.code, Some(2), "{args:?}");
        assert!(done.err.contains(" comes with "), "{args:?}: {}", done.err);
    }
    let help = bench.orco(&["--help"]).out;
    assert!(!help.contains("promote "), "{help}");
}

#[test]
fn a_name_that_fits_two_stacks_names_both() {
    let bench = Bench::new("");
    for folder in ["one", "two"] {
        bench.write(&format!("{folder}/stack.yaml"), &stack("twin", "  a: { kind: oneshot, command: [\"true\"] }\n"));
        let done = bench.orco(&["up", "-f", &format!("{folder}/stack.yaml")]);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    let done = bench.orco(&["logs", "--stack", "twin"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("one/stack.yaml") && done.err.contains("two/stack.yaml"), "{}", done.err);
}
