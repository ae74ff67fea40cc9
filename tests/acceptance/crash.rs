//! G4: kill -9 of the program that embeds the engine leaves nothing behind. (`cli::killed` does the same to `orco up`,
//! `keeper::deaths` to keeper and guard.)

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use orco::spec::Check;

use crate::world::{World, figure, marked, rounds, sh, tag};

/// The program that is killed. Its services: a plain one, one that ignores what can be ignored, and two that have left
/// a daemon in a session of its own, one of them without an environment.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn inner_program() {
    let Ok(tag) = std::env::var("ACCEPTANCE_TAG") else { return };
    let stay = format!("sleep 1000; : {tag}");
    let world = World::new([
        sh("plain", &stay).replicas(3),
        sh("stubborn", &format!("trap '' TERM HUP INT; echo ready; while :; do sleep 1; done; : {tag}"))
            .health(Check::log("^ready")),
        sh("daemon", &format!("setsid sh -c 'setsid sh -c \"echo ready; {stay}\" & sleep 0.01' & {stay}"))
            .health(Check::log("^ready")),
        sh("hidden", &format!("setsid env -i setsid /bin/sh -c 'echo ready; {stay}' & {stay}"))
            .health(Check::log("^ready")),
    ]);
    world.up().await;
    writeln!(std::io::stdout(), "\nall is up").unwrap();
    std::future::pending::<()>().await;
}

#[test]
fn a_killed_program_leaves_nothing() {
    let mut worst = Duration::ZERO;
    for _ in 0..rounds(4) {
        let tag = tag();
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["crash::inner_program", "--exact", "--ignored", "--nocapture"])
            .env("ACCEPTANCE_TAG", &tag)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "all is up"));
        assert!(marked(&tag).len() >= 8, "{:?}", marked(&tag));
        program.kill().unwrap();
        let begun = Instant::now();
        program.wait().unwrap();
        while !marked(&tag).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(1), "left: {:?}", marked(&tag));
            std::thread::sleep(Duration::from_millis(5));
        }
        worst = worst.max(begun.elapsed());
    }
    figure(&format!("G4: gone after at most {worst:?}"));
}
