//! Containers share the fate of the program that has started them.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use orco_core::runtime::Runtime;

use crate::real::{Lab, docker, engine, service, shell, until};

/// Makes this test the program that is killed.
const CHILD: &str = "ORCO_TEST_SHARES_FATE";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_once_a_program_leaves_nothing() {
    if std::env::var_os(CHILD).is_some() {
        return be_killed().await;
    }
    if !engine() {
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fate::killed_at_once_a_program_leaves_nothing", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Behind what the test harness says on the same line.
    let stack = lines.find_map(|line| Some(line.ok()?.split_once("stack ")?.1.to_owned())).unwrap();
    let label = format!("label=orco.stack={stack}");
    let left = || {
        let containers = docker(&["ps", "-aq", "--filter", &label]);
        let networks = docker(&["network", "ls", "-q", "--filter", &label]);
        let volumes = docker(&["volume", "ls", "-q", "--filter", &label]);
        [containers, networks, volumes].iter().map(|list| list.lines().count()).sum::<usize>()
    };
    assert_eq!(left(), 4, "two containers, a network, a volume");
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = Instant::now();
    until("nothing is left", || left() == 0).await;
    // Promised: 5 s on a machine that is not busy.
    assert!(killed.elapsed() < Duration::from_secs(25), "{:?}", killed.elapsed());
}

#[allow(clippy::print_stdout)]
async fn be_killed() {
    let lab = Lab::new();
    for _ in 0..2 {
        let request = lab.request(service("api", shell("exec sleep 1000")).volume("data:/data").volume("/scratch"));
        lab.docker.start(request).await.unwrap();
    }
    println!("\nstack {}", lab.stack);
    std::future::pending::<()>().await;
}
