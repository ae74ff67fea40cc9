//! Crashes, backoff, the limit of retries, liveness, admission.

use std::time::Duration;

use super::story::{Story, pair};
use crate::{
    brain::{BrainConfig, samples},
    model::{EventKind, State},
    spec::{Condition, RetryLimit, Service},
};

fn crashing(limit: u32) -> Service {
    let mut api = samples::service("api");
    api.restart.max_retries = RetryLimit::Limited(limit);
    api.restart.backoff.max = Duration::from_secs(1);
    api
}

#[test]
fn retries_are_exact() {
    let mut story = Story::new(vec![crashing(2)]);
    story.play(
        "up => start api/0
        exit api 1
        tick 999ms
        tick 1ms => start api/0
        started api
        exit api 1
        tick 1s => start api/0
        exit api 1
        tick 1000s",
    );
    assert_eq!(story.table(), "api Failed 0/1: exit code 1, after 2 restarts");
    assert_eq!(story.snapshot().services[0].restarts, 2);
    // A start clears the count, not the total.
    story.play(
        "start api => start api/0
        exit api 1
        tick 1s => start api/0
        exit api 1
        tick 1s => start api/0
        exit api 1
        tick 1000s
        up => start api/0",
    );
    assert_eq!(story.snapshot().services[0].restarts, 4);
    let failed = story.happened.iter().filter(|h| h.kind == EventKind::ServiceFailed).count();
    assert_eq!(failed, 2);
}

#[test]
fn a_stable_time_resets_the_count() {
    let mut api = crashing(1);
    api.restart.reset_after = Duration::from_secs(60);
    let mut story = Story::new(vec![api]);
    story.play(
        "up => start api/0
        started api
        tick 59s
        exit api 1
        tick 1s => start api/0
        started api
        tick 60s
        exit api 1
        tick 1s => start api/0
        started api
        tick 59s
        exit api 1",
    );
    assert_eq!(story.snapshot().services[0].state, State::Failed);
}

#[test]
fn unready_time_is_not_stable() {
    let mut services = pair();
    services[0].restart.max_retries = RetryLimit::Limited(1);
    let mut story = Story::new(services);
    story.play(
        "up db => start db/0
        started db => probe db/0
        pass db
        tick 50s
        fail db
        fail db
        fail db
        tick 50s
        exit db 1
        tick 2s => start db/0
        started db => probe db/0
        tick 100s
        exit db 1",
    );
    assert_eq!(story.snapshot().services[0].state, State::Failed);
}

#[test]
fn start_ends_a_backoff() {
    let mut story = Story::new(vec![crashing(2)]);
    story.play("up => start api/0\nexit api 1\nstart api => start api/0\nexit api 1\nrestart api => start api/0");
    assert_eq!(story.snapshot().services[0].restarts, 0);
}

#[test]
fn not_ready_in_time_is_a_failed_start() {
    let mut story = Story::new(pair());
    story.play(
        "up db => start db/0
        started db => probe db/0
        fail db
        tick 299s
        tick 1s => stop db/0
        exit db 0
        tick 2s => start db/0",
    );
    let restarting = story.happened.iter().find(|h| h.kind == EventKind::ServiceRestarting).unwrap();
    assert_eq!(restarting.reason.as_deref(), Some("not ready in time: probe failing connection refused"));
}

#[test]
fn liveness_restarts_through_the_policy() {
    let mut services = pair();
    services[0].liveness = Some(samples::health());
    services[0].restart.max_retries = RetryLimit::Limited(1);
    let mut story = Story::new(services);
    story.play(
        "up => start db/0
        started db => probe db/0, probe db/0 liveness
        pass db => start api/0
        started api
        sick db
        sick db
        sick db
        tick 5s
        sick db
        sick db
        well db
        sick db
        sick db
        sick db => stop db/0
        tick 10s => kill db/0
        signal db 9
        tick 2s => start db/0
        started db => probe db/0, probe db/0 liveness
        tick 5s
        sick db
        sick db
        sick db => stop db/0
        exit db 0",
    );
    assert_eq!(story.snapshot().services[0].message, "liveness: probe failing connection refused, after 1 restart");
}

#[test]
fn conditions() {
    let mut api = samples::service("api");
    api.restart.condition = Condition::OnFailure;
    let mut story = Story::new(vec![api]);
    story.play("up => start api/0\nstarted api\nsignal api 9\ntick 2s => start api/0\nexit api 0\ntick 100s");
    assert_eq!(story.snapshot().services[0].state, State::Completed);
    assert!(story.snapshot().all_ready());
}

#[test]
fn oneshots_run_once_per_up() {
    let mut story = Story::new(vec![samples::oneshot("seed")]);
    story.play("up => start seed/0\nstarted seed");
    assert_eq!(story.table(), "seed Running 0/1");
    story.play("exit seed 0\nup\nup\ntick 9s");
    assert_eq!(story.table(), "seed Completed ready 1/1");
    story.play(
        "start seed => start seed/0
        exit seed 0
        restart seed => start seed/0
        exit seed 0
        down
        up => start seed/0",
    );
    assert_eq!(story.snapshot().services[0].restarts, 0);
}

#[test]
fn restarts_are_admitted_in_order_of_waiting() {
    let services: Vec<_> = (0..5)
        .map(|n| {
            let mut service = samples::service(&format!("s{n}"));
            service.restart.backoff.min = Duration::ZERO;
            service.restart.backoff.max = Duration::ZERO;
            service
        })
        .collect();
    let mut config = BrainConfig::new(7);
    config.restarts_per_second = 2;
    let mut story = Story::with(config, samples::stack(services));
    story.play(
        "up => start s0/0, start s1/0, start s2/0, start s3/0, start s4/0
        exit s4 1 => start s4/0
        exit s3 1 => start s3/0
        tick 500ms
        exit s2 1
        exit s0 1
        tick 100ms
        exit s1 1",
    );
    assert_eq!(story.snapshot().services[2].message, "waits for its turn: too many starts at once");
    story.play(
        "tick 399ms
        tick 1ms => start s0/0, start s2/0
        tick 999ms
        tick 1ms => start s1/0",
    );
}

#[test]
fn who_waits_for_admission_may_be_stopped() {
    let service = |name| {
        let mut service = samples::service(name);
        service.restart.backoff.min = Duration::ZERO;
        service.restart.backoff.max = Duration::ZERO;
        service
    };
    let mut config = BrainConfig::new(7);
    config.restarts_per_second = 1;
    let mut story = Story::with(config, samples::stack(vec![service("a"), service("b"), service("c")]));
    story.play(
        "up => start a/0, start b/0, start c/0
        exit a 1 => start a/0
        exit b 1
        exit c 1
        stop b
        tick 1s => start c/0
        tick 9s",
    );
}
