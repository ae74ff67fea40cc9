//! The keeper's own figures: `cargo bench -p orco-keeper`. Ratios to a bare fork and exec of the same run.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use orco_core::model::InstanceId;
use orco_keeper::{Backend, Client, Config, Launch, Spawn};

const MANY: u128 = 1000;

fn say(text: &str) {
    println!("{text}");
}

fn spawn(dir: &Path, id: u128, argv: &[&str]) -> Spawn {
    let launch = Launch {
        id: InstanceId(id),
        program: argv[0].as_bytes().into(),
        argv: argv.iter().map(|argument| argument.as_bytes().into()).collect(),
        inherit: true,
        env: Vec::new(),
        workdir: (*b"/").into(),
        credentials: None,
    };
    let log_stem = launch.id.to_string().into_bytes().into();
    Spawn { launch, stop_signal: 15, log_dir: dir.as_os_str().as_bytes().into(), log_stem }
}

fn client(dir: &Path, backend: Backend) -> Client {
    let mut config = Config::new();
    config.state_dir = Some(dir.to_owned());
    config.backend = backend;
    Client::new(config)
}

/// Starts `MANY` at once; returns when all have been told.
async fn start_many(client: &Client, dir: &Path, first: u128, argv: &[&str]) -> Duration {
    let begun = Instant::now();
    let tasks: Vec<_> = (first..first + MANY)
        .map(|id| {
            let (client, spawn) = (client.clone(), spawn(dir, id, argv));
            tokio::spawn(async move { client.spawn(spawn).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    begun.elapsed()
}

async fn all_over(client: &Client, first: u128) {
    for id in first..first + MANY {
        client.wait(InstanceId(id)).await.unwrap();
        client.forget(InstanceId(id));
    }
}

/// Proportional memory of a process in KiB.
fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn guard_of(keeper: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{keeper}/stat")).unwrap();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn kill_and_wait(client: &Client, id: u128) -> Duration {
    let begun = Instant::now();
    client.kill(InstanceId(id)).await.unwrap();
    client.wait(InstanceId(id)).await.unwrap();
    begun.elapsed()
}

fn floor() -> Duration {
    let begun = Instant::now();
    for _ in 0..MANY {
        let quiet = || Stdio::null();
        Command::new("/bin/true").stdin(quiet()).stdout(quiet()).stderr(quiet()).status().unwrap();
    }
    begun.elapsed()
}

async fn figures(backend: Backend, floor: Duration) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let begun = Instant::now();
    let client = client(dir, backend);
    if let Err(error) = client.connect().await {
        return say(&format!("{}: {error}", backend.as_str()));
    }
    let up = begun.elapsed();
    client.spawn(spawn(dir, 1, &["/bin/true"])).await.unwrap();
    let first = begun.elapsed();
    let keeper = client.keeper_pid().unwrap();
    let (idle, guard) = (pss(keeper), pss(guard_of(keeper)));
    let mut alone = Vec::new();
    for id in 100..300 {
        client.spawn(spawn(dir, id, &["/bin/sleep", "1000"])).await.unwrap();
        alone.push(kill_and_wait(&client, id).await);
    }
    alone.sort();
    let begun = Instant::now();
    start_many(&client, dir, 1000, &["/bin/true"]).await;
    all_over(&client, 1000).await;
    let lives = begun.elapsed();
    let started = start_many(&client, dir, 10_000, &["/bin/sleep", "1000"]).await;
    let busy = pss(keeper);
    let mut latencies = Vec::new();
    for id in 10_000..10_200 {
        latencies.push(kill_and_wait(&client, id).await);
    }
    latencies.sort();
    let begun = Instant::now();
    let kills: Vec<_> = (10_200..10_000 + MANY)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { client.kill(InstanceId(id)).await })
        })
        .collect();
    for kill in kills {
        kill.await.unwrap().unwrap();
    }
    all_over(&client, 10_000).await;
    let ended = begun.elapsed();
    let ratio = lives.as_secs_f64() / floor.as_secs_f64();
    say(&format!("{}: keeper up {up:?}, first child {first:?}", backend.as_str()));
    say(&format!("  {MANY} x true, start to end told: {lives:?} = {ratio:.2} x floor"));
    say(&format!("  {MANY} x sleep started: {started:?}; 800 killed: {ended:?}"));
    say(&format!("  kill to end told, alone: median {:?}, worst of 200 {:?}", alone[100], alone[199]));
    say(&format!("  kill to end told, among {MANY}: median {:?}, worst of 200 {:?}", latencies[100], latencies[199]));
    say(&format!("  PSS KiB: keeper {idle} idle, {busy} with {MANY}; guard {guard}"));
    client.shutdown().await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            let floor = floor();
            say(&format!("floor: {MANY} x fork, exec and wait of true, one after the other: {floor:?}"));
            figures(Backend::Sweep, floor).await;
            figures(Backend::Cgroup, floor).await;
        }
    });
}
