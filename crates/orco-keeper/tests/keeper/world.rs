//! A keeper in a directory of its own, and eyes on the processes.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use orco_core::model::{Exit, InstanceId};
use orco_keeper::{Backend, Client, Config, Launch, STAMP, Spawn};

/// No wait in a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub client: Client,
    pub dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new();
        config.state_dir = Some(dir.path().to_owned());
        config.backend = Backend::Sweep;
        change(&mut config);
        let client = Client::new(config);
        client.connect().await.unwrap();
        Self { client, dir }
    }

    /// One world for each backend that works here.
    pub async fn all() -> Vec<Self> {
        let mut worlds = vec![Self::new().await];
        if cgroups_work().await {
            worlds.push(Self::with(|config| config.backend = Backend::Cgroup).await);
        } else {
            // Where tests must not be skipped, that is a failure.
            assert!(std::env::var_os("CI").is_none(), "control groups do not work here");
        }
        worlds
    }

    pub fn spawn_of<S: AsRef<[u8]>>(&self, program: &str, arguments: &[S]) -> Spawn {
        let name = std::iter::once(Box::from(program.as_bytes()));
        let launch = Launch {
            id: fresh(),
            program: program.as_bytes().into(),
            argv: name.chain(arguments.iter().map(|a| Box::from(a.as_ref()))).collect(),
            inherit: true,
            env: Vec::new(),
            workdir: self.dir.path().as_os_str().as_bytes().into(),
            credentials: None,
        };
        let log_stem = launch.id.to_string().into_bytes().into();
        Spawn { launch, stop_signal: libc::SIGTERM, log_dir: self.dir.path().as_os_str().as_bytes().into(), log_stem }
    }

    pub fn sh(&self, script: &str) -> Spawn {
        self.spawn_of("/bin/sh", &["-c", script])
    }

    /// This binary in another role.
    pub fn role(&self, role: &str, arguments: &[&str]) -> Spawn {
        let me = std::env::current_exe().unwrap();
        let arguments: Vec<&str> = ["--role", role].into_iter().chain(arguments.iter().copied()).collect();
        self.spawn_of(me.to_str().unwrap(), &arguments)
    }

    pub async fn start(&self, spawn: Spawn) -> (InstanceId, u32) {
        let id = spawn.launch.id;
        (id, self.client.spawn(spawn).await.unwrap())
    }

    pub async fn end_of(&self, id: InstanceId) -> Exit {
        within(self.client.wait(id)).await.unwrap()
    }

    pub async fn run(&self, script: &str) -> (InstanceId, Exit) {
        let (id, _) = self.start(self.sh(script)).await;
        (id, self.end_of(id).await)
    }

    pub fn segment(&self, id: InstanceId, number: u32) -> PathBuf {
        self.dir.path().join(format!("{id}.{number}.log"))
    }

    /// All output of an instance.
    pub fn log(&self, id: InstanceId) -> Vec<u8> {
        (0..).map_while(|number| fs::read(self.segment(id, number)).ok()).flatten().collect()
    }

    pub fn log_text(&self, id: InstanceId) -> String {
        String::from_utf8(self.log(id)).unwrap()
    }

    /// Waits until a service has said this.
    pub async fn says(&self, id: InstanceId, text: &str) {
        eventually(|| self.log_text(id).contains(text)).await;
    }
}

pub async fn cgroups_work() -> bool {
    let mut config = Config::new();
    config.backend = Backend::Cgroup;
    Client::new(config).connect().await.is_ok()
}

pub fn fresh() -> InstanceId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    InstanceId(now << 64 | u128::from(std::process::id()) << 32 | u128::from(count))
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("took too long")
}

/// Polls until it is so.
pub async fn eventually(mut so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < until, "never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Alive: it has a state that is not a zombie's.
pub fn alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    stat.rsplit(')').next().is_some_and(|rest| !matches!(rest.trim_start().as_bytes()[0], b'Z' | b'X'))
}

/// Everybody alive in whose environment this text stands.
pub fn carrying(text: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let carries = |pid: &u32| {
        let environ = fs::read(Path::new("/proc").join(pid.to_string()).join("environ")).unwrap_or_default();
        environ.windows(text.len()).any(|window| window == text.as_bytes()) && alive(*pid)
    };
    pids.filter(carries).collect()
}

/// Everybody alive with this instance's stamp.
pub fn stamped(id: InstanceId) -> Vec<u32> {
    carrying(&format!("{STAMP}={id}"))
}

/// Everybody alive whose arguments hold this text.
pub fn called(text: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is = |pid: &u32| {
        let line = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
        line.windows(text.len()).any(|window| window == text.as_bytes()) && alive(*pid)
    };
    pids.filter(is).collect()
}

pub fn kill(pid: u32, signal: i32) {
    // SAFETY: kill takes two numbers.
    assert_eq!(unsafe { libc::kill(pid.cast_signed(), signal) }, 0);
}
