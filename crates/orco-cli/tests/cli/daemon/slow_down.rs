//! While a stack goes down slowly, nothing of it is started; who wants it up waits.

use std::{fs::File, process::Stdio};

use super::Detached;
use crate::bench::{Bench, pid, until, wait};

#[test]
fn a_slow_down_refuses_a_restart_and_up_waits_for_it() {
    // Told to stop, it waits for the test.
    let script = "trap 'while [ ! -e go ]; do sleep 0.05; done; exit 0' TERM; echo set; while :; do sleep 0.05; done";
    let bench = Bench::new(&format!(
        "  a: {{ command: [sh, -c, \"{script}\"], stop: {{ timeout: 5m }}, health: {{ log: {{ pattern: set }} }} }}\n"
    ));
    let _daemon = Detached::up(&bench);
    let before = pid(&bench.service("a"));
    let mut down = bench.command(&["down"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it goes down", || bench.service("a")["state"] == "Stopping");

    let refused = bench.orco(&["restart", "a"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("on its way down"), "{}", refused.err);

    let said = bench.dir.path().join("said");
    let mut up = bench.command(&["up", "-d", "--wait"]);
    let mut up = up.stdout(Stdio::null()).stderr(File::create(&said).unwrap()).spawn().unwrap();
    let said = || std::fs::read_to_string(&said).unwrap();
    until("`up` says on what it waits", || said().contains("demo is on its way down: waiting for that"));
    assert_eq!(pid(&bench.service("a")), before);

    bench.write("go", "");
    assert_eq!(wait(&mut down, &["down"]).code(), Some(0));
    assert_eq!(wait(&mut up, &["up", "-d", "--wait"]).code(), Some(0), "{}", said());
    let after = bench.service("a");
    assert!(after["ready"] == true && pid(&after) != before, "{after:#}");
}
