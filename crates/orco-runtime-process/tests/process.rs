//! The runtime with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use orco_core::{
    model::{Exit, InstanceId, StackId},
    runtime::{ExecRequest, Handle, How, LogSource, LogTarget, Runtime, RuntimeError, StartRequest},
    spec::{Service, ServiceBuilder, Stack},
};
use orco_runtime_process::{KillBackend, ProcessRuntime};

const STACK: StackId = StackId::from_bits(1);

struct World {
    runtime: ProcessRuntime,
    dir: tempfile::TempDir,
}

async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let runtime = ProcessRuntime::builder().state_dir(dir.path()).kill_backend(KillBackend::Sweep).start().await;
    World { runtime: runtime.unwrap(), dir }
}

fn fresh() -> InstanceId {
    use std::hash::{BuildHasher, Hasher, RandomState};
    InstanceId(RandomState::new().build_hasher().finish().into())
}

fn service(builder: ServiceBuilder) -> Arc<Service> {
    Arc::clone(&Stack::builder("test").service(builder).build().unwrap().services()[0])
}

impl World {
    fn request(&self, builder: ServiceBuilder) -> StartRequest {
        let id = fresh();
        let log = LogTarget::new(self.dir.path(), id.to_string());
        let mut request = StartRequest::new(STACK, id, service(builder), log);
        request.workdir = self.dir.path().to_owned();
        request
    }

    fn sh(&self, script: &str) -> StartRequest {
        self.request(ServiceBuilder::process("api", ["sh", "-c", script]))
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        self.runtime.start(request).await
    }

    async fn end_of(&self, handle: &Handle) -> Exit {
        tokio::time::timeout(Duration::from_secs(20), self.runtime.wait(handle)).await.unwrap().unwrap()
    }

    fn log(&self, handle: &Handle) -> String {
        let path = self.dir.path().join(format!("{}.0.log", handle.instance));
        String::from_utf8(fs::read(path).unwrap_or_default()).unwrap()
    }
}

#[tokio::test]
async fn a_life_from_start_to_removal() {
    let world = world().await;
    // No `exec`: for a moment a program that becomes another one has no memory at all.
    let handle = world.start(world.sh("echo hello; while :; do sleep 1000; done")).await.unwrap();
    assert!(handle.pid.is_some());
    let found = world.runtime.list(&STACK, &[]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].handle, found[0].service.as_str()), (&handle, "api"));
    let LogSource::Segments(growth) = world.runtime.logs(&handle, None) else { panic!("a stream") };
    growth.beyond(0).await;
    assert_eq!(world.log(&handle), "hello\n");
    assert!(world.runtime.stats(&handle).await.unwrap().memory > 0);
    world.runtime.stop(&handle, How::Graceful(15)).await.unwrap();
    assert_eq!(world.end_of(&handle).await, Exit::Signal(15));
    // At once, for the output has ended.
    growth.beyond(u64::MAX).await;
    assert_eq!(world.runtime.stats(&handle).await, None);
    assert_eq!(world.runtime.list(&STACK, &[]).await.unwrap().len(), 1);
    world.runtime.remove(&handle).await.unwrap();
    world.runtime.remove(&handle).await.unwrap();
    assert!(world.runtime.list(&STACK, &[]).await.unwrap().is_empty());
    assert!(world.runtime.wait(&handle).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let world = world().await;
    let script = world.dir.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::write(world.dir.path().join("plain"), "text").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let process = |argv: &[&str]| ServiceBuilder::process("api", argv.iter().copied());
    let cases = [
        (process(&["./api"]), "cannot run ./api: no such file or directory"),
        (process(&["no-such-program"]), "cannot run no-such-program: not found in PATH (/bin)"),
        (process(&["./script"]), "cannot run ./script: its interpreter does not exist"),
        (process(&["./plain"]), "cannot run ./plain: it is not executable"),
        (process(&["./"]), "cannot run ./: it is a directory"),
        (process(&["true"]).user("no-such-user"), "no user `no-such-user`"),
    ];
    for (builder, expect) in cases {
        let error = world.start(world.request(builder.env("PATH", "/bin"))).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
        assert!(error.is_certain());
    }
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let taken = |builder: ServiceBuilder| world.start(world.request(builder.port(&port)));
    let error = taken(process(&["/bin/true"])).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("port {port} is in use by ")), "{error}");
    assert!(error.ends_with(&format!("(pid {})", std::process::id())), "{error}");
    let own = taken(process(&["/bin/echo", "${port}"])).await.unwrap();
    assert_eq!(world.end_of(&own).await, Exit::Code(0));
    let mut request = world.sh("true");
    request.workdir = world.dir.path().join("gone");
    let error = world.start(request).await.unwrap_err().to_string();
    assert_eq!(error, format!("cannot enter {}: no such file or directory", world.dir.path().join("gone").display()));
    world.runtime.remove(&own).await.unwrap();
    assert!(world.runtime.list(&STACK, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_environment_is_inherited_changed_or_left_out() {
    let world = world().await;
    let run = async |builder: ServiceBuilder| {
        let handle = world.start(world.request(builder)).await.unwrap();
        assert_eq!(world.end_of(&handle).await, Exit::Code(0));
        world.log(&handle)
    };
    let env = || ServiceBuilder::process("api", ["/usr/bin/env"]);
    let inherited = run(env().env("A", "b=c")).await;
    assert!(inherited.contains("\nA=b=c\n") || inherited.starts_with("A=b=c\n"), "{inherited}");
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    assert!(inherited.lines().any(|line| line == path));
    let without = run(env().without_env("PATH")).await;
    assert!(!without.lines().any(|line| line.starts_with("PATH=")));
}

#[tokio::test]
async fn commands_run_beside_it_and_end_with_their_time() {
    let world = world().await;
    let request = Arc::new(world.sh("sleep 1000"));
    let exec = |argv: &[&str], timeout| {
        let argv = argv.iter().map(|a| (*a).to_owned()).collect();
        world.runtime.exec(ExecRequest::new(&request, argv, timeout))
    };
    let done = exec(&["sh", "-c", "echo out; echo err >&2; exit 3"], Duration::from_secs(10)).await.unwrap();
    assert_eq!((done.exit, done.output.as_slice()), (Some(Exit::Code(3)), &b"out\nerr\n"[..]));
    let done = exec(&["sh", "-c", "echo begun; sleep 1000"], Duration::from_millis(100)).await.unwrap();
    assert_eq!((done.exit, done.output.as_slice()), (None, &b"begun\n"[..]));
    let error = exec(&["./gone"], Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot run ./gone: no such file or directory");
    assert!(world.runtime.can_exec());
}

#[tokio::test]
async fn whatever_came_of_a_dropped_start_can_be_reaped() {
    let world = world().await;
    let request = world.sh("sleep 1000");
    let id = request.instance;
    // Never started: nothing to do.
    world.runtime.reap(fresh()).await.unwrap();
    let start = tokio::time::timeout(Duration::ZERO, world.start(request)).await;
    drop(start);
    world.runtime.reap(id).await.unwrap();
    assert!(world.runtime.list(&STACK, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_user_is_another_user() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let world = world().await;
    // The directory is root's alone.
    fs::set_permissions(world.dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let handle = world.start(world.request(ServiceBuilder::process("api", ["id", "-u"]).user("nobody"))).await;
    assert!(handle.unwrap_err().to_string().starts_with("cannot enter "));
    let mut request = world.request(ServiceBuilder::process("api", ["id"]).user("nobody"));
    request.workdir = "/".into();
    let handle = world.start(request).await.unwrap();
    world.end_of(&handle).await;
    assert!(world.log(&handle).starts_with("uid=65534(nobody)"), "{}", world.log(&handle));
}

#[tokio::test]
async fn shutdown_ends_what_is_left() {
    let world = world().await;
    let handle = world.start(world.sh("trap '' TERM; sleep 1000; sleep 1000")).await.unwrap();
    let proc = format!("/proc/{}", handle.pid.unwrap());
    assert!(fs::exists(&proc).unwrap());
    world.runtime.shutdown().await;
    assert!(!fs::exists(&proc).unwrap());
}
