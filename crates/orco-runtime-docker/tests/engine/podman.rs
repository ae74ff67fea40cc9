//! A Podman of the test's own, where one is installed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::real::{IMAGE, engine};

/// Podman asks for the highest limits that root can have. Where root cannot have them (in a container, say), none of its
/// containers would start, so this takes the limits out of what runc is told.
const RUNTIME: &str = r#"#!/bin/sh
before=
for argument in "$@"; do
    case $before in
        --bundle | -b) sed -i 's/,"rlimits":\[[^]]*\]//' "$argument/config.json" ;;
    esac
    before=$argument
done
exec runc "$@"
"#;

/// A service with storage of its own, and the test image in it. All goes when it is dropped.
pub struct Podman {
    folder: tempfile::TempDir,
    service: Option<Child>,
}

impl Podman {
    /// `None`, with a word, where there is no Podman, or not the right to run one.
    pub fn start() -> Option<Self> {
        let skip = |why: &str| {
            eprintln!("skipped: {why}");
            None
        };
        if !Command::new("podman").arg("--version").output().is_ok_and(|output| output.status.success()) {
            return skip("podman is not installed");
        }
        if !Command::new("runc").arg("--version").output().is_ok_and(|output| output.status.success()) {
            return skip("runc is not installed");
        }
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return skip("only root runs a podman of the test's own");
        }
        // The image comes from there.
        if !engine() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("runc");
        fs::write(&runtime, RUNTIME).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755)).unwrap();
        // Not every distribution's podman brings the init that it looks for.
        let inits = ["/usr/libexec/podman/catatonit", "/usr/bin/catatonit", "/usr/bin/tini", "/usr/bin/docker-init"];
        let Some(init) = inits.into_iter().find(|init| Path::new(init).exists()) else {
            return skip("podman has no init");
        };
        fs::write(folder.path().join("containers.conf"), format!("[engine]\ninit_path = \"{init}\"\n")).unwrap();
        let mut podman = Self { folder, service: None };
        podman.load();
        let socket = podman.socket();
        let mut service = podman.command(&["system", "service", "--time=0"]);
        service.arg(format!("unix://{}", socket.display()));
        podman.service = Some(service.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let late = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < late, "podman does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(podman)
    }

    /// For [`DockerBuilder::host`](orco_runtime_docker::DockerBuilder::host).
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("podman.sock")
    }

    fn load(&self) {
        let archive = self.folder.path().join("image.tar");
        run(Command::new("docker").args(["save", "--output"]).arg(&archive).arg(IMAGE));
        run(self.command(&["load", "--input"]).arg(&archive));
        // Its API takes short names for those of Docker's registry, its `load` does not.
        run(&mut self.command(&["tag", &format!("localhost/{IMAGE}"), &format!("docker.io/{IMAGE}")]));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", path("containers.conf"));
        command.arg("--root").arg(path("root")).arg("--runroot").arg(path("run")).arg("--runtime").arg(path("runc"));
        command.args(["--cgroup-manager=cgroupfs", "--storage-driver=vfs"]).args(arguments);
        command
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
        // What a failing test has left, and what is mounted in the folder.
        let _ = self.command(&["rm", "--all", "--force", "--time=0", "--volumes"]).output();
        let _ = self.command(&["network", "prune", "--force"]).output();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
