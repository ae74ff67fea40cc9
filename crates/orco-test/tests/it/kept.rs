//! Services that a failed test leaves for its reader.

use std::time::Duration;

use crate::world::{Actor, eventually, hosts, kill, mark, marked, rooms};

const SOON: Duration = Duration::from_secs(10);

fn gone(temp: &std::path::Path, mark: &str) {
    eventually("gone by itself", SOON, || marked(mark).is_empty() && hosts(temp).is_empty());
    assert_eq!(rooms(temp), Vec::<String>::new());
}

#[test]
fn a_test_that_panics_leaves_its_services_for_a_while() {
    for part in ["panics", "shared panics"] {
        let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
        let said = Actor::start(part, temp.path(), &mark).end();
        assert_eq!(marked(&mark).len(), 2, "{part}: left running: {said}");
        assert!(said.contains("are left running for 2s") && said.contains("server 127.0.0.1:"), "{said}");
        let logs = said.lines().find_map(|line| line.strip_prefix("orco-test:   logs: ")).unwrap();
        assert!(std::path::Path::new(logs).join("server").exists(), "{said}");
        gone(temp.path(), &mark);
    }
}

#[test]
fn a_start_that_fails_leaves_what_has_started_and_ends_at_once_when_asked() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut actor = Actor::with("never ready", temp.path(), &mark, &[("ORCO_TEST_KEEP", "1")]);
    let said = actor.says("failed").join(" ");
    assert!(said.contains("server") && said.contains("not ready within 300ms"), "{said}");
    let said = actor.end();
    assert!(said.contains("are left running for 600s"), "{said}");
    assert_eq!(marked(&mark).len(), 1);
    let host = hosts(temp.path());
    assert!(said.contains(&format!("kill {}", host[0])), "{said}");
    kill(host[0]);
    eventually("ended when asked", SOON, || marked(&mark).is_empty());
}

#[test]
fn a_test_that_passes_leaves_nothing_though_it_would_be_kept() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut actor = Actor::with("passes", temp.path(), &mark, &[("ORCO_TEST_KEEP", "1")]);
    assert_eq!(actor.says("down"), ["0"], "down when shutdown returns");
    let said = actor.end();
    assert!(!said.contains("left running"), "{said}");
    gone(temp.path(), &mark);
}

#[test]
fn killed_it_leaves_nothing_though_it_would_be_kept() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut actor = Actor::with("own", temp.path(), &mark, &[("ORCO_TEST_KEEP", "1")]);
    actor.says("ready");
    actor.kill();
    gone(temp.path(), &mark);
}
