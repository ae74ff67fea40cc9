//! Commands to a running stack.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::Value;

use crate::bench::{Bench, pid, sleeper, until, wait};

#[test]
fn scale_signal_and_exec() {
    let bench = Bench::new(
        "  a: { command: [sh, -c, \"trap 'echo got HUP' HUP; echo set; while :; do sleep 0.01; done\"], env: { MARK: here } }\n",
    );
    let up = bench.up(&[]);
    assert_eq!(bench.orco(&["scale", "a=3"]).code, Some(0));
    assert_eq!(bench.service("a")["ready_replicas"], 3);
    assert_eq!(bench.orco(&["scale", "a=1"]).code, Some(0));
    until("scaled down", || bench.service("a")["instances"].as_array().unwrap().len() == 1);

    until("the trap is set", || up.out().contains("a/0 | set"));
    assert_eq!(bench.orco(&["signal", "a", "hup"]).code, Some(0));
    until("the signal has arrived", || up.out().contains("a/0 | got HUP"));
    assert_eq!(bench.orco(&["signal", "a", "NOSUCH"]).code, Some(2));

    let done = bench.orco(&["exec", "a", "--", "sh", "-c", "echo $MARK; exit 4"]);
    assert_eq!((done.code, done.out.as_str()), (Some(4), "here\n"), "{done:?}");
    assert!(done.err.contains("a/0: exit code 4"), "{}", done.err);
    let json = bench.json(&["exec", "a", "-o", "json", "--replica", "0", "--", "true"]);
    assert_eq!((&json[0]["exit"]["code"], &json[0]["omitted"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(bench.orco(&["exec", "a", "--replica", "7", "--", "true"]).code, Some(1));
}

#[test]
fn exec_ends_as_its_command_does() {
    let bench = Bench::new("  a: { command: [sleep, \"1000\"], replicas: 3, env: { N: \"${replica}\" } }\n");
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let plain = bench.write("plain", "");
    let table: [(&[&str], i32, &str); 8] = [
        (&["true"], 0, ""),
        (&["sh", "-c", "exit 126"], 126, "a/0: exit code 126"),
        (&["sh", "-c", "exit 127"], 127, "a/0: exit code 127"),
        (&["sh", "-c", "kill -TERM $$"], 143, "a/0: killed by SIGTERM"),
        // The first that is not zero.
        (&["sh", "-c", "exit $N"], 1, "a/2: exit code 2"),
        (&["sh", "-c", "exit $(( (3 - N) % 3 ))"], 2, "a/2: exit code 1"),
        (&["no-such-program"], 127, "a/0: cannot run no-such-program: not found in PATH"),
        (&[plain.to_str().unwrap()], 126, "it is not executable"),
    ];
    for (argv, code, says) in table {
        let done = bench.orco(&[&["exec", "a", "--"], argv].concat());
        assert_eq!(done.code, Some(code), "{argv:?}: {done:?}");
        assert!(done.err.contains(says) && done.err.is_empty() == says.is_empty(), "{argv:?}: {}", done.err);
    }
}

#[test]
fn exec_passes_bytes_both_ways_and_says_what_it_leaves_out() {
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let given = |args: &[&str], stdin: &[u8]| {
        let mut command = bench.command(&[&["exec"], args].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // One that is refused reads no further.
        std::thread::scope(|scope| {
            scope.spawn(move || drop(input.write_all(stdin)));
            child.wait_with_output().unwrap()
        })
    };
    let bytes: Vec<u8> = (0..=255).collect();
    let done = given(&["-i", "a", "--", "cat"], &bytes);
    assert_eq!((done.status.code(), done.stdout), (Some(0), bytes.clone()));
    // Not asked for, it is not passed on.
    let done = given(&["a", "--", "cat"], &bytes);
    assert_eq!((done.status.code(), done.stdout), (Some(0), Vec::new()));
    let done = given(&["--interactive", "a", "--", "sh", "-c", "cat; exit 9"], &vec![b'x'; 100 << 10]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), done.stdout.len()), (Some(9), 64 << 10));
    assert!(said.contains("a/0: only the last 64 KiB of the output are kept, 36864 bytes are not"), "{said}");
    let done = given(&["-i", "a", "--", "wc", "-c"], &vec![b'x'; 4 << 20]);
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), "4194304");
    let done = given(&["-i", "a", "--", "cat"], &vec![b'x'; (4 << 20) + 1]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8(done.stderr).unwrap().contains("more than 4 MiB"));
}

#[test]
fn unknown_services_are_usage_errors_and_change_nothing() {
    let bench = Bench::new(&sleeper("alpha"));
    let _up = bench.up(&[]);
    let before = pid(&bench.until_ready("alpha"));
    for args in [
        &["restart", "alpha", "alhpa"][..],
        &["stop", "alhpa"],
        &["start", "../x"],
        &["why", "alhpa"],
        &["logs", "alhpa"],
        &["scale", "alhpa=2"],
        &["exec", "alhpa", "--", "true"],
    ] {
        let done = bench.orco(args);
        assert_eq!(done.code, Some(2), "{args:?}: {done:?}");
        assert!(done.err.contains("no service `"), "{args:?}: {}", done.err);
    }
    assert_eq!(pid(&bench.service("alpha")), before);
}

#[test]
fn a_wait_names_its_cause() {
    let services = sleeper("db") + "  api: { command: [sleep, \"1000\"], dependsOn: [db] }\n";
    let bench = Bench::new(&services);
    let _up = bench.up(&[]);
    bench.until_ready("api");
    assert_eq!(bench.orco(&["stop", "api", "db"]).code, Some(0));
    let mut start = bench.command(&["start", "api"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(start.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("api: blocked: dependency db not Ready"), "{line}");
    assert_eq!(bench.orco(&["start", "db"]).code, Some(0));
    assert!(wait(&mut start, &["start"]).success());
}

#[test]
fn status_watch_streams_every_change() {
    let bench = Bench::new(&sleeper("a"));
    let mut up = bench.up(&[]);
    bench.until_ready("a");
    let mut watch = bench
        .command(&["status", "--watch", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(|l| l.unwrap());
    let parse = |line: String| serde_json::from_str::<Value>(&line).unwrap();
    let first = parse(lines.next().unwrap());
    assert_eq!(first["services"]["a"]["state"], "Running");
    assert_eq!(bench.orco(&["stop", "a"]).code, Some(0));
    let later = lines.by_ref().map(parse).find(|s| s["services"]["a"]["state"] == "Stopped").unwrap();
    assert!(later["version"].as_u64() > first["version"].as_u64());
    // The end of the stack is the end of the stream, and no error.
    assert_eq!(bench.orco(&["down"]).code, Some(0));
    lines.for_each(|line| drop(parse(line)));
    assert!(wait(&mut watch, &["status", "--watch"]).success());
    assert_eq!(up.end().code, Some(0));
}

#[test]
fn events_follow() {
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    bench.until_ready("a");
    let mut follow = bench.command(&["events", "-f", "--tail", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(|l| l.unwrap());
    // There may be no event before the stream begins, so there is always a next one.
    let restarter = std::thread::scope(|scope| {
        let seen = scope.spawn(|| lines.next().unwrap());
        until("an event", || {
            assert_eq!(bench.orco(&["restart", "a"]).code, Some(0));
            seen.is_finished()
        });
        seen.join().unwrap()
    });
    let event: Value = serde_json::from_str(&restarter).unwrap();
    for field in ["ts", "seq", "type", "service", "replica", "message", "reason", "attempt", "data"] {
        assert!(event.get(field).is_some(), "{field} in {event}");
    }
    let _ = follow.kill();
    let _ = follow.wait();
    let text = bench.orco(&["events", "-o", "text", "--tail", "3"]).out;
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn the_state_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&sleeper("a"));
    let _up = bench.up(&[]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = std::fs::read_dir(bench.dir.path().join("state")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("control.sock")), 0o600);
    let meta: Value = serde_json::from_slice(&std::fs::read(state.join("meta.json")).unwrap()).unwrap();
    assert_eq!(meta["stack"], "demo");
}
