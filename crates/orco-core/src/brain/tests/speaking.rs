//! Events of the stack, names that stay, panics that do not spread.

use super::story::{Story, pair};
use crate::brain::{Brain, BrainConfig, Plant, samples};

#[test]
fn the_stack_is_ready_and_stopped_at_edges() {
    let mut story = Story::new(pair());
    story.events = true;
    story.play(
        "up => start db/0, !Starting db/0
        started db => probe db/0, !Started db/0
        pass db => start api/0, !Ready db/0, !Starting api/0
        started api => !Started api/0, !Ready api/0, !StackReady
        tick 6s
        fail db
        fail db
        fail db => !Unready db/0
        pass db => !Ready db/0, !StackReady
        stop api => stop api/0, !Stopping api/0
        exit api 0 => !Stopped api
        stop db => stop db/0, !Stopping db/0
        exit db 0 => !Stopped db, !StackStopped",
    );
}

#[test]
fn runs_go_on_where_an_earlier_life_ended() {
    let mut config = BrainConfig::new(1);
    config.runs = vec![(samples::name("db"), 0, 41), (samples::name("db"), 2, 3)];
    let mut story = Story::with(config, samples::stack(pair()));
    story.play("up => start db/0");
    assert_eq!(story.snapshot().services[0].instances[0].run, 42);
}

#[test]
fn a_panic_in_one_decision_stops_only_that_service() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut services = pair();
    services.push(samples::service("lone"));
    let mut story = Story::new(services);
    story.brain.plant(Plant::Panic);
    story.play(
        "up => start db/0, start lone/0
        started lone
        started db => probe db/0
        pass db => start api/0
        started api",
    );
    std::panic::set_hook(hook);
    assert_eq!(
        story.table(),
        "db Running ready 1/1\napi Failed 1/1: internal error in Orco: a planted panic\nlone Running ready 1/1"
    );
    story.play("down => kill api/0, stop lone/0\nsignal api 9 => stop db/0\nexit db 0\nexit lone 0");
    assert!(story.snapshot().all_down());
}

#[test]
fn it_goes_where_its_engine_goes() {
    const fn send<T: Send>() {}
    send::<Brain>();
}
