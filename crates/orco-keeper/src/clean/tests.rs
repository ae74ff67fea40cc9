#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    CleanUp, EngineHost, all,
    fake::{Engine, LABEL, SHORT, Temper},
    objects::Kind::{Container, Network, Volume},
    rounds::until_gone,
};

const OURS: Option<&str> = Some(LABEL);

/// Ours, and what looks like it.
fn crowd(engine: Engine) -> Engine {
    engine.with(&[
        (Container, "c1", OURS),
        (Container, "c2", OURS),
        (Container, "longer", Some("orco.stack=0123abcde")),
        (Container, "shorter", Some("orco.stack=0123abc")),
        (Container, "upper", Some("orco.stack=0123ABCD")),
        (Container, "other-name", Some("orco.stacks=0123abcd")),
        (Container, "bare", None),
        (Network, "n1", OURS),
        (Network, "bridge", None),
        (Network, "other-net", Some("orco.stack=ffff")),
        (Volume, "v1", OURS),
        (Volume, "other-volume", Some("orco.stack=ffff")),
    ])
}

const STRANGERS: [&str; 8] =
    ["longer", "shorter", "upper", "other-name", "bare", "bridge", "other-net", "other-volume"];

fn left_but_strangers(engine: &Engine) -> Vec<String> {
    let left = engine.left();
    assert!(STRANGERS.iter().all(|stranger| left.iter().any(|id| id == stranger)), "{left:?}");
    left.into_iter().filter(|id| !STRANGERS.contains(&&**id)).collect()
}

#[test]
fn only_what_carries_the_label_goes_whether_the_engine_filters_or_not() {
    for ignores in [false, true] {
        let temper = move |_: &mut _, _: &str| if ignores { Temper::ListsAll } else { Temper::Good };
        let engine = crowd(Engine::new(temper));
        until_gone(&engine.clean_up(), &SHORT).unwrap();
        assert_eq!(left_but_strangers(&engine), ["v1"], "named volumes stay unless asked for");
        until_gone(&engine.clean_up().with_volumes(), &SHORT).unwrap();
        assert!(left_but_strangers(&engine).is_empty());
    }
}

#[test]
fn it_is_enough_to_find_nothing_twice_and_not_once() {
    let engine = Engine::new(|_, _| Temper::Good);
    let begun = Instant::now();
    until_gone(&engine.clean_up(), &SHORT).unwrap();
    assert!(begun.elapsed() >= SHORT.quiet.0);
    assert_eq!(engine.state().asked("GET /containers"), 2);
    assert_eq!(engine.state().asked("GET /networks"), 2);
    assert_eq!(engine.state().asked("DELETE"), 0);
}

#[test]
fn a_create_in_flight_is_caught_even_if_the_engine_is_slow() {
    // Nothing, and when it has been listed, something; then something again.
    let engine = Engine::new(|state, line| {
        let listed = state.asked("GET /containers");
        if line.starts_with("GET /networks") && (listed == 1 || listed == 3) {
            state.add(Container, &format!("late{listed}"), OURS);
            state.add(Network, &format!("net{listed}"), OURS);
        }
        Temper::Good
    });
    until_gone(&engine.clean_up(), &SHORT).unwrap();
    assert_eq!((engine.left(), engine.state().asked("DELETE /containers")), (Vec::new(), 2));

    // One that takes 50 ms for a list is given four times as long for a create.
    let engine = Engine::new(|_, _| Temper::Thinks(Duration::from_millis(50)));
    let begun = Instant::now();
    until_gone(&engine.clean_up(), &SHORT).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200 + 4 * 50), "{:?}", begun.elapsed());
}

#[test]
fn whatever_the_engine_answers_at_first_it_is_done_in_the_end() {
    type Bad = fn() -> Temper;
    let bad: [(&str, Bad); 5] = [
        ("409", || Temper::Says(409)),
        ("500", || Temper::Says(500)),
        ("cut", || Temper::Cuts),
        ("hang", || Temper::Hangs),
        ("nonsense", || Temper::Says(200)),
    ];
    for (name, bad) in bad {
        for method in ["GET", "DELETE"] {
            let engine = crowd(Engine::new(move |state, line| {
                let first = state.asked(method) <= 2 && line.starts_with(method);
                if first { bad() } else { Temper::Good }
            }));
            until_gone(&engine.clean_up(), &SHORT).unwrap_or_else(|why| panic!("{name} {method}: {why}"));
            assert_eq!(left_but_strangers(&engine), ["v1"], "{name} {method}");
        }
    }
}

#[test]
fn one_that_hangs_holds_up_no_other() {
    let engine =
        crowd(Engine::new(
            |_, line| if line.starts_with("DELETE /containers/c1") { Temper::Hangs } else { Temper::Good },
        ));
    let why = until_gone(&engine.clean_up(), &SHORT).unwrap_err();
    assert_eq!(why, "1 cannot be removed");
    assert_eq!(left_but_strangers(&engine), ["c1", "v1"]);
}

#[test]
fn what_is_refused_for_ever_is_given_up_before_an_engine_that_does_not_answer() {
    let engine =
        crowd(Engine::new(
            |_, line| if line.starts_with("DELETE /networks") { Temper::Says(403) } else { Temper::Good },
        ));
    let begun = Instant::now();
    assert_eq!(until_gone(&engine.clean_up(), &SHORT).unwrap_err(), "1 cannot be removed");
    assert!(begun.elapsed() >= SHORT.refused && begun.elapsed() < SHORT.unanswered, "{:?}", begun.elapsed());
    assert_eq!(left_but_strangers(&engine), ["n1", "v1"]);

    let absent = Engine::absent();
    let begun = Instant::now();
    let left = all(&[absent.clean_up()], &SHORT);
    assert!(begun.elapsed() >= SHORT.unanswered);
    assert!(left[0].starts_with(&format!("gave up cleaning up {LABEL}: ")) && left.len() == 1, "{left:?}");
}

#[test]
fn an_engine_that_comes_back_is_cleaned_up_and_one_that_does_not_holds_up_no_other() {
    let (here, away, never) = (crowd(Engine::new(|_, _| Temper::Good)), crowd(Engine::absent()), Engine::absent());
    let clean_ups = [never.clean_up(), away.clean_up(), here.clean_up()];
    let left = thread::scope(|scope| {
        let work = scope.spawn(|| all(&clean_ups, &SHORT));
        let until = Instant::now() + Duration::from_secs(5);
        while left_but_strangers(&here) != ["v1"] {
            assert!(Instant::now() < until);
            thread::sleep(Duration::from_millis(2));
        }
        assert!(!work.is_finished());
        away.serve(|_, _| Temper::Good);
        work.join().unwrap()
    });
    assert_eq!(left_but_strangers(&away), ["v1"]);
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn many_are_removed_at_once_but_not_all() {
    let engine = Engine::new(|_, line| {
        let time = if line.starts_with("DELETE") { 60 } else { 0 };
        Temper::Thinks(Duration::from_millis(time))
    });
    for number in 0..30 {
        engine.state().add(Container, &format!("c{number}"), OURS);
    }
    until_gone(&engine.clean_up(), &SHORT).unwrap();
    assert!(engine.left().is_empty());
    let most = engine.state().at_once.1;
    assert!((4..=8).contains(&most), "{most}");
}

#[test]
fn an_engine_at_a_port_is_asked_too() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            assert!(bytes[..count].starts_with(b"GET /"));
            // Without a length, as the protocol allows.
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n[]").unwrap();
        }
    });
    until_gone(&CleanUp::new(EngineHost::Tcp(address), LABEL), &SHORT).unwrap();
    served.join().unwrap();
}
