//! `restart`, and `Apply` of changed services: one replica at a time.

use std::time::Duration;

use super::story::{Story, pair};
use crate::{
    brain::samples,
    model::{Revision, Role},
    spec::{Require, Service},
};

fn fleet(replicas: u32) -> Story {
    let mut api = samples::service("api");
    api.health = Some(samples::health());
    api.replicas = replicas;
    let mut story = Story::new(vec![api]);
    story.play("up => start api/0, start api/1");
    story.play("started api/0 => probe api/0\nstarted api/1 => probe api/1\npass api/0\npass api/1");
    story
}

fn changed(mut service: Service) -> Service {
    service.revision = Revision(service.revision.0 + 1);
    service
}

#[test]
fn restart_replaces_one_at_a_time() {
    let mut story = fleet(2);
    story.play("restart api => stop api/0");
    assert!(story.snapshot().services[0].changing);
    story.play(
        "exit api/0 0 => start api/0
        started api/0 => probe api/0
        fail api/0
        tick 1s
        pass api/0 => stop api/1
        exit api/1 0 => start api/1
        started api/1 => probe api/1
        pass api/1
        tick 100s",
    );
    assert_eq!(story.table(), "api Running ready 2/2");
    assert!(!story.snapshot().services[0].changing);
    let runs: Vec<_> = story.snapshot().services[0].instances.iter().map(|i| i.run).collect();
    assert_eq!(runs, [2, 2]);
    assert_eq!(story.snapshot().services[0].restarts, 0);
}

#[test]
fn a_bad_revision_leaves_a_good_fleet() {
    let mut story = fleet(2);
    let mut api = samples::service("api");
    api.health = Some(samples::health());
    api.replicas = 2;
    api.restart.max_retries = crate::spec::RetryLimit::Limited(0);
    let good = api.clone();
    assert_eq!(story.apply(samples::stack(vec![changed(api)])), "stop api/0");
    story.play("exit api/0 0 => start api/0\nexit api/0 1\ntick 1000s");
    assert_eq!(story.table(), "api Failed 1/2: exit code 1, no restarts allowed");
    // Back to what still stands: only what is missing is made.
    assert_eq!(story.apply(samples::stack(vec![good])), "start api/0");
    story.play("started api/0 => probe api/0\npass api/0\ntick 9s");
    assert_eq!(story.table(), "api Running ready 2/2");
}

#[test]
fn nothing_changed_means_nothing_done() {
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api");
    assert_eq!(story.apply(samples::stack(pair())), "");
    story.play("tick 100s");
}

#[test]
fn what_is_taken_over_in_place() {
    let mut story = fleet(2);
    let mut api = samples::service("api");
    api.replicas = 3;
    let mut health = samples::health();
    health.tally.interval = Duration::from_secs(9);
    api.health = Some(health);
    assert_eq!(story.apply(samples::stack(vec![api.clone()])), "probe api/0, probe api/1, start api/2");
    // Ready until the new probe says otherwise.
    assert_eq!(story.snapshot().services[0].ready_replicas, 2);
    api.health = None;
    api.replicas = 2;
    assert_eq!(story.apply(samples::stack(vec![api])), "unprobe, unprobe, stop api/2");
    story.play("exit api/2 0\ntick 9s");
    assert_eq!(story.table(), "api Running ready 2/2");
}

#[test]
fn verdicts_of_an_earlier_probe_version_are_stale() {
    let mut story = Story::new(pair());
    story.play("up db => start db/0\nstarted db => probe db/0");
    let old = match story.brain.snapshot(story.now).services[0].instances[0].id {
        Some(inst) => crate::model::Fact::Probed {
            at: crate::model::Seat {
                service: story.brain.ix("db").unwrap(),
                slot: crate::model::SlotKey { generation: crate::model::Gen(1), replica: 0 },
            },
            inst,
            role: Role::Readiness,
            version: crate::model::ProbeVersion(0),
            verdict: crate::model::Verdict::Pass,
        },
        None => panic!("no instance"),
    };
    let mut services = pair();
    services[0].health.as_mut().unwrap().tally.failure_threshold = 9;
    assert_eq!(story.apply(samples::stack(services)), "probe db/0");
    story.input(crate::brain::Input::Fact(old));
    assert!(!story.snapshot().services[0].ready);
    story.play("pass db");
    assert!(story.snapshot().services[0].ready);
}

#[test]
fn a_dependents_replacement_waits_for_the_dependencys() {
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api");
    let services: Vec<_> = pair().into_iter().map(changed).collect();
    assert_eq!(story.apply(samples::stack(services)), "stop db/0");
    assert_eq!(story.snapshot().services[1].state.as_str(), "Running");
    story.play(
        "exit db 0 => start db/0
        started db => probe db/0
        tick 9s
        pass db => stop api/0
        exit api 0 => start api/0
        started api",
    );
    assert_eq!(story.table(), "db Running ready 1/1\napi Running ready 1/1");
}

#[test]
fn nothing_serving_goes_while_the_next_could_not_start() {
    let mut story = Story::new(pair());
    story.play(
        "up => start db/0
        started db => probe db/0
        pass db => start api/0
        started api
        stop db => stop db/0
        exit db 0
        restart api
        tick 9s",
    );
    assert_eq!(story.snapshot().services[1].message, "blocked: dependency db not Ready (timeout 1m, stopped by you)");
    story.play("start db => start db/0\nstarted db => probe db/0\npass db => stop api/0");
}

#[test]
fn a_failed_service_is_just_started_anew() {
    let mut api = samples::service("api");
    api.restart.condition = crate::spec::Condition::Never;
    let mut story = Story::new(vec![api]);
    story.play("up => start api/0\nexit api 1\ntick 9s\nrestart api => start api/0");
    assert!(!story.snapshot().services[0].changing);
}

#[test]
fn restart_in_the_middle_of_restart() {
    let mut story = fleet(2);
    story.play(
        "restart api => stop api/0
        restart api
        exit api/0 0 => start api/0
        started api/0 => probe api/0
        restart api => stop api/0
        tick 10s => kill api/0
        signal api/0 9 => start api/0
        started api/0 => probe api/0
        pass api/0 => stop api/1
        exit api/1 0 => start api/1
        started api/1 => probe api/1
        pass api/1
        tick 9s",
    );
    assert_eq!(story.table(), "api Running ready 2/2");
}

#[test]
fn down_in_the_middle_of_a_restart_and_up_again() {
    let mut story = fleet(2);
    story.play(
        "restart api => stop api/0
        down => stop api/1
        up
        exit api/0 0 => start api/0
        exit api/1 0 => start api/1
        started api/0 => probe api/0
        started api/1 => probe api/1
        pass api/0
        pass api/1
        tick 9s",
    );
    assert!(!story.snapshot().services[0].changing);
}

#[test]
fn min_ready_counts_for_the_new_ones() {
    let mut api = samples::service("api");
    api.replicas = 2;
    api.update.min_ready = Duration::from_secs(10);
    let mut story = Story::new(vec![api]);
    story.play(
        "up => start api/0, start api/1
        started api/0
        started api/1
        restart api => stop api/0
        exit api/0 0 => start api/0
        started api/0
        tick 9s
        tick 1s => stop api/1
        exit api/1 0 => start api/1
        started api/1
        tick 10s",
    );
    assert!(!story.snapshot().services[0].changing);
}

#[test]
fn a_changed_oneshot_runs_again_and_holds_its_dependents() {
    let seed = samples::oneshot("seed");
    let mut api = samples::service("api");
    api.depends_on = vec![samples::need("seed", Require::Completed)];
    let mut story = Story::new(vec![seed.clone(), api.clone()]);
    story.play("up => start seed/0\nstarted seed\nexit seed 0 => start api/0\nstarted api");
    assert_eq!(story.apply(samples::stack(vec![changed(seed), changed(api)])), "start seed/0");
    story.play("started seed\ntick 9s\nexit seed 0 => stop api/0\nexit api 0 => start api/0");
}
