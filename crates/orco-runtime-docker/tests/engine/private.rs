//! An engine of a test's own, which may be restarted.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::real::{IMAGE, until};

/// An engine of a test's own. Dropped, it ends with all it has.
pub struct Private {
    dir: tempfile::TempDir,
    daemon: Child,
}

impl Private {
    /// `None`: there is no program for it.
    pub async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let daemon = daemon(dir.path())?;
        let mut engine = Self { dir, daemon };
        engine.answers().await;
        let mut saving = Command::new("docker").args(["save", IMAGE]).stdout(Stdio::piped()).spawn().unwrap();
        let saved = saving.stdout.take().unwrap();
        let loaded = engine.command().arg("load").stdin(saved).stdout(Stdio::null()).status().unwrap();
        saving.wait().unwrap();
        assert!(loaded.success());
        Some(engine)
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("engine.sock").display())
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["-H", &self.host()]);
        command
    }

    /// What the engine's own command prints.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn answers(&mut self) {
        let daemon = &mut self.daemon;
        let host = format!("unix://{}", self.dir.path().join("engine.sock").display());
        until("the engine answers", || {
            assert_eq!(daemon.try_wait().unwrap(), None, "the engine has ended");
            let mut asked = Command::new("docker");
            asked.args(["-H", &host, "version"]).stdout(Stdio::null()).stderr(Stdio::null());
            asked.status().unwrap().success()
        })
        .await;
    }

    /// Asks it to end, and waits for that.
    pub fn stop(&mut self) {
        let pid = self.daemon.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        self.daemon.wait().unwrap();
    }

    /// Starts it again.
    pub async fn start_again(&mut self) {
        self.daemon = daemon(self.dir.path()).unwrap();
        self.answers().await;
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        for container in self.docker(&["ps", "-aq"]).lines() {
            self.docker(&["rm", "-fv", container]);
        }
        for network in self.docker(&["network", "ls", "-q", "--filter", "label=orco.stack"]).lines() {
            self.docker(&["network", "rm", network]);
        }
        self.stop();
    }
}

fn daemon(dir: &Path) -> Option<Child> {
    let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    // In a network of its own: without a bridge of its own it would delete the one of the machine's engine.
    Command::new("unshare")
        .args([
            "--net",
            "dockerd",
            "--data-root",
            &path("data"),
            "--exec-root",
            &path("exec"),
            "--pidfile",
            &path("pid"),
        ])
        .args(["-H", &format!("unix://{}", path("engine.sock")), "--bridge=none", "--host-gateway-ip", "127.0.0.1"])
        .args(["--default-address-pool", "base=10.213.0.0/16,size=24"])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .ok()
}
