//! The same with containers. Outside CI they are skipped, with a word, where no engine has the image.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use orco_test::TestStack;

use crate::{
    actor::mixed,
    world::{Actor, eventually, hosts, kill, mark, marked},
};

/// What is promised after a SIGKILL.
const PROMISED: Duration = Duration::from_secs(30);

fn command(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_there() -> bool {
    let there = command(&["image", "inspect", "orco-test/busybox:1"]).is_some();
    assert!(there || std::env::var_os("CI").is_none(), "no container engine has the image orco-test/busybox:1");
    if !there {
        println!("skipped: no container engine has the image orco-test/busybox:1");
    }
    there
}

fn count(what: &[&str], filter: &str) -> usize {
    let arguments = [what, &["-q", "--filter", filter]].concat();
    command(&arguments).unwrap().lines().count()
}

fn containers(mark: &str) -> usize {
    count(&["ps", "-a"], &format!("label=test.mark={mark}"))
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /state HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn three_at_once_do_not_clash_and_leave_nothing() {
    if !is_there() {
        return;
    }
    let mark = mark();
    let start = || TestStack::new(mixed(&mark)).start();
    let (one, two, three) = tokio::join!(start(), start(), start());
    let all = [one.unwrap(), two.unwrap(), three.unwrap()];
    let mut addresses = std::collections::BTreeSet::new();
    for running in &all {
        let address = running.endpoint("cache").await.unwrap();
        assert!(address.ip().is_loopback());
        assert!(get(address).ends_with("warm\n"));
        running.logs("cache").wait_for("^ready", Duration::from_secs(10)).await.unwrap();
        addresses.insert(address);
    }
    assert_eq!((addresses.len(), containers(&mark)), (3, 3));
    for running in &all {
        running.shutdown().await.unwrap();
        assert_eq!(running.logs("cache").count("^ready").await.unwrap(), 1, "kept after the container is gone");
        let network = format!("label=orco.stack={}", running.engine().unwrap().id());
        assert_eq!(count(&["network", "ls"], &network), 0);
    }
    assert_eq!(containers(&mark), 0);
}

#[test]
fn a_test_process_that_is_killed_takes_its_containers_with_it() {
    if !is_there() {
        return;
    }
    let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
    let mut actor = Actor::start("mixed", temp.path(), &mark);
    let stack = format!("label=orco.stack={}", actor.says("ready")[0]);
    assert_eq!((containers(&mark), count(&["network", "ls"], &stack)), (1, 1));
    actor.kill();
    let gone = || containers(&mark) == 0 && count(&["network", "ls"], &stack) == 0 && marked(&mark).is_empty();
    eventually("containers, network and processes are gone", PROMISED, gone);
}

#[test]
fn processes_share_a_container_until_the_last_is_killed_or_its_host_is() {
    if !is_there() {
        return;
    }
    for kill_host in [false, true] {
        let (temp, mark) = (tempfile::tempdir().unwrap(), mark());
        let mut all: Vec<_> = (0..4).map(|_| Actor::start("mixed shared", temp.path(), &mark)).collect();
        let said: Vec<_> = all.iter_mut().map(|actor| actor.says("ready")).collect();
        assert!(said.iter().all(|words| *words == said[0]), "{said:?}");
        assert_eq!(containers(&mark), 1);
        assert!(get(said[0][1].parse().unwrap()).ends_with("warm\n"));
        match kill_host {
            true => kill(said[0][0].parse().unwrap()),
            false => all.iter_mut().for_each(Actor::kill),
        }
        let gone = || containers(&mark) == 0 && marked(&mark).is_empty() && hosts(temp.path()).is_empty();
        eventually("all of it is gone", PROMISED, gone);
    }
}
