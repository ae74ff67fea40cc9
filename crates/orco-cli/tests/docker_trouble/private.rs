//! An engine of the test's own, which may be stopped and started: a `dockerd` with its own files, in a network and mount
//! namespace of its own, so that neither its bridges nor its mounts are anybody else's. (One without a namespace would
//! delete the system engine's bridge.)

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    bench::signal,
    engine::{Engine, IMAGE, missing},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running `dockerd`, or one that is down for a while.
#[derive(Debug)]
pub struct Private {
    dir: tempfile::TempDir,
    live_restore: bool,
    /// Keeps the namespaces.
    holder: Child,
    daemon: Option<Child>,
    pub engine: Engine,
}

impl Private {
    /// One with the image, or `None` after saying what is skipped.
    pub fn start(live_restore: bool) -> Option<Self> {
        Self::with_disk(live_restore, 256)
    }

    /// Its files are in memory, so many MiB of it.
    pub fn with_disk(live_restore: bool, megabytes: u32) -> Option<Self> {
        let system = Engine::system()?;
        if !nix::unistd::geteuid().is_root() {
            missing("an engine that may be restarted needs root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        let mount = format!(
            "ip link set lo up 2>/dev/null; mount -t tmpfs -o size={megabytes}m tmpfs {} && echo ready >{} && exec sleep 100000",
            data.display(),
            dir.path().join("ready").display()
        );
        // Whatever a test that is killed has started goes with it.
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-c", &mount])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let engine = Engine::at(dir.path().join("engine.sock").to_str().unwrap());
        let mut private = Self { dir, live_restore, holder, daemon: None, engine };
        private.until("the namespaces", |private| private.path("ready").exists());
        private.up();
        let archive = private.path("image.tar");
        system.must(&["save", "-o", archive.to_str().unwrap(), IMAGE]);
        private.engine.must(&["load", "-i", archive.to_str().unwrap()]);
        fs::remove_file(archive).unwrap();
        Some(private)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn socket(&self) -> String {
        self.path("engine.sock").display().to_string()
    }

    /// A program in its namespaces.
    pub fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "nsenter", "--net", "--mount", "--target"]);
        command.args([&self.holder.id().to_string(), program]).stdin(Stdio::null());
        command
    }

    /// Starts it (again), and waits until it answers.
    pub fn up(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let path = |name: &str| self.path(name).display().to_string();
        let mut command = self.inside("dockerd");
        command.args(["--data-root", &path("data"), "--exec-root", &path("exec"), "--pidfile", &path("pid")]);
        command.args(["-H", &format!("unix://{}", self.socket()), "--bridge=none", "--iptables=false"]);
        command.args(["--ip-masq=false"]);
        if self.live_restore {
            command.arg("--live-restore");
        }
        // A terminal's Ctrl-C is not for it.
        command.process_group(0).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemon = Some(command.spawn().unwrap());
        self.until("the engine", |private| private.engine.ask(&["version"]).is_ok());
    }

    /// Ends it as a service manager would.
    pub fn down(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        signal(i32::try_from(daemon.id()).unwrap(), Signal::SIGTERM);
        let begun = Instant::now();
        while daemon.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                let _ = daemon.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fills its disk; the file that does.
    pub fn fill(&self) -> PathBuf {
        let file = self.path("data/filler");
        let script = format!("head -c 1G /dev/zero >{}", file.display());
        let mut dd = self.inside("sh");
        assert!(!dd.args(["-c", &script]).stderr(Stdio::null()).status().unwrap().success(), "the disk is not full");
        file
    }

    pub fn remove(&self, file: &Path) {
        assert!(self.inside("rm").arg(file).status().unwrap().success());
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if self.live_restore && self.daemon.is_some() {
            let ids = self.engine.ask(&["ps", "-aq"]).unwrap_or_default();
            for id in ids.lines() {
                let _ = self.engine.ask(&["rm", "-f", id]);
            }
        }
        self.down();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
