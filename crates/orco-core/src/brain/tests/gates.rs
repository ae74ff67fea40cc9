//! Gates: requirements, timeouts, `onFailure`.

use super::story::{Story, pair};
use crate::{
    brain::samples,
    model::EventKind,
    spec::{OnFailure, Require},
};

fn require(require: Require) -> Story {
    let mut services = pair();
    services[0].kind = if require == Require::Completed { crate::spec::Kind::Oneshot } else { services[0].kind };
    services[1].depends_on[0].require = require;
    Story::new(services)
}

#[test]
fn exists_needs_a_fact_not_an_intention() {
    require(Require::Exists).play("up => start db/0\ntick 1s\ncreated db => start api/0");
    require(Require::Exists).play("up => start db/0\nstarted db => probe db/0, start api/0");
    require(Require::Exists).play("up => start db/0\nnostart db\ntick 2s => start db/0");
}

#[test]
fn started_means_it_runs() {
    require(Require::Started).play("up => start db/0\ncreated db\nstarted db => probe db/0, start api/0");
    require(Require::Started).play(
        "up => start db/0
        started db => probe db/0, start api/0
        started api
        exit db 1
        exit api 1
        tick 1s
        tick 1s => start db/0
        tick 10s
        started db => probe db/0, start api/0",
    );
}

#[test]
fn completed_means_with_success() {
    require(Require::Completed).play(
        "up => start db/0
        started db => probe db/0
        pass db
        exit db 1
        tick 2s => start db/0
        exit db 0 => start api/0",
    );
}

#[test]
fn a_closed_gate_is_told_once_when_its_time_is_over() {
    let mut story = Story::new(pair());
    story.events = true;
    story.play(
        "up => start db/0, !Starting db/0
        started db => probe db/0, !Started db/0
        fail db
        tick 59s
        tick 1s => !Blocked api
        tick 100s",
    );
    let blocked = story.happened.iter().find(|h| h.kind == EventKind::ServiceBlocked).unwrap();
    assert_eq!(
        &*blocked.message,
        "api blocked: dependency db not Ready (timeout 1m, probe failing connection refused)"
    );
    // The gate goes on watching.
    story.play("pass db => start api/0, !Ready db/0, !Starting api/0");
}

#[test]
fn a_failed_dependency_is_told_at_once() {
    let mut services = pair();
    services[0].restart.condition = crate::spec::Condition::Never;
    let mut story = Story::new(services);
    story.events = true;
    story.play(
        "up => start db/0, !Starting db/0
        exit db 3 => !Crashed db/0, !Failed db/0, !Blocked api",
    );
    assert_eq!(
        story.table(),
        "db Failed 0/1: exit code 3, the policy allows no restart\n\
        api Pending 0/1: blocked: dependency db not Ready (timeout 1m, failed: exit code 3, the policy allows no restart)"
    );
    story.play(
        "start db => start db/0, !Starting db/0
        started db => probe db/0, !Started db/0
        pass db => start api/0, !Ready db/0, !Starting api/0",
    );
}

#[test]
fn the_gate_of_what_was_stopped_is_closed() {
    let mut story = Story::new(pair());
    story.play(
        "up => start db/0
        started db => probe db/0
        pass db => start api/0
        started api
        stop db => stop db/0
        exit api 1
        tick 100s => kill db/0
        exit db 0",
    );
    assert_eq!(
        story.table(),
        "db Stopped 0/1: stopped by you\n\
        api Pending 0/1: blocked: dependency db not Ready (timeout 1m, stopped by you)"
    );
    story.play("start db => start db/0\nstarted db => probe db/0\npass db => start api/0");
}

fn on_failure(on_failure: OnFailure) -> Story {
    let mut services = pair();
    services[1].depends_on[0].on_failure = on_failure;
    let mut story = Story::new(services);
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api");
    story
}

#[test]
fn on_failure_ignore() {
    on_failure(OnFailure::Ignore).play("signal db 9\ntick 2s => start db/0\nstarted db => probe db/0\npass db");
}

#[test]
fn on_failure_restart_waits_behind_the_gate() {
    let mut story = on_failure(OnFailure::Restart);
    story.play(
        "signal db 9 => stop api/0
        exit api 0
        tick 2s => start db/0
        started db => probe db/0
        pass db => start api/0
        started api
        tick 100s",
    );
    assert_eq!(story.snapshot().services[1].restarts, 1);
    assert_eq!(story.snapshot().services[1].message, "");
}

#[test]
fn on_failure_restart_by_unreadiness_with_a_weaker_gate() {
    let mut services = pair();
    services[1].depends_on[0].on_failure = OnFailure::Restart;
    services[1].depends_on[0].require = Require::Started;
    let mut story = Story::new(services);
    story.play(
        "up => start db/0
        started db => probe db/0, start api/0
        started api
        pass db
        tick 6s
        fail db
        fail db
        fail db => stop api/0
        exit api 0 => start api/0
        started api
        tick 100s
        pass db",
    );
}

#[test]
fn on_failure_stop_until_somebody_starts_it() {
    let mut story = on_failure(OnFailure::Stop);
    story.play(
        "signal db 9 => stop api/0\nexit api 0\ntick 2s => start db/0\nstarted db => probe db/0\npass db\ntick 9s",
    );
    assert_eq!(story.snapshot().services[1].message, "stopped: dependency db not Ready");
    story.play("start api => start api/0");
}

#[test]
fn several_dependencies_share_one_wait() {
    let mut services = pair();
    let mut cache = samples::service("cache");
    cache.health = Some(samples::health());
    services.push(cache);
    services[1].depends_on.push(samples::need("cache", Require::Ready));
    let mut story = Story::new(services);
    story.events = true;
    story.play(
        "up => start db/0, start cache/0, !Starting db/0, !Starting cache/0
        started db => probe db/0, !Started db/0
        started cache => probe cache/0, !Started cache/0
        tick 50s
        pass db => !Ready db/0
        tick 10s => !Blocked api
        pass cache => start api/0, !Ready cache/0, !Starting api/0",
    );
}
