//! Containers start so many at a time, engine by engine.

use super::story::Story;
use crate::{
    brain::{BrainConfig, admit::PLACES, samples},
    model::Waiting,
    spec::Service,
};

fn container(name: &str, runtime: &str, replicas: u32) -> Service {
    let mut service = samples::service(name);
    service.image = Some("image".to_owned());
    service.runtime = runtime.to_owned();
    service.replicas = replicas;
    service
}

fn starts(of: &str, replicas: std::ops::Range<usize>) -> String {
    replicas.map(|n| format!("start {of}/{n}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn containers_start_so_many_at_a_time() {
    let mut story = Story::new(vec![container("api", "docker", 11)]);
    story.play(&format!("up => {}", starts("api", 0..PLACES)));
    assert_eq!(story.snapshot().services[0].instances[10].waiting, Some(Waiting::Admission));
    story.play(
        "created api/0
        started api/3 => start api/8
        exit api/1 1 => start api/9
        nostart api/2 => start api/10",
    );
}

#[test]
fn an_engine_that_does_not_answer_holds_up_nobody_elses_starts() {
    let process = samples::service("web");
    let mut story = Story::new(vec![container("api", "docker", 9), container("job", "podman", 1), process]);
    story.play(&format!("up => start job/0, start web/0, {}", starts("api", 0..PLACES)));
}

#[test]
fn a_place_is_given_up_by_whoever_is_to_go() {
    let mut story = Story::new(vec![container("api", "docker", 8), container("job", "docker", 1)]);
    story.play(&format!("up => {}", starts("api", 0..PLACES)));
    story.play("scale api 7 => stop api/7, start job/0");
}

#[test]
fn a_new_engine_knows_which_starts_are_under_way() {
    let mut story = Story::with(BrainConfig::new(7), samples::stack(vec![container("api", "docker", 9)]));
    story.play(&format!("up => {}", starts("api", 0..PLACES)));
    story.play(
        "crash
        started api/0 => start api/8",
    );
}

#[test]
fn a_start_with_unknown_outcome_gives_its_place_up() {
    let mut story = Story::new(vec![container("api", "docker", 9)]);
    story.play(&format!("up => {}", starts("api", 0..PLACES)));
    story.play("limbo api/0 => kill api/0, start api/8");
}
