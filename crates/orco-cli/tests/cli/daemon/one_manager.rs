//! One manager per stack.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{Detached, pids_of};
use crate::bench::{Bench, finish, is_alive, signal, sleeper, stack, until};

#[test]
fn of_twenty_daemons_one_wins() {
    let bench = Bench::new(&sleeper("a"));
    let daemon = Detached::of(&bench);
    let mut children: Vec<_> = (0..20)
        .map(|_| {
            let mut command = bench.command(&["daemon", "run"]);
            (command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), Instant::now())
        })
        .collect();
    let winner = {
        let mut found = None;
        until("somebody has won", || {
            found = children.iter().position(|(child, _)| {
                bench.orco(&["status"]).code == Some(0) && i64::from(child.id()) == i64::from(daemon.keeper())
            });
            found.is_some()
        });
        children.swap_remove(found.unwrap()).0
    };
    let mut slowest = Duration::ZERO;
    for (child, begun) in children {
        let done = finish(child, &["daemon", "run"]);
        assert_eq!(done.code, Some(4), "{done:?}");
        assert!(done.err.contains("already runs: pid "), "{}", done.err);
        slowest = slowest.max(begun.elapsed());
    }
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("20 daemons at once: all others have ended after at most {slowest:?}\n").as_bytes(),
    );
    // A newcomer is refused at once.
    let begun = Instant::now();
    let late = bench.orco(&["daemon", "run"]);
    assert_eq!(late.code, Some(4), "{late:?}");
    assert!(late.err.contains(&format!("pid {}", daemon.engine())), "{}", late.err);
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
    assert_eq!(bench.json(&["status", "-o", "json"])["services"]["a"]["instances"].as_array().unwrap().len(), 1);
    signal(i32::try_from(winner.id()).unwrap(), Signal::SIGTERM);
    let end = finish(winner, &["daemon", "run"]);
    assert_eq!(end.code, Some(0), "{end:?}");
}

#[test]
fn of_several_detached_ups_one_wins_and_all_are_content() {
    let bench = Bench::new(&sleeper("a"));
    let _daemon = Detached::of(&bench);
    let spawn = |_| {
        let mut command = bench.command(&["up", "-d", "--wait"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..6).map(spawn).collect();
    let done: Vec<_> = children.into_iter().map(|child| finish(child, &["up", "-d"])).collect();
    assert!(done.iter().all(|done| done.code == Some(0)), "{done:?}");
    assert_eq!(done.iter().filter(|done| done.err.contains("runs under the daemon")).count(), 1, "{done:?}");
}

#[test]
fn two_stacks_of_one_name_do_not_touch_each_other() {
    let bench = Bench::new("");
    bench.write("one/stack.yaml", &stack("twin", &sleeper("a")));
    bench.write("two/stack.yaml", &stack("twin", &sleeper("a")));
    let (one, two) = (Detached::file(&bench, "one/stack.yaml"), Detached::file(&bench, "two/stack.yaml"));
    for file in ["one/stack.yaml", "two/stack.yaml"] {
        let done = bench.orco(&["up", "-d", "--wait", "-f", file]);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    let status = |file: &str| pids_of(&bench.json(&["status", "-o", "json", "-f", file]));
    let (first, second) = (status("one/stack.yaml"), status("two/stack.yaml"));
    assert_ne!(first, second);
    let both = bench.orco(&["status", "--stack", "twin"]);
    assert_eq!(both.code, Some(2), "{both:?}");
    one.down();
    assert!(!is_alive(first[0].1));
    assert_eq!(status("two/stack.yaml"), second);
    two.kill_both();
    assert_eq!(bench.orco(&["up", "-d", "-f", "one/stack.yaml"]).code, Some(0));
    assert!(is_alive(second[0].1), "not this stack's");
}

/// A folder that was moved away or removed locks nobody in: its stack is known by where it was.
#[test]
fn a_stack_whose_folder_is_gone_is_still_found() {
    let bench = Bench::new("");
    let text = stack("twin", &sleeper("a").replace('}', ", workdir: / }"));
    let files = ["one/stack.yaml", "two/stack.yaml"];
    files.iter().for_each(|file| _ = bench.write(file, &text));
    let (one, two) = (Detached::file(&bench, files[0]), Detached::file(&bench, files[1]));
    for file in files {
        let done = bench.orco(&["up", "-d", "--wait", "-f", file]);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    let path = |name: &str| bench.dir.path().join(name);
    std::fs::rename(path("one"), path("moved")).unwrap();
    std::fs::remove_dir_all(path("two")).unwrap();
    assert_eq!(bench.orco(&["status", "--stack", "twin"]).code, Some(2), "the name is not enough");
    for file in files {
        let restart = bench.orco(&["restart", "a", "-f", file]);
        assert_eq!(restart.code, Some(0), "{restart:?}");
        let apply = bench.orco(&["apply", "-f", file]);
        assert_eq!(apply.code, Some(2), "there is no file to apply: {apply:?}");
    }
    assert_eq!(bench.orco(&["status", "-f", "moved/stack.yaml"]).code, Some(3), "another path is another stack");
    one.kill_both();
    assert_eq!(bench.orco(&["status", "-f", files[0]]).code, Some(3));
    one.down();
    two.down();
    let gone = bench.orco(&["status", "-f", files[1]]);
    assert_eq!(gone.code, Some(3), "{gone:?}");
}
