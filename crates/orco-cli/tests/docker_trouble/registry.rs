//! A registry on loopback, of the test's own.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use crate::{
    bench::until,
    engine::{Engine, missing},
};

/// A running `docker-registry`; ends with its value.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    _dir: tempfile::TempDir,
    child: Child,
}

impl Registry {
    /// Started by `command` (whose program is to be `docker-registry`), or `None` after saying what is skipped.
    pub fn start(mut command: Command) -> Option<Self> {
        if Command::new("docker-registry").arg("--version").output().is_err() {
            missing("there is no docker-registry");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = dir.path().join("config.yml");
        let storage = dir.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\n",
            storage.display()
        );
        fs::write(&config, text).unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        command.arg("serve").arg(config).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Some(Self { port, child: command.spawn().unwrap(), _dir: dir })
    }

    /// One that the machine's own engine reaches.
    pub fn on_this_machine() -> Option<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "docker-registry"]);
        Self::start(command)
    }

    pub fn name(&self, image: &str) -> String {
        format!("127.0.0.1:{}/{image}", self.port)
    }

    /// Pushes an image of the engine under a name here, which the engine forgets; it.
    pub fn push(&self, engine: &Engine, from: &str, image: &str) -> String {
        let name = self.name(image);
        engine.must(&["tag", from, &name]);
        until("the registry takes the image", || engine.ask(&["push", &name]).is_ok());
        engine.must(&["rmi", &name]);
        name
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
