//! An engine that is restarted, with and without its containers living on; and what Orco does while it is away.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    bench::{Bench, is_alive, pid, signal, until, wait},
    engine::{IMAGE, Yard, rounds},
    flaky::output,
    private::Private,
};

const RECOVERS: Duration = Duration::from_secs(15);

/// Two on a network of their own, one without any, and a process.
fn services() -> String {
    let counts = "command: [sh, -c, \"n=0; while :; do n=$$((n+1)); echo $$HOSTNAME $$n; sleep 0.1; done\"]";
    format!(
        "  a: {{ image: \"{IMAGE}\", {counts} }}\n  b: {{ image: \"{IMAGE}\", {counts}, network: none }}\n  \
         h: {{ image: \"{IMAGE}\", {counts}, dependsOn: [a] }}\n  \
         p: {{ command: [sh, -c, \"exec sleep 1000\"] }}\n"
    )
}

const CONTAINERS: [&str; 3] = ["a", "b", "h"];

fn up(private: &Private) -> Yard {
    let yard = Yard::new(&private.engine, &private.socket(), &services());
    let done = yard.bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    yard
}

/// All run and are ready, each once; `restarts` in all.
fn is_well(yard: &Yard, private: &Private, restarts: impl Fn(u64) -> bool) -> bool {
    let status = yard.bench.json(&["status", "-o", "json"]);
    let running = private.engine.containers(&yard.name, false);
    let well = |name: &&str| {
        let service = &status["services"][*name];
        let said: Vec<&str> =
            service["instances"].as_array().unwrap().iter().filter_map(|i| i["container"].as_str()).collect();
        let there: Vec<&str> = running.iter().filter(|(of, _)| of == name).map(|(_, id)| &**id).collect();
        assert!(there.len() <= 1, "{name} runs twice: {there:?}");
        service["ready"] == true && said == there && restarts(service["restarts"].as_u64().unwrap())
    };
    CONTAINERS.iter().all(well)
}

fn restart_over_and_over(live_restore: bool, times: u32) {
    let Some(mut private) = Private::start(live_restore) else { return };
    let yard = up(&private);
    let p = pid(&yard.bench.service("p"));
    let before = private.engine.containers(&yard.name, false);
    for round in 1..=u64::from(times) {
        private.down();
        assert_eq!(yard.bench.service("p")["ready"], true);
        thread::sleep(Duration::from_millis(37 * round % 500));
        private.up();
        let begun = Instant::now();
        let counted = |n| if live_restore { n == 0 } else { n == round };
        until(&format!("restart {round}: all is well"), || is_well(&yard, &private, counted));
        eprintln!("restart {round}: well after {:?}", begun.elapsed());
        assert!(begun.elapsed() < RECOVERS, "restart {round}: it took {:?}", begun.elapsed());
        if live_restore {
            assert_eq!(private.engine.containers(&yard.name, false), before, "nobody has ended");
        }
    }
    assert_eq!((pid(&yard.bench.service("p")), &yard.bench.service("p")["restarts"]), (p, &Value::from(0)));
    output(&yard.bench, &private.engine);
    ends(&yard, &private);
}

fn ends(yard: &Yard, private: &Private) {
    let id = private.engine.stack_id(&yard.name);
    let done = yard.bench.orco(&["down"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(private.engine.left(&yard.name, &id), Vec::<String>::new());
}

#[test]
fn with_live_restore_nobody_notices() {
    restart_over_and_over(true, rounds(2));
}

#[test]
fn without_it_each_comes_back_once() {
    restart_over_and_over(false, rounds(2));
}

#[test]
fn by_hand_removed_and_renamed_behind_a_restart() {
    let Some(mut private) = Private::start(true) else { return };
    let yard = up(&private);
    let of = |private: &Private, name: &str| {
        let all = private.engine.containers(&yard.name, false);
        all.into_iter().find(|(service, _)| service == name).unwrap().1
    };
    let (a, b) = (of(&private, "a"), of(&private, "b"));
    private.down();
    private.up();
    private.engine.must(&["rm", "-f", &a]);
    let renamed = format!("{}-renamed", yard.name);
    private.engine.must(&["rename", &b, &renamed]);
    let begun = Instant::now();
    until("one is replaced, once", || {
        let status = yard.bench.json(&["status", "-o", "json"]);
        let counts = CONTAINERS.map(|name| status["services"][name]["restarts"].as_u64().unwrap());
        counts == [1, 0, 0] && is_well(&yard, &private, |n| n <= 1)
    });
    assert!(begun.elapsed() < RECOVERS, "it took {:?}", begun.elapsed());
    assert_eq!(of(&private, "b"), b);
    ends(&yard, &private);
}

fn orcos_engine(bench: &Bench) -> i32 {
    let state = std::fs::read_dir(bench.dir.path().join("state")).unwrap().next().unwrap().unwrap().path();
    let meta: Value = serde_json::from_slice(&std::fs::read(state.join("meta.json")).unwrap()).unwrap();
    i32::try_from(meta["pid"].as_i64().unwrap()).unwrap()
}

#[test]
fn adopted_by_an_engine_of_ours_that_was_born_while_theirs_was_away() {
    let Some(mut private) = Private::start(true) else { return };
    let yard = up(&private);
    let before = private.engine.containers(&yard.name, false);
    private.down();
    let old = orcos_engine(&yard.bench);
    signal(old, Signal::SIGKILL);
    until("another one answers", || {
        !is_alive(old) && orcos_engine(&yard.bench) != old && yard.bench.orco(&["status"]).code == Some(0)
    });
    assert_eq!(yard.bench.service("p")["ready"], true);
    private.up();
    let begun = Instant::now();
    until("all is well", || is_well(&yard, &private, |n| n == 0));
    assert!(begun.elapsed() < RECOVERS, "it took {:?}", begun.elapsed());
    assert_eq!(private.engine.containers(&yard.name, false), before);
    output(&yard.bench, &private.engine);
    ends(&yard, &private);
}

#[test]
fn a_down_says_on_whom_it_waits() {
    let Some(mut private) = Private::start(true) else { return };
    let yard = up(&private);
    let id = private.engine.stack_id(&yard.name);
    private.down();
    let mut down = yard.bench.command(&["down"]);
    let said = yard.bench.dir.path().join("down");
    let mut down =
        down.stdout(std::process::Stdio::null()).stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap();
    until("the process is gone", || yard.bench.service("p")["ready"] == false);
    let mut status = String::new();
    until("the status says on whom it waits", || {
        status = yard.bench.orco(&["status"]).out;
        status.contains("engine not reachable")
    });
    let said = || std::fs::read_to_string(&said).unwrap();
    until("and so does who waits", || said().contains("engine not reachable"));
    private.up();
    assert_eq!(wait(&mut down, &["down"]).code(), Some(0), "{}", said());
    assert_eq!(private.engine.left(&yard.name, &id), Vec::<String>::new());
}
