//! `daemon run`, as systemd and containers run it.

use std::{
    os::unix::net::UnixDatagram,
    process::Stdio,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{Detached, pids};
use crate::bench::{Bench, finish, is_alive, pid, signal, sleeper, until};

#[test]
fn it_tells_the_service_manager_how_it_goes() {
    let bench =
        Bench::new("  slow: { command: [sh, -c, \"echo NOTIFY=$NOTIFY_SOCKET=$WATCHDOG_USEC; exec sleep 1000\"] }\n");
    let path = bench.dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let next = || {
        let mut bytes = [0; 512];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let next_but_pings = || loop {
        let said = next();
        if said != "WATCHDOG=1" {
            return said;
        }
    };
    let daemon = Detached::of(&bench);
    let mut command = bench.command(&["daemon", "run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let own = i32::try_from(run.id()).unwrap();
    assert!(next().starts_with("READY=1\nSTATUS="));
    assert_eq!(daemon.keeper(), own, "the calling process is the keeper");
    let begun = Instant::now();
    (0..5).for_each(|_| assert_eq!(next(), "WATCHDOG=1"));
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    until("the service has said", || bench.orco(&["logs", "-o", "raw"]).out.contains("NOTIFY"));
    assert_eq!(bench.orco(&["logs", "-o", "raw"]).out, "NOTIFY==\n", "services have no business with it");

    signal(own, Signal::SIGHUP);
    assert_eq!(next_but_pings(), "RELOADING=1");
    assert!(next_but_pings().starts_with("READY=1"));
    // Another engine says again that it is ready, and lives.
    signal(daemon.engine(), Signal::SIGKILL);
    assert!(next_but_pings().starts_with("READY=1"));
    assert_eq!(next(), "WATCHDOG=1");

    let service = pid(&bench.service("slow"));
    signal(own, Signal::SIGTERM);
    assert!(next_but_pings().starts_with("STOPPING=1"));
    let end = finish(run, &["daemon", "run"]);
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!is_alive(service));
    assert!(end.err.contains("it serves"), "its stderr is the log: {}", end.err);
}

#[test]
fn a_terminal_interrupts_it_once() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::of(&bench);
    let mut command = bench.command(&["daemon", "run"]);
    // A process group of its own, as a shell makes it: all of it gets the signal.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it answers", || bench.orco(&["status"]).code == Some(0));
    bench.until_ready("a");
    let before = pids(&bench);
    signal(-i32::try_from(run.id()).unwrap(), Signal::SIGINT);
    let end = finish(run, &["daemon", "run"]);
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!end.err.contains("again"), "one signal counts once: {}", end.err);
    assert!(before.iter().all(|(_, pid)| !is_alive(*pid)));
    drop(daemon);
}

#[test]
fn the_unit_is_printed() {
    let bench = Bench::new(
        "  db: { command: [\"true\"], stop: { timeout: 20s } }\n  api: { command: [\"true\"], dependsOn: [db], stop: { timeout: 5s } }\n",
    );
    let file = bench.dir.path().canonicalize().unwrap().join("stack.yaml");
    for args in [&["systemd-unit"][..], &["systemd-unit", "--user", "-f", "stack.yaml"]] {
        let done = bench.orco(args);
        assert_eq!(done.code, Some(0), "{done:?}");
        let exec = format!("ExecStart={} daemon run -f {}\n", env!("CARGO_BIN_EXE_orco"), file.display());
        for part in [exec.as_str(), "TimeoutStopSec=35\n", "Type=notify\n", "ExecReload=/bin/kill -HUP $MAINPID\n"] {
            assert!(done.out.contains(part), "{part}: {}", done.out);
        }
    }
    bench.write("stack.yaml", "[");
    assert_eq!(bench.orco(&["systemd-unit"]).code, Some(2));
}

/// G18: the sign of life comes from the loop itself, so one that stands still is found out though all else goes on.
#[cfg(feature = "crash-points")]
#[test]
fn an_engine_whose_loop_stands_still_gives_no_sign_of_life() {
    let bench = Bench::new(&sleeper("calm"));
    let (path, stall) = (bench.dir.path().join("notify"), bench.dir.path().join("stall"));
    let manager = UnixDatagram::bind(&path).unwrap();
    let next = |limit| {
        manager.set_read_timeout(Some(limit)).unwrap();
        let mut bytes = [0; 512];
        manager.recv(&mut bytes).ok().map(|length| String::from_utf8(bytes[..length].to_vec()).unwrap())
    };
    let patience = Duration::from_secs(20);
    let mut command = bench.command(&["daemon", "run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000").env("ORCO_CRASH_STALL", &stall);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let own = i32::try_from(run.id()).unwrap();
    assert!(next(patience).unwrap().starts_with("READY=1"));
    assert_eq!(next(patience).unwrap(), "WATCHDOG=1");
    std::fs::write(&stall, "").unwrap();
    // Those under way may still come; then there is silence for ten times the pause between two.
    until("it is silent", || next(Duration::from_secs(1)).is_none());
    std::fs::remove_file(&stall).unwrap();
    assert_eq!(next(patience).unwrap(), "WATCHDOG=1");
    signal(own, Signal::SIGTERM);
    assert_eq!(finish(run, &["daemon", "run"]).code, Some(0));
}
