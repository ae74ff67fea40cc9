//! G4: kill -9 of `orco up` at any moment leaves nothing behind within a second, and blocks no later start.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::bench::{Bench, until};

/// A documented command asks for more.
fn rounds(few: u64) -> u64 {
    std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// Those alive (by state: a zombie is not) with this text in their arguments or their environment.
fn marked(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if entry.file_name().to_str().is_none_or(|name| name.parse::<u32>().is_err()) {
            continue;
        }
        let read =
            |file: &str| String::from_utf8_lossy(&fs::read(entry.path().join(file)).unwrap_or_default()).into_owned();
        let stat = read("stat");
        let dead = stat
            .rsplit(')')
            .next()
            .is_none_or(|rest| rest.trim_start().is_empty() || rest.starts_with(" Z") || rest.starts_with(" X"));
        let line = read("cmdline");
        if !dead && (line.contains(text) || read("environ").contains(text)) {
            found.push(line.replace('\0', " "));
        }
    }
    found
}

/// Plain ones behind a gate, one that ignores the signals, a daemon in a session of its own.
const SERVICES: &str = r#"  plain: { command: [sh, -c, "sleep 1000; : TAG"], replicas: 3 }
  stubborn: { command: [sh, -c, "trap '' TERM INT HUP; while :; do sleep 1; done; : TAG"], stop: { timeout: 300ms } }
  daemon:
    command: [sh, -c, "setsid sh -c 'setsid sh -c \"echo ready; sleep 1000; : TAG\" & sleep 0.01' & sleep 1000; : TAG"]
    health: { log: { pattern: ^ready } }
  last: { command: [sh, -c, "sleep 1000; : TAG"], dependsOn: [daemon] }
"#;

#[test]
fn at_any_moment_nothing_is_left() {
    let rounds = rounds(5);
    let mut worst = Duration::ZERO;
    let (mut most, bench) = (0, Bench::new(""));
    // No other process of this machine has this text.
    let tag = bench.dir.path().to_str().unwrap().to_owned();
    bench.write("stack.yaml", &crate::bench::stack("demo", &SERVICES.replace("TAG", &tag)));
    for round in 0..rounds {
        let mut up = bench.up_at_once(&[]);
        // From before the first start to when all is up.
        thread::sleep(Duration::from_millis(250 * (round + 1) / rounds));
        most = most.max(marked(&tag).len());
        up.signal(Signal::SIGKILL);
        let begun = Instant::now();
        up.end();
        while !marked(&tag).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(1), "round {round}: left: {:?}", marked(&tag));
            thread::sleep(Duration::from_millis(5));
        }
        worst = worst.max(begun.elapsed());
    }
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("G4: `orco up` killed {rounds} times, up to {most} processes, gone after at most {worst:?}\n")
            .as_bytes(),
    );
    assert!(most > 5, "there was nothing to leave behind");
    let mut up = bench.up(&[]);
    until("a later start works", || bench.service("last")["ready"] == true);
    up.signal(Signal::SIGTERM);
    assert_eq!(up.end().code, Some(0));
    assert_eq!(marked(&tag), Vec::<String>::new());
}
