//! Fixtures that test processes share.

use std::{collections::BTreeSet, time::Duration};

use orco_test::{Fixture, can_host};

use crate::{
    actor::{stack, stuck},
    world::{Actor, eventually, failure, hosts, kill, mark, marked, rooms},
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn this_executable_can_host() {
    assert!(can_host());
}

#[test]
fn ten_processes_at_once_get_one_instance_and_the_last_takes_it_with_it() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut all: Vec<_> = (0..10).map(|_| Actor::start("shared", temp.path(), &mark)).collect();
    let said: Vec<Vec<String>> = all.iter_mut().map(|actor| actor.says("ready")).collect();
    let distinct = |at: usize| said.iter().map(|words| words[at].clone()).collect::<BTreeSet<_>>().len();
    assert_eq!((distinct(0), distinct(1)), (1, 1), "one host, one address: {said:?}");
    assert_eq!(distinct(2), 10, "names of their own: {said:?}");
    assert_eq!((marked(&mark).len(), hosts(temp.path()).len()), (2, 1));
    let last = all.pop().unwrap();
    // Some end as they should, some are killed: the last one holds it on.
    for (at, mut actor) in all.into_iter().enumerate() {
        if at % 2 == 0 { actor.kill() } else { drop(actor.end()) }
    }
    // Twice as long as it lingers.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(marked(&mark).len(), 2, "held");
    let mut last = last;
    last.kill();
    eventually("gone with its last holder", SOON, || marked(&mark).is_empty() && hosts(temp.path()).is_empty());
    assert_eq!(rooms(temp.path()), Vec::<String>::new());
}

#[test]
fn the_second_holder_comes_at_once_and_a_later_one_within_the_linger() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let linger = [("ACTOR_LINGER", "5000")];
    let mut first = Actor::with("shared", temp.path(), &mark, &linger);
    let first_said = first.says("ready");
    let mut second = Actor::with("shared", temp.path(), &mark, &linger);
    let second_said = second.says("ready");
    println!("first holder: {} ms, second: {} ms", first_said[3], second_said[3]);
    first.end();
    second.end();
    let mut third = Actor::with("shared", temp.path(), &mark, &linger);
    assert_eq!(third.says("ready")[0], first_said[0], "it lingered");
    third.kill();
    hosts(temp.path()).into_iter().for_each(kill);
    eventually("gone", SOON, || marked(&mark).is_empty() && hosts(temp.path()).is_empty());
}

#[test]
fn a_host_that_is_killed_takes_its_services_with_it_and_the_next_asker_gets_another() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut first = Actor::start("shared", temp.path(), &mark);
    let host = first.says("ready")[0].clone();
    kill(host.parse().unwrap());
    eventually("the services are gone", SOON, || marked(&mark).is_empty());
    let mut second = Actor::start("shared", temp.path(), &mark);
    assert_ne!(second.says("ready")[0], host);
    assert_eq!(marked(&mark).len(), 2);
    second.end();
    eventually("gone", SOON, || marked(&mark).is_empty() && hosts(temp.path()).is_empty());
    assert_eq!(rooms(temp.path()), Vec::<String>::new());
}

#[test]
fn askers_that_come_and_go_all_the_time_never_meet_two_or_none() {
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let none = [("ACTOR_LINGER", "0")];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let mut actor = Actor::with("shared", temp.path(), &mark, &none);
                    actor.says("ready");
                    assert!(marked(&mark).len() <= 2, "two at once");
                    actor.end();
                }
            });
        }
    });
    eventually("gone", SOON, || marked(&mark).is_empty() && hosts(temp.path()).is_empty());
    assert_eq!(rooms(temp.path()), Vec::<String>::new());
}

#[test]
fn one_handle_serves_the_runtimes_of_many_tests() {
    let mark = mark();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fixture = Fixture::new(&mark, stack(&mark)).linger(Duration::ZERO);
    let shared = runtime().block_on(fixture.clone().hold()).unwrap();
    let address = runtime().block_on(shared.endpoint("server")).unwrap();
    runtime().block_on(async {
        assert_eq!(shared.clone().endpoint("server").await.unwrap(), address);
        assert_ne!(shared.endpoint_of("server", "metrics").await.unwrap(), address);
        assert!(matches!(shared.endpoint("nobody").await, Err(orco_test::Error::Refused(_))));
        let said = shared.logs("server").wait_for("^port", SOON).await.unwrap();
        assert_eq!(said.msg, format!("port {}", address.port()));
        let again = fixture.hold().await.unwrap();
        assert_eq!(again.host_pid(), shared.host_pid());
        let other = Fixture::new(&mark, stuck(&mark)).linger(Duration::ZERO).within(Duration::from_millis(100));
        assert_eq!(failure(other.hold().await).service, "server", "another definition is another fixture");
    });
    drop(shared);
    eventually("gone", SOON, || marked(&mark).is_empty());
}

#[tokio::test]
async fn a_failed_start_is_told_to_all_who_ask_and_a_cancelled_one_leaves_nothing() {
    let mark = mark();
    let fixture = Fixture::new(&mark, stuck(&mark)).linger(Duration::ZERO);
    let start = tokio::time::timeout(Duration::from_millis(300), fixture.clone().hold()).await;
    assert!(start.is_err());
    let gone = mark.clone();
    let seen = move || eventually("gone", SOON, || marked(&gone).is_empty());
    tokio::task::spawn_blocking(seen).await.unwrap();

    let within = fixture.within(Duration::from_millis(800));
    let (one, other) = tokio::join!(within.clone().hold(), within.hold());
    for failed in [failure(one), failure(other)] {
        assert_eq!(failed.service, "server");
        assert!(failed.message.contains("not ready within"), "{failed}");
    }
    tokio::task::spawn_blocking(move || eventually("gone", SOON, || marked(&mark).is_empty())).await.unwrap();
}
