//! Down, stop, kill, removal: order, patience and who waits for whom.

use super::story::{Story, pair};
use crate::{
    brain::samples,
    model::EventKind,
    spec::{Require, Service},
};

fn running() -> Story {
    let mut story = Story::new(pair());
    story.play("up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api");
    story
}

#[test]
fn down_in_reverse_order() {
    let mut story = running();
    story.events = true;
    story.play("down => stop api/0, !Stopping api/0");
    assert_eq!(story.table(), "db Stopping ready 1/1: stops after api\napi Stopping 0/1: stopping, killed in 10s");
    story.play(
        "tick 9s
        exit api 0 => stop db/0, !Stopped api, !Stopping db/0
        exit db 0 => !Stopped db, !StackStopped",
    );
    assert!(story.snapshot().all_down());
}

#[test]
fn the_kill_comes_when_the_time_is_over_and_not_before() {
    let mut story = running();
    story.play("down => stop api/0\ntick 9s\ntick 999ms\ntick 1ms => kill api/0\ntick 100s\nsignal api 9 => stop db/0");
}

#[test]
fn kill_takes_everything_at_once() {
    running().play("kill => kill api/0, kill db/0");
    running().play("down => stop api/0\nkill => kill api/0, kill db/0\nsignal db 9\nsignal api 9\nup => start db/0");
}

#[test]
fn stop_does_not_wait_for_dependents_that_stay() {
    running().play("stop db => stop db/0\nexit db 0\ntick 99s");
    // But for those that go.
    running().play("stop api => stop api/0\nstop db\nexit api 0 => stop db/0");
    running().play("stop db api => stop api/0\nexit api 0 => stop db/0");
}

#[test]
fn up_in_the_middle_of_down() {
    let mut story = running();
    story.play(
        "down => stop api/0
        up
        exit api 0 => start api/0
        started api",
    );
    assert_eq!(story.table(), "db Running ready 1/1\napi Running ready 1/1");
    story.play("down => stop api/0\nexit api 0 => stop db/0\nup\nexit db 0 => start db/0\ntick 1s");
}

#[test]
fn a_crash_on_the_way_down_restarts_nothing() {
    let mut story = running();
    story.play("down => stop api/0\nexit db 1\nexit api 0\ntick 100s");
    assert!(story.snapshot().all_down());
    assert_eq!(story.happened.last().unwrap().kind, EventKind::StackStopped);
}

#[test]
fn waiting_seats_vanish_at_once() {
    let mut story = running();
    story.play("exit api 1\nexit db 1\ndown\ntick 100s");
    assert!(story.snapshot().all_down());
}

/// web -> api -> db
fn three() -> Vec<Service> {
    let mut services = pair();
    let mut web = samples::service("web");
    web.depends_on = vec![samples::need("api", Require::Ready)];
    services.push(web);
    services
}

#[test]
fn removed_services_leave_in_order() {
    let mut story = Story::new(three());
    story.play(
        "up => start db/0\nstarted db => probe db/0\npass db => start api/0\nstarted api => start web/0\nstarted web",
    );
    assert_eq!(story.apply(samples::stack(vec![])), "stop web/0");
    story.play("exit web 0 => stop api/0\nexit api 0 => stop db/0\nexit db 0");
    assert_eq!(story.table(), "");
    assert!(story.brain.ix("db").is_none());
    // And back: the stack as a whole is still wanted up.
    assert_eq!(story.apply(samples::stack(three())), "start db/0");
}

#[test]
fn a_stopped_service_that_is_removed_is_not_revived() {
    let mut story = running();
    story.play("stop db => stop db/0\nexit db 0");
    let mut api = samples::service("api");
    api.revision = crate::model::Revision(2);
    assert_eq!(story.apply(samples::stack(vec![api])), "stop api/0");
    story.play("exit api 0 => start api/0\nstarted api\ntick 9s");
    assert_eq!(story.table(), "api Running ready 1/1");
}

#[test]
fn a_removed_dependency_is_kept_while_the_old_revision_may_run() {
    let mut story = running();
    let mut api = samples::service("api");
    api.revision = crate::model::Revision(2);
    assert_eq!(story.apply(samples::stack(vec![api.clone()])), "stop api/0");
    assert_eq!(story.snapshot().services[1].message, "removed from the stack, kept while api may need it");
    story.play("exit api 0 => start api/0\nstarted api => stop db/0\nexit db 0");
    assert_eq!(story.table(), "api Running ready 1/1");
    // In place: the edge alone was removed, nothing keeps db.
    let mut story = running();
    api.revision = crate::model::Revision(1);
    assert_eq!(story.apply(samples::stack(vec![api])), "stop db/0");
}

#[test]
fn stop_of_a_dependency_waits_for_its_removed_dependent() {
    let mut story = running();
    let mut services = pair();
    services.pop();
    assert_eq!(story.apply(samples::stack(services)), "stop api/0");
    story.play("stop db\nexit api 0 => stop db/0");
}

#[test]
fn edges_that_turned_round_do_not_wait_for_each_other() {
    let mut story = running();
    let mut services = pair();
    services[1].depends_on.clear();
    services[1].revision = crate::model::Revision(2);
    services[0].depends_on = vec![samples::need("api", Require::Started)];
    // db changes in place, api is replaced; its old instance still names db.
    assert_eq!(story.apply(samples::stack(services)), "stop api/0");
    story.play("down => stop db/0\nexit db 0\nexit api 0");
    assert!(story.snapshot().all_down());
}
