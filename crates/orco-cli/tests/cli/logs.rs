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
    ] {
        let mut done = bench.orco(args);
        // The order of the two pipes of one process is not known.
        if done.out == "grape\npear\n" {
            done.out = "pear\ngrape\n".to_owned();
        }
        assert_eq!((done.code, done.out.as_str()), (Some(0), expected), "{args:?}: {}", done.err);
    }
    assert_eq!(bench.orco(&["logs", "--grep", "("]).code, Some(2));
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
