//! A Podman of a test's own, with storage, networks and locks of its own and the test image in it. All goes when it is
//! dropped. Unit tests and other crates include it by path.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

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

/// An image with all that tests need: a busybox.
pub const IMAGE: &str = "orco-test/busybox:1";

/// Podman asks for the highest limits that root can have. Where root cannot have them (in a container, say), none of its
/// containers and commands would start, so this takes the limits out of what the runtime is told.
const RUNTIME: &str = r#"#!/bin/sh
before=
for argument in "$@"; do
    case $before in
        --bundle | -b) sed -i 's/,"rlimits":\[[^]]*\]//' "$argument/config.json" ;;
        --process | -p) sed -i 's/,"rlimits":\[[^]]*\]//' "$argument" ;;
    esac
    before=$argument
done
exec RUNTIME "$@"
"#;

/// Not every distribution's Podman brings the init that it looks for.
const INITS: [&str; 5] = [
    "/usr/libexec/podman/catatonit",
    "/usr/bin/catatonit",
    "/usr/bin/tini-static",
    "/usr/bin/docker-init",
    "/usr/libexec/docker/docker-init",
];

/// A service on a socket of its own.
pub struct Podman {
    folder: tempfile::TempDir,
    service: Option<Child>,
}

/// What is missing for one; `None`: nothing.
fn missing() -> Option<String> {
    let works = |program: &str, argument: &str| {
        Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
    };
    let absent = |what: &str| Some(format!("{what} is not installed"));
    match () {
        () if !works("podman", "--version") => absent("podman"),
        () if runtime().is_none() => absent("neither runc nor crun"),
        () if init().is_none() => absent("an init for podman (catatonit)"),
        () if fs::metadata("/proc/self").unwrap().uid() != 0 => {
            Some("only root runs a podman of the test's own".into())
        }
        // The image comes from there.
        () if !works("docker", "version") => Some("no container engine answers that the image could come from".into()),
        () => None,
    }
}

fn runtime() -> Option<&'static str> {
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    ["runc", "crun"].into_iter().find(there)
}

fn init() -> Option<&'static str> {
    INITS.into_iter().find(|init| Path::new(init).exists())
}

impl Podman {
    /// `None`, with a word, where there is no Podman or not the right to run one; under CI that is a failure.
    pub fn start() -> Option<Self> {
        let Some(why) = missing() else { return init().map(Self::make) };
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("skipped: {why}");
        None
    }

    fn make(init: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runtime");
        fs::write(&path, RUNTIME.replace("RUNTIME", runtime().unwrap())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let mut podman = Self { folder, service: None };
        podman.configure(init);
        podman.load();
        podman.up();
        podman
    }

    fn configure(&self, init: &str) {
        // After each command Podman keeps a process of its own for that long, so that one can ask for the exit code.
        let settings = format!("[engine]\ninit_path = \"{init}\"\nexit_command_delay = 3\n");
        fs::write(self.folder.path().join("containers.conf"), settings).unwrap();
    }

    /// As where its distribution brings no init.
    pub fn lose_init(&mut self) {
        self.configure("/no/such/init");
        self.down();
        self.up();
    }

    /// Starts its service (again), and waits until it listens.
    pub fn up(&mut self) {
        let socket = self.socket();
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&socket);
        let mut service = self.command(&["system", "service", "--time=0"]);
        service.arg(format!("unix://{}", socket.display())).stdin(Stdio::null());
        self.service = Some(service.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let late = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < late, "podman does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills its service; what runs in containers runs on.
    pub fn down(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// Where [`socket`](Self::socket) would be the socket of the system's Podman.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `unix:///…`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run/podman/podman.sock")
    }

    fn load(&self) {
        let archive = self.folder.path().join("image.tar");
        run(Command::new("docker").args(["save", "--output"]).arg(&archive).arg(IMAGE));
        self.must(&["load", "--input", archive.to_str().unwrap()]);
        // Its API takes short names for those of Docker's registry, its `load` does not.
        self.must(&["tag", &format!("localhost/{IMAGE}"), &format!("docker.io/{IMAGE}")]);
        fs::remove_file(archive).unwrap();
    }

    /// Its own command, past the service.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new("podman");
        // With that variable it would be a client of somebody else's service.
        command.env("CONTAINERS_CONF", path("containers.conf")).env_remove("CONTAINER_HOST");
        let own = [("--root", "root"), ("--runroot", "runroot"), ("--tmpdir", "tmp"), ("--network-config-dir", "net")];
        own.into_iter().chain([("--runtime", "runtime")]).for_each(|(option, name)| {
            command.arg(option).arg(path(name));
        });
        command.args(["--cgroup-manager=cgroupfs", "--storage-driver=vfs", "--events-backend=file"]).args(arguments);
        command
    }

    /// What its own command prints.
    pub fn must(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.down();
        // What a failing test has left, and what is mounted in the folder.
        let _ = self.command(&["rm", "--all", "--force", "--time=0", "--volumes"]).output();
        let _ = self.command(&["network", "prune", "--force"]).output();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
