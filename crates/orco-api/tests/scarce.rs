//! The server in a process without descriptors. Alone in its process: the limit belongs to the whole of it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "server/tasks.rs"]
mod tasks;

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use orco_api::{
    place::{Lock, Place, StateRoot},
    server::Server,
    wire::Mode,
};
use orco_core::{
    engine::Engine,
    model::StackId,
    spec::{ServiceBuilder, Stack},
};

fn status(mut stream: UnixStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: orco\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_it_still_answers_and_does_not_spin() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
    place.create().unwrap();
    let lock = Lock::take(&place).unwrap();
    let stack = Stack::builder("demo").service(ServiceBuilder::new("db", "tasks").command(["db"])).build().unwrap();
    let runtime: std::sync::Arc<dyn orco_core::runtime::Runtime> = std::sync::Arc::new(tasks::Tasks::default());
    let engine = Engine::builder(stack).id(place.id()).runtime(runtime).start().unwrap();
    let server = Server::start(&place, &lock, engine.clone(), Mode::Embedded).unwrap();
    // It has taken its reserve by the time that it answers.
    let connect = || UnixStream::connect(place.socket()).unwrap();
    let stream = connect();
    tokio::task::spawn_blocking(|| assert!(status(stream).starts_with("HTTP/1.1 200"))).await.unwrap();

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(64), hard).unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    assert!(!hoard.is_empty());
    // Room for our own end of the connections and for nothing else.
    drop(hoard.pop());
    for round in 0..5 {
        let stream = connect();
        let (answer, cpu) = tokio::task::spawn_blocking(|| {
            let before = cpu_time();
            (status(stream), cpu_time() - before)
        })
        .await
        .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "round {round}: {answer}");
        assert!(cpu < Duration::from_secs(1), "round {round}: {cpu:?}");
    }
    drop(hoard);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    server.close().await;
    engine.shutdown().await;
}

fn cpu_time() -> Duration {
    let used = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    let micros = |t: nix::sys::time::TimeVal| u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap();
    Duration::from_micros(micros(used.user_time()) + micros(used.system_time()))
}
