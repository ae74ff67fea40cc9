//! First starts, scaling, failed starts, ports.

use super::story::{Story, pair};
use crate::{brain::samples, model::Verdict, spec::Kind};

#[test]
fn nothing_runs_before_somebody_asks() {
    let mut story = Story::new(pair());
    assert_eq!(story.table(), "db Stopped 0/1\napi Stopped 0/1");
    story.play("tick 1000s");
}

#[test]
fn up_in_order_of_readiness() {
    let mut story = Story::new(pair());
    story.play(
        "up => start db/0
        started db => probe db/0
        fail db
        tick 10s
        pass db => start api/0
        started api",
    );
    assert_eq!(story.table(), "db Running ready 1/1\napi Running ready 1/1");
    assert!(story.snapshot().all_ready());
    story.play("up\nup api db\nstart api");
}

#[test]
fn one_service_with_what_it_needs() {
    let mut story = Story::new(pair());
    story.play("up db => start db/0\nstarted db => probe db/0\npass db");
    let mut story = Story::new(pair());
    story.play("up api => start db/0");
    let mut story = Story::new(pair());
    story.play("start api");
    assert_eq!(
        story.table(),
        "db Stopped 0/1\napi Pending 0/1: blocked: dependency db not Ready (timeout 1m, not asked to start)"
    );
    story.play("start db => start db/0\nstarted db => probe db/0\npass db => start api/0");
}

#[test]
fn unknown_names_are_refused_and_change_nothing() {
    let mut story = Story::new(pair());
    story.play(
        "up dbb => refused: no service `dbb`, did you mean `db`?
        stop elephant => refused: no service `elephant`
        scale api 0 => refused: cannot scale `api` to 0: use `stop` to have none
        scale api 1001 => refused: cannot scale `api` to 1001: at most 1000
        tick 1s",
    );
}

#[test]
fn scale_up_down_and_up_again() {
    let mut story = Story::new(vec![samples::service("api")]);
    story.play(
        "up => start api/0
        started api
        scale api 3 => start api/1, start api/2
        started api/1
        started api/2
        scale api 1 => stop api/1, stop api/2
        scale api 3
        exit api/2 0 => start api/2
        tick 10s => kill api/1
        signal api/1 9 => start api/1
        started api/1
        started api/2",
    );
    assert_eq!(story.table(), "api Running ready 3/3");
    assert_eq!(story.snapshot().services[0].restarts, 0);
}

#[test]
fn a_failed_start_is_a_failure() {
    let mut story = Story::new(vec![samples::service("api")]);
    story.events = true;
    story.play(
        "up => start api/0, !Starting api/0
        nostart api => !Crashed api/0, !Restarting api/0",
    );
    let message = story.snapshot().services[0].message.clone();
    assert!(message.starts_with("restart 1/5 in 1"), "{message}");
    assert!(message.ends_with("(could not be started: no such file)"), "{message}");
    story.play("tick 2s => start api/0, !Starting api/0");
    assert_eq!(story.snapshot().services[0].restarts, 1);
}

#[test]
fn a_start_with_unknown_outcome_is_killed_until_its_exit() {
    let mut story = Story::new(vec![samples::service("api")]);
    story.play(
        "up => start api/0
        limbo api => kill api/0
        tick 100s
        exit api 0
        tick 2s => start api/0",
    );
    let mut story = Story::new(vec![samples::service("api")]);
    story.play(
        "up => start api/0
        down => stop api/0
        limbo api => kill api/0
        tick 100s
        signal api 9",
    );
    assert_eq!(story.table(), "api Stopped 0/1: stopped by you");
}

#[test]
fn a_port_lost_to_a_stranger_is_no_restart_five_times_in_a_row() {
    let mut story = Story::new(vec![samples::service("api")]);
    story.play(
        "up => start api/0
        lost api => start api/0
        lost api => start api/0
        lost api => start api/0
        lost api => start api/0
        lost api => start api/0",
    );
    assert_eq!(story.snapshot().services[0].restarts, 0);
    story.play("lost api\ntick 2s => start api/0\nstarted api");
    assert_eq!(story.snapshot().services[0].restarts, 1);
    // Once it was ready, a lost port is no excuse any more.
    story.play("lost api\ntick 4s => start api/0");
}

#[test]
fn readiness_follows_the_thresholds() {
    let mut services = pair();
    let tally = &mut services[0].health.as_mut().unwrap().tally;
    (tally.success_threshold, tally.failure_threshold) = (2, 2);
    let mut story = Story::new(services);
    story.play(
        "up => start db/0
        started db => probe db/0
        pass db
        unknown db
        pass db => start api/0
        started api
        fail db
        tick 5s
        fail db
        unknown db",
    );
    assert!(story.snapshot().services[0].ready);
    story.play("fail db");
    assert_eq!(story.table(), "db Running 0/1: unready: probe failing connection refused\napi Running ready 1/1");
    let probe = story.snapshot().services[0].last_probe.clone();
    assert_eq!(probe, Some((0, Verdict::Fail("connection refused".into()))));
}

#[test]
fn a_daemons_health_gates_nobody() {
    let mut services = pair();
    services[0].kind = Kind::Daemon;
    let mut story = Story::new(services);
    story.play("up => start db/0\nstarted db => probe db/0, start api/0\nstarted api");
    assert!(story.snapshot().all_ready());
}

#[test]
fn the_quorum_of_replicas_makes_a_service_ready() {
    let mut services = pair();
    services[0].replicas = 4;
    services[0].update.max_unavailable = crate::spec::Amount::Percent(30);
    let mut story = Story::new(services);
    story.play(
        "up => start db/0, start db/1, start db/2, start db/3
        started db/0 => probe db/0
        started db/1 => probe db/1
        started db/2 => probe db/2
        pass db/0
        pass db/1
        pass db/2 => start api/0",
    );
}
