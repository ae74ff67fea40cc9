//! G35: the engine is paused and goes on. What happened meanwhile is nobody's fault.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::custom;
use crate::fleet::{figure, until};

/// Answers HTTP with 200, slowly enough that an answer takes several steps; counts the questions.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head);
                for part in ["HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\n", "ok"] {
                    std::thread::sleep(Duration::from_millis(3));
                    let _ = stream.write_all(part.as_bytes());
                }
            });
        }
    });
    (port, asked)
}

#[test]
fn a_paused_engine_restarts_nothing_healthy() {
    const SERVICES: usize = 40;
    let (port, asked) = server();
    let mut services = String::new();
    for n in 0..SERVICES {
        let http = format!(
            "{{ interval: 200ms, timeout: 100ms, failureThreshold: 1, http: {{ url: \"http://127.0.0.1:{port}/\" }} }}"
        );
        let _ = writeln!(services, "  s{n:02}: {{ command: [sleep, \"100000\"], health: {http}, liveness: {http} }}");
    }
    let fleet = custom(&services);
    fleet.ok(&["up", "-d", "--wait"]);
    let before = fleet.mains();
    let last = fleet.ok(&["events", "--tail", "1"]).out;
    let engine = Pid::from_raw(fleet.engine().unwrap());
    let full = std::env::var("ORCO_ROUNDS").is_ok();
    // Longer than a probe's timeout, much longer, and in between: each hits probes that are under way.
    let mut pauses: Vec<u64> = vec![120, 200, 300, 500, 900, 1200, 3000];
    if full {
        pauses.extend([60_000, 110, 130, 150, 170, 190, 250, 400, 700, 1100]);
    }
    let mut worst = 0;
    for pause in pauses {
        until("they are asked", || {
            let now = asked.load(Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            asked.load(Ordering::SeqCst) > now
        });
        kill(engine, Signal::SIGSTOP).unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let paused = asked.load(Ordering::SeqCst);
        kill(engine, Signal::SIGCONT).unwrap();
        // Less than half an interval: nobody's second question is due.
        std::thread::sleep(Duration::from_millis(90));
        worst = worst.max(asked.load(Ordering::SeqCst) - paused);
        until("it answers", || fleet.status().is_some());
        assert_eq!(fleet.restarts(), 0, "after {pause} ms: {}", fleet.orco(&["events", "--tail", "20"]).out);
        assert_eq!(fleet.mains(), before, "after {pause} ms");
        let events = fleet.ok(&["events"]).out;
        let since = events.split_once(last.trim()).map_or("", |(_, rest)| rest);
        assert!(!since.contains("Unready") && !since.contains("Unhealthy"), "after {pause} ms: {since}");
    }
    figure(&format!("G35: at most {worst} questions within 90 ms after a pause, by {} probes", 2 * SERVICES));
    assert!(worst <= 2 * SERVICES + SERVICES / 2, "{worst}");
    fleet.down();
}
