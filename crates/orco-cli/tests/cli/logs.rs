//! Output of services: while they run, afterwards, and whatever bytes they write.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::bench::{Bench, sleeper, until, wait};

/// Each of these lines is an attack on somebody.
const NASTY: &str = r#"  evil:
    kind: oneshot
    command:
      - sh
      - -c
      - |
        printf '\033]0;owned\007\033[2Jcleared\n'
        printf 'nul\000byte\n'
        printf 'bad \377\376 utf8\n'
        printf 'progress 10%%\rprogress 20%%\n'
        printf '{"level":"error","msg":"from json","seq":99,"service":"forged"}\n'
        printf '{"broken": \n'
        head -c 3000000 /dev/zero | tr '\0' x
        printf '\nno end'
"#;

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l:?}"))).collect()
}

#[test]
fn nasty_bytes_are_valid_records_and_harmless_text() {
    let bench = Bench::new(NASTY);
    let mut up = bench.up_at_once(&[]);
    let end = up.end();
    assert_eq!(end.code, Some(0), "{:?}", end.err);
    assert!(!end.out.contains('\x1b') && !end.out.contains('\r') && !end.out.contains('\0'));

    // The stack is down: straight from the files.
    let json = bench.orco(&["logs", "-o", "json"]);
    assert_eq!(json.code, Some(0), "{}", json.err);
    let all = records(&json.out);
    for (at, record) in all.iter().enumerate() {
        assert_eq!(record["service"], "evil", "{record}");
        assert_eq!(record["seq"], at, "without gaps");
    }
    assert_eq!(all[0]["msg"], "\u{1b}]0;owned\u{7}\u{1b}[2Jcleared");
    assert_eq!(all[1]["msg"], "nul\0byte");
    assert_eq!(all[4]["level"], "error");
    assert_eq!(all[4]["msg"], "from json");
    assert_eq!(all.last().unwrap()["msg"], "no end");

    let text = bench.orco(&["logs"]).out;
    assert!(!text.contains('\x1b') && !text.contains('\r'));
    assert!(text.contains("cleared"));
    let raw = bench.orco(&["logs", "-o", "raw", "--tail", "1"]).out;
    assert_eq!(raw, "no end\n");
}

/// Where lines are cut was said by the file or by a flag when the stack ran.
#[test]
fn a_stack_that_is_down_has_its_lines_cut_where_they_were() {
    let long = "{ kind: oneshot, command: [sh, -c, 'printf %0999d 1; echo; echo end']";
    let bench = Bench::new(&format!("  a: {long}, logging: {{ maxLineBytes: 100 }} }}\n  b: {long} }}\n"));
    for (flags, a, b) in [(&[][..], 100, 999), (&["--log-max-line-bytes", "200"], 100, 200)] {
        assert_eq!(bench.up_at_once(flags).end().code, Some(0));
        for (service, length) in [("a", a), ("b", b)] {
            let all = records(&bench.orco(&["logs", service, "-o", "json", "--tail", "2"]).out);
            let cut = all[0]["cut"].as_u64().unwrap_or(0);
            assert_eq!((cut, all[1]["msg"].as_str()), (999 - length, Some("end")), "{service} {flags:?}");
        }
    }
}

#[test]
fn filters() {
    let bench = Bench::new(
        "  a: { kind: oneshot, command: [sh, -c, \"echo apple; echo pear >&2; echo grape; echo ERROR: plum\"] }
  b: { kind: oneshot, command: [sh, -c, \"echo other\"], dependsOn: [{ target: a, require: completed }] }
",
    );
    assert_eq!(bench.up_at_once(&[]).end().code, Some(0));
    for (args, expected) in [
        (&["logs", "-o", "raw", "b"][..], "other\n"),
        (&["logs", "-o", "raw", "a", "--grep", "ea|gr"], "pear\ngrape\n"),
        (&["logs", "-o", "raw", "a", "--grep", "ea|gr", "--invert"], "apple\nERROR: plum\n"),
        (&["logs", "-o", "raw", "a", "--source", "stderr"], "pear\n"),
        (&["logs", "-o", "raw", "--tail", "1"], "other\n"),
        (&["logs", "-o", "raw", "--since", "1h", "--run", "1", "--replica", "0", "b"], "other\n"),
        (&["logs", "-o", "raw", "--run", "7"], ""),
        (&["logs", "-o", "raw", "--until", "1h"], ""),
        (&["logs", "-o", "raw", "-n", "1"], "other\n"),
        (&["logs", "-o", "raw", "--tail", "all", "b"], "other\n"),
        (&["logs", "-o", "raw", "--tail", "0"], ""),
        (
            &["logs", "-o", "raw", "--since", "2020-01-01T00:00:00Z", "--until", "2999-01-01T00:00:00+01:00", "b"],
            "other\n",
        ),
        (&["logs", "-o", "raw", "--since", "2999-01-01T00:00:00Z"], ""),
        (&["logs", "-o", "raw", "--level", "error"], "ERROR: plum\n"),
        (
            &["logs", "-o", "raw", "a", "--level", "warn", "--grep", "p", "--tail", "1", "--since", "1h"],
            "ERROR: plum\n",
        ),
        (&["logs", "-o", "raw", "a", "b", "--source", "stdout", "--tail", "2"], "ERROR: plum\nother\n"),
        (&["logs", "--no-prefix", "b"], "other\n"),
    ] {
        let mut done = bench.orco(args);
        // The order of the two pipes of one process is not known.
        if done.out == "grape\npear\n" {
            done.out = "pear\ngrape\n".to_owned();
        }
        assert_eq!((done.code, done.out.as_str()), (Some(0), expected), "{args:?}: {}", done.err);
    }
    let stamped = bench.orco(&["logs", "-t", "b"]).out;
    assert!(stamped.starts_with("b/0 | 20") && stamped.ends_with("Z other\n"), "{stamped}");
    assert!(bench.orco(&["logs", "-t", "-o", "raw", "b"]).out.ends_with("Z other\n"));
    for (args, said) in [
        (&["logs", "--grep", "("][..], "unclosed group"),
        (&["logs", "--since", "yesterday"], "`yesterday` is neither a duration"),
        (&["logs", "--until", "5"], "neither a duration"),
        (&["logs", "--tail", "many"], "neither a number of lines nor `all`"),
        (&["logs", "--level", "loud"], "not one of trace"),
        (&["logs", "--invert"], "--grep"),
        (&["logs", "c"], "no service `c`"),
    ] {
        let done = bench.orco(args);
        assert_eq!(done.code, Some(2), "{args:?}: {}", done.err);
        assert!(done.err.contains(said), "{args:?}: {}", done.err);
        assert_eq!(done.out, "", "{args:?}");
    }
}

/// A record has all of its fields, whatever the line is.
#[test]
fn records_are_complete() {
    let bench =
        Bench::new("  a: { kind: oneshot, command: [sh, -c, \"echo plain; echo '{\\\"lvl\\\":40,\\\"n\\\":1}'\"] }\n");
    assert_eq!(bench.up_at_once(&[]).end().code, Some(0));
    let all = records(&bench.orco(&["logs", "-o", "json"]).out);
    let names = ["ts", "service", "replica", "level", "msg", "source", "seq", "run", "fields"];
    for record in &all {
        assert_eq!(record.as_object().unwrap().keys().collect::<Vec<_>>(), names, "{record}");
    }
    assert_eq!((&all[0]["fields"], &all[1]["fields"]), (&Value::Null, &serde_json::json!({"n": 1})));
    assert_eq!(all[1]["level"], "warn");
}

/// A misspelt name is told at once, by a stack that runs as by one that is down.
#[test]
fn unknown_services_are_named() {
    let bench = Bench::new(&(sleeper("worker") + &sleeper("db")));
    let mut up = bench.up(&[]);
    bench.until_ready("worker");
    for follow in [&["logs", "wroker"][..], &["logs", "-f", "wroker", "-o", "json"]] {
        let done = bench.orco(follow);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.err.contains("no service `wroker`: did you mean `worker`?"), "{}", done.err);
    }
    up.signal(Signal::SIGTERM);
    up.end();
    let done = bench.orco(&["logs", "frontend"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("there are: db, worker"), "{}", done.err);
}

/// With an end that is to come, following ends there; with one that has passed, at once.
#[test]
fn following_ends_at_its_time() {
    let bench = Bench::new(
        "  a: { command: [sh, -c, \"while :; do echo tick; sleep 0.05; done\"] }\n  loud: { command: [sh, -c, \"while :; do seq 100; sleep 0.02; done\"] }\n",
    );
    let mut up = bench.up(&[]);
    bench.until_ready("a");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let end = orco_api::wire::Timestamp::from_unix_micros(u64::try_from(now).unwrap() + 1_500_000).to_string();
    for format in ["json", "text"] {
        let done = bench.orco(&["logs", "-f", "-o", format, "-n", "1000", "--until", &end]);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.out.contains("tick"), "{format}");
        if format == "json" {
            assert!(records(&done.out).iter().all(|r| r["ts"].as_str().unwrap() <= end.as_str()));
        }
    }
    assert!(bench.json(&["status", "-o", "json"])["services"]["a"]["ready"] == true);
    up.signal(Signal::SIGTERM);
    up.end();
}

#[test]
fn follow_a_running_stack() {
    let bench =
        Bench::new("  a: { command: [sh, -c, \"n=0; while :; do echo line $n; n=$((n+1)); sleep 0.01; done\"] }\n");
    let mut up = bench.up(&[]);
    let mut follow = bench.command(&["logs", "-f", "-o", "json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(|l| l.unwrap());
    for seq in 0..50 {
        let record: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        assert_eq!(record["seq"], seq);
        assert_eq!(record["msg"], format!("line {seq}"));
    }
    // It ends with the stack.
    up.signal(Signal::SIGTERM);
    lines.for_each(drop);
    assert!(wait(&mut follow, &["logs", "-f"]).success());
    assert_eq!(up.end().code, Some(0));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let bench = Bench::new("  a: { kind: oneshot, command: [sh, -c, \"seq 200000\"] }\n");
    assert_eq!(bench.up_at_once(&[]).end().code, Some(0));
    for args in [&["logs"][..], &["logs", "-o", "json"], &["schema"], &["completions", "bash"]] {
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn a_reader_that_stops_reading_stops_nothing_else() {
    let bench = Bench::new(&("  loud: { command: [yes] }\n".to_owned() + &sleeper("quiet")));
    let mut up = bench.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Nobody reads the pipe; it is full after 64 KiB.
    until("all runs", || bench.orco(&["status"]).code == Some(0) && bench.service("quiet")["ready"] == true);
    assert_eq!(bench.orco(&["restart", "quiet"]).code, Some(0));
    crate::bench::signal(i32::try_from(up.id()).unwrap(), Signal::SIGINT);
    assert_eq!(wait(&mut up, &["up"]).code(), Some(130));
}

#[test]
fn no_line_of_a_short_life_is_missing() {
    let chain = |n: usize| match n {
        0 => "  s0: { kind: oneshot, command: [echo, line-0] }\n".to_owned(),
        n => format!(
            "  s{n}: {{ kind: oneshot, command: [echo, line-{n}], dependsOn: [{{ target: s{}, require: completed }}] }}\n",
            n - 1
        ),
    };
    let bench = Bench::new(&(0..40).map(chain).collect::<String>());
    let end = bench.up_at_once(&[]).end();
    assert_eq!(end.code, Some(0), "{end:?}");
    let shown: Vec<_> = end.out.lines().filter_map(|l| l.split("| ").nth(1)).collect();
    assert_eq!(shown, (0..40).map(|n| format!("line-{n}")).collect::<Vec<_>>());
}
