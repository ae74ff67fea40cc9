//! The engine dies at every kind of point, and the next one goes on.

use std::collections::BTreeSet;

use super::story::{Story, pair};
use crate::{
    brain::{Action, BrainConfig, Command, Input, samples},
    model::{EventKind, Exit, InstanceId, State},
    spec::{OnFailure, RetryLimit, Service},
};

fn one() -> Vec<Service> {
    let mut api = samples::service("api");
    api.restart.max_retries = RetryLimit::Limited(2);
    api.restart.backoff.max = std::time::Duration::from_secs(1);
    vec![api]
}

fn lively() -> Vec<Service> {
    let mut services = pair();
    services.truncate(1);
    services[0].liveness = Some(samples::health());
    services
}

fn leaning(on_failure: OnFailure) -> Vec<Service> {
    let mut services = pair();
    services[1].depends_on[0].on_failure = on_failure;
    services
}

/// What the stack looks like after these lines.
fn plays(services: Vec<Service>, lines: &str, table: &str) {
    let mut story = Story::new(services);
    story.play(lines);
    assert_eq!(story.table(), table, "after\n{lines}");
}

#[test]
fn in_a_start() {
    for (lines, table) in [
        // It was carried out.
        ("up => start api/0\ncrash\nstarted api\ncrash", "api Running ready 1/1"),
        ("up => start api/0\ncrash\nexit api 1\ntick 1s => start api/0", "api Starting 0/1: starting"),
        // It was not: it costs nothing.
        ("up => start api/0\ncrash api => start api/0\nstarted api", "api Running ready 1/1"),
        // Nobody knows whether the kill of a start with unknown outcome was.
        (
            "up => start api/0\nlimbo api => kill api/0\ncrash => kill api/0\nsignal api 9\ntick 1s => start api/0",
            "api Starting 0/1: starting",
        ),
        ("up => start api/0\nlimbo api => kill api/0\ncrash api\ntick 1s => start api/0", "api Starting 0/1: starting"),
        // It is not wanted any more.
        (
            "up => start api/0\ncrash\ndown => stop api/0\ncrash => stop api/0\nexit api 0",
            "api Stopped 0/1: stopped by you",
        ),
        ("up => start api/0\ndown => stop api/0\ncrash api", "api Stopped 0/1: stopped by you"),
    ] {
        plays(one(), lines, table);
    }
}

#[test]
fn in_a_restart() {
    let mut story = Story::new(one());
    story.play("up => start api/0\nexit api 1\ntick 500ms\ncrash\ntick 499ms\ntick 1ms => start api/0\ncrash");
    assert_eq!(story.snapshot().services[0].restarts, 1);
    // A start that never happened is no second restart, and no retry.
    story.play("crash api => start api/0\ncrash api => start api/0");
    assert_eq!(story.snapshot().services[0].restarts, 1);
    story.play("exit api 1\ncrash\ntick 1s => start api/0\nstarted api\ncrash");
    assert_eq!(story.snapshot().services[0].restarts, 2);
    story.play("exit api 1\ntick 100s\ncrash\ntick 100s");
    assert_eq!(story.table(), "api Failed 0/1: exit code 1, after 2 restarts");
    // Nor is it if the count began anew meanwhile.
    story.play("start api => start api/0\ncrash api => start api/0\nexit api 1\ntick 1s => start api/0");
    assert_eq!(story.snapshot().services[0].restarts, 3);
}

#[test]
fn while_it_runs() {
    for (lines, table) in [
        ("exit api 3\ntick 1s => start api/0\ncrash api => start api/0\nstarted api", "api Running ready 1/1"),
        // It ended while nobody looked: its exit is still told, or it is not.
        ("crash\nexit api 3\ntick 99ms", "api Starting 0/1: restart 1/2 in 901ms (exit code 3)"),
        ("crash api\ntick 99ms", "api Starting 0/1: restart 1/2 in 901ms (unknown exit)"),
        ("crash\ndown => stop api/0\nexit api 0\ncrash", "api Stopped 0/1: stopped by you"),
        ("scale api 2 => start api/1\ncrash\nstarted api/1\ncrash", "api Running ready 2/2"),
        (
            "scale api 2 => start api/1\nscale api 1 => stop api/1\ncrash => stop api/1\nexit api/1 0\ncrash",
            "api Running ready 1/1",
        ),
        ("scale api 2 => start api/1\nstarted api/1\nscale api 1 => stop api/1\ncrash api/1", "api Running ready 1/1"),
        ("lost api => start api/0\ncrash\nlost api => start api/0", "api Starting 0/1: starting"),
    ] {
        plays(one(), &format!("up => start api/0\nstarted api\ncrash\n{lines}"), table);
    }
}

#[test]
fn readiness_is_kept_until_the_probe_says_otherwise() {
    let mut story = Story::new(pair());
    story.play(
        "up => start db/0
        crash
        started db => probe db/0
        crash => probe db/0
        pass db => start api/0
        started api
        tick 9s
        crash => probe db/0",
    );
    assert_eq!(story.table(), "db Running ready 1/1\napi Running ready 1/1");
    assert_eq!(story.snapshot().services[0].instances[0].started_at, Some(crate::model::Moment::ZERO));
    story.play("fail db\nfail db\ncrash => probe db/0\nfail db\nfail db");
    assert!(story.snapshot().services[0].ready);
    story.play("fail db");
    assert!(!story.snapshot().services[0].ready);
    // Unready stays, too, and the probe's version.
    story.play("crash => probe db/0");
    assert!(!story.snapshot().services[0].ready);
    let told = |kind| story.happened.iter().filter(|h| h.kind == kind).count();
    assert_eq!((told(EventKind::StackReady), told(EventKind::EngineRecovered)), (1, 5));
}

#[test]
fn the_time_to_start_is_not_renewed() {
    let mut story = Story::new(lively());
    story.play(
        "up => start db/0
        started db => probe db/0, probe db/0 liveness
        tick 299s
        crash => probe db/0, probe db/0 liveness
        tick 1s => stop db/0
        tick 4s
        crash => stop db/0
        tick 5s
        tick 1s => kill db/0
        crash => kill db/0
        crash db
        tick 2s => start db/0",
    );
    assert_eq!(story.snapshot().services[0].restarts, 1);
}

#[test]
fn while_the_sick_one_ends() {
    for ended in ["exit db 0", "crash db"] {
        let mut story = Story::new(lively());
        story.play(
            "up => start db/0
            started db => probe db/0, probe db/0 liveness
            pass db
            tick 5s
            sick db
            sick db
            sick db => stop db/0
            crash => stop db/0",
        );
        story.play(ended);
        assert_eq!(
            story.table(),
            "db Starting 0/1: restart 1 in 1s (liveness: probe failing connection refused)",
            "after {ended}"
        );
        story.play("tick 999ms\ncrash\ntick 2s => start db/0");
    }
}

#[test]
fn on_failure_counts_what_was_ready_before() {
    let begin = "up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api";
    let mut story = Story::new(leaning(OnFailure::Restart));
    story.play(begin);
    story.play("crash db => stop api/0\ncrash => stop api/0\nexit api 0\ncrash\ntick 2s => start db/0");
    story.play(
        "started db => probe db/0\ncrash => probe db/0\npass db => start api/0\ncrash api => start api/0, probe db/0",
    );
    let restarts: Vec<_> = story.snapshot().services.iter().map(|s| s.restarts).collect();
    assert_eq!(restarts, [1, 1]);

    let mut story = Story::new(leaning(OnFailure::Stop));
    story.play(begin);
    story.play("crash => probe db/0\nexit db 1 => stop api/0\nexit api 0\ncrash\ntick 2s => start db/0");
    story.play("crash\nstarted db => probe db/0\npass db\ncrash => probe db/0");
    assert_eq!(story.table(), "db Running ready 1/1\napi Stopped 0/1: stopped: dependency db not Ready");
    story.play("reboot => start db/0\nstarted db => probe db/0\npass db");
    assert_eq!(story.snapshot().services[1].state, State::Stopped);
}

#[test]
fn in_a_replacement() {
    let mut api = samples::service("api");
    api.replicas = 2;
    let begin = "up => start api/0, start api/1\nstarted api/0\nstarted api/1\nrestart api => stop api/0";
    for (lines, table) in [
        (
            "crash => stop api/0\nexit api/0 0 => start api/0\ncrash\nstarted api/0 => stop api/1\ncrash => stop api/1
          exit api/1 0 => start api/1\ncrash api/1 => start api/1\nstarted api/1\ncrash",
            "api Running ready 2/2",
        ),
        (
            "crash api/0 => start api/0\nstarted api/0 => stop api/1\ncrash api/1 => start api/1\nstarted api/1",
            "api Running ready 2/2",
        ),
        // The other one was lost meanwhile.
        (
            "crash api/1 => stop api/0\nexit api/0 0 => start api/0\nstarted api/0 => start api/1\nstarted api/1\ncrash",
            "api Running ready 2/2",
        ),
        ("reboot => start api/0, start api/1\nstarted api/0\nstarted api/1", "api Running ready 2/2"),
    ] {
        let mut story = Story::new(vec![api.clone()]);
        story.play(begin);
        story.play(lines);
        assert_eq!(story.table(), table, "after\n{lines}");
        assert!(!story.snapshot().services[0].changing);
    }
}

#[test]
fn on_the_way_down_and_while_removed_ones_are_held() {
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api\ndown => stop api/0");
    story.play("crash => stop api/0\ncrash api => stop db/0\ncrash => stop db/0\nexit db 0\ncrash");
    assert_eq!(story.table(), "db Stopped 0/1: stopped by you\napi Stopped 0/1: stopped by you");

    // The old api stands on a db that the new stack does not have.
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api");
    let mut new = samples::service("api");
    new.revision = crate::model::Revision(2);
    assert_eq!(story.apply(samples::stack(vec![new])), "stop api/0");
    story.play("crash => stop api/0, probe db/0");
    assert_eq!(story.snapshot().services[1].message, "removed, but kept while api may need it");
    story.play("exit api 0 => start api/0\ncrash => probe db/0\nstarted api => stop db/0\ncrash db\ncrash");
    assert_eq!(story.table(), "api Running ready 1/1");
    // Its name is still known: nothing gets a number that another one had.
    assert_eq!(story.apply(samples::stack(pair())), "stop api/0");
    story.play("crash => stop api/0");
}

#[test]
fn oneshots_run_again_in_a_new_life_only() {
    let mut story = Story::new(vec![samples::oneshot("seed")]);
    story.play("up => start seed/0\nstarted seed\ncrash\nexit seed 0\ncrash\nup\ncrash");
    assert_eq!(story.table(), "seed Completed ready 1/1");
    story.play("reboot => start seed/0\nstarted seed\nexit seed 0\ndown\ncrash\nreboot");
    assert_eq!(story.table(), "seed Stopped 0/1: stopped by you");
    assert_eq!(story.snapshot().services[0].exit.map(|e| e.exit), Some(Exit::Code(0)));
    story.play("up => start seed/0");

    let mut failing = samples::oneshot("seed");
    failing.restart.max_retries = RetryLimit::Limited(0);
    let mut story = Story::new(vec![failing]);
    story.play("up => start seed/0\nexit seed 1\ncrash\ntick 100s");
    assert_eq!(story.table(), "seed Failed 0/1: exit code 1, no restarts allowed");
    story.play("reboot => start seed/0");
}

#[test]
fn a_new_life_forgets_failures_but_no_totals() {
    let mut story = Story::new(one());
    story.play("up => start api/0\nexit api 1\ntick 1s => start api/0\nexit api 1\ncrash\nreboot => start api/0");
    let service = &story.snapshot().services[0];
    assert_eq!((service.restarts, service.instances[0].run), (1, 3));
    story.play("exit api 1\ntick 1s => start api/0\nexit api 1\ntick 1s => start api/0\nexit api 1\ntick 100s");
    assert_eq!(story.table(), "api Failed 0/1: exit code 1, after 2 restarts");
    story.play("stop api\nreboot\ncrash");
    assert_eq!(story.table(), "api Stopped 0/1: stopped by you");
}

#[test]
fn waits_at_a_gate_go_on() {
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\ntick 59s\ncrash => probe db/0\ntick 1s");
    let blocked = || EventKind::ServiceBlocked;
    assert_eq!(story.happened.iter().filter(|h| h.kind == blocked()).count(), 1);
    // It was told already.
    story.play("crash => probe db/0\ntick 60s");
    assert_eq!(story.happened.iter().filter(|h| h.kind == blocked()).count(), 1);
}

#[test]
fn who_waited_for_its_turn_waits_again() {
    let service = |name| {
        let mut service = samples::service(name);
        service.restart.backoff.min = std::time::Duration::ZERO;
        service.restart.backoff.max = std::time::Duration::ZERO;
        service
    };
    let mut config = BrainConfig::new(7);
    config.restarts_per_second = 1;
    let mut story = Story::with(config, samples::stack(vec![service("a"), service("b"), service("c")]));
    story.play("up => start a/0, start b/0, start c/0\nexit a 1 => start a/0\nexit b 1\nexit c 1");
    story.play("crash => start b/0\ntick 999ms\ntick 1ms => start c/0");
}

#[test]
fn ids_and_runs_are_never_used_twice() {
    let mut story = Story::new(one());
    let (mut ids, mut runs) = (BTreeSet::new(), BTreeSet::new());
    let mut next = story.brain.apply(Input::Command(Command::Start { services: Vec::new(), deps: false }), story.now);
    for round in 0..1200 {
        next.unwrap();
        for action in story.brain.turn(story.now).actions {
            let Action::Start { inst, run, .. } = action else { panic!("{action:?}") };
            assert!(ids.insert(inst) && runs.insert(run), "{inst:?} or {run} in round {round}");
        }
        for change in story.brain.changes() {
            story.memory.insert(change.key, change.value.unwrap());
        }
        // Blocks of numbers begin and end at every place of a life.
        if round % 7 == 0 || round > 1100 {
            let entries = story.memory.iter().map(|(key, value)| (&**key, &**value));
            story.brain = crate::brain::Brain::restore(BrainConfig::new(7), entries, story.now).unwrap();
        }
        assert_eq!(story.brain.recovered(&BTreeSet::new(), story.now), []);
        next = Ok(());
    }
    assert_eq!(ids.len(), 1200);
}

#[test]
fn strangers_are_found() {
    let mut story = Story::new(one());
    story.play("up => start api/0\nstarted api");
    let own: Vec<_> = story.brain.remembered().into_iter().map(|r| (r.inst, r.run, r.started)).collect();
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].1, own[0].2), (1, true));
    let found = BTreeSet::from([own[0].0, InstanceId(5)]);
    assert_eq!(story.brain.recovered(&found, story.now), [InstanceId(5)]);
    assert!(story.brain.turn(story.now).actions.is_empty());
}
