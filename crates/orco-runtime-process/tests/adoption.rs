//! A second runtime finds what the first one and its keeper have left.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, os::unix::net::UnixListener, path::Path, sync::Arc, time::Duration};

use orco_core::{
    model::{Exit, InstanceId, StackId},
    runtime::{Handle, How, Known, LogTarget, Notice, Runtime, StartRequest},
    spec::{Service, ServiceBuilder, Stack},
};
use orco_keeper::{Detached, daemon::Origin};
use orco_runtime_process::{KillBackend, ProcessRuntime};

const STACK: StackId = StackId::from_bits(1);

async fn runtime(dir: &Path) -> ProcessRuntime {
    let _ = fs::remove_file(dir.join("control"));
    let detached = Detached {
        engine_arguments: vec!["no such test".into(), dir.into()],
        lock: Arc::new(fs::File::create(dir.join("lock")).unwrap().into()),
        listener: Arc::new(UnixListener::bind(dir.join("control")).unwrap().into()),
        origin: Origin { umask: 0o022, ..Origin::default() },
    };
    ProcessRuntime::builder().kill_backend(KillBackend::Sweep).detached(detached).start().await.unwrap()
}

fn service(name: &str, script: &str) -> Arc<Service> {
    let builder = ServiceBuilder::process(name, ["/bin/sh", "-c", script]);
    Arc::clone(&Stack::builder("test").service(builder).build().unwrap().services()[0])
}

fn request(dir: &Path, name: &str, script: &str) -> StartRequest {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let id = InstanceId(RandomState::new().build_hasher().finish().into());
    let logs = dir.join(name);
    fs::create_dir_all(&logs).unwrap();
    let mut request = StartRequest::new(STACK, id, service(name, script), LogTarget::new(logs, "0.1"));
    request.workdir = dir.to_owned();
    request
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("took too long")
}

fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pair_finds_what_the_old_one_has_left() {
    let dir = tempfile::tempdir().unwrap();
    let first = runtime(dir.path()).await;
    let mut handles: Vec<Handle> = Vec::new();
    let mut known = Vec::new();
    for (name, script) in [
        ("api", "while [ ! -e go ]; do sleep 0.005; done; echo done; exit 6"),
        ("web", "exec sleep 1000"),
        ("lost", "exec sleep 1000"),
        ("unnamed", "exec sleep 1000"),
    ] {
        let request = request(dir.path(), name, script);
        let (service, log) = (Arc::clone(&request.service), request.log.clone());
        let handle = within(first.start(request)).await.unwrap();
        let mut remembered = handle.clone();
        if name == "unnamed" {
            remembered.token.clear();
        }
        known.push(Known::new(remembered, service, log));
        handles.push(handle);
    }
    let [api, web, lost, unnamed] = &handles[..] else { panic!() };
    // Its own list has them all, with the handles that were given.
    assert_eq!(first.list(&STACK, &known).await.unwrap().len(), 4);
    let keeper = first.keeper_pid().unwrap();
    drop(first);
    kill(keeper);
    kill(lost.pid.unwrap());
    // Gone, or dead and not reaped yet.
    let second = runtime(dir.path()).await;
    let mut found = within(second.list(&STACK, &known)).await.unwrap();
    if found.iter().any(|found| found.handle.instance == lost.instance) {
        assert_eq!(within(second.wait(lost)).await.unwrap(), Exit::Signal(9));
        second.remove(lost).await.unwrap();
        found.retain(|found| found.handle.instance != lost.instance);
    }
    found.sort_by_key(|found| found.service.clone());
    let names: Vec<&str> = found.iter().map(|found| found.service.as_str()).collect();
    assert_eq!(names, ["api", "unnamed", "web"], "what is gone is not found");
    assert_eq!((&found[0].handle, &found[2].handle), (api, web), "the same names");
    assert_eq!(found[1].handle.pid, unnamed.pid);
    assert!(second.list(&StackId::from_bits(2), &[]).await.unwrap().is_empty());

    fs::write(dir.path().join("go"), "").unwrap();
    assert_eq!(within(second.wait(api)).await.unwrap(), Exit::Code(6));
    assert_eq!(fs::read_to_string(dir.path().join("api/0.1.0.log")).unwrap(), "done\n");
    // Until its end is recorded.
    assert_eq!(second.list(&STACK, &[]).await.unwrap().len(), 3);
    second.remove(api).await.unwrap();
    assert_eq!(second.list(&STACK, &[]).await.unwrap().len(), 2);

    // The keeper alone: nothing changes.
    let keeper = second.keeper_pid().unwrap();
    kill(keeper);
    let Notice::KeeperLost(why) = within(second.notice()).await else { panic!("another notice") };
    assert!(why.contains("has taken over"), "{why}");
    second.stop(web, How::Graceful(15)).await.unwrap();
    assert_eq!(within(second.wait(web)).await.unwrap(), Exit::Signal(15));
    second.stop(&found[1].handle, How::Kill).await.unwrap();
    assert_eq!(within(second.wait(unnamed)).await.unwrap(), Exit::Signal(9));
    // It would wait for its engine, which is this process.
    let keeper = second.keeper_pid().unwrap();
    drop(second);
    kill(keeper);
}
