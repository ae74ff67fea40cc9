//! Registries of our own for tests: Debian's `docker-registry` on loopback, which engines take without TLS, and images
//! in it that no engine has seen.
//!
//! Under `CI=true` a missing engine or registry is a failure; elsewhere the test says what it skips.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

pub(crate) mod engine;
mod http;
pub(crate) mod image;
pub(crate) mod proxy;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub(crate) use self::{engine::Engine, image::TestImage, proxy::CuttingProxy};

/// What the registry with a login takes. The password has every character that base64 writes in two ways.
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "s3cret?>~pass";
const BCRYPT: &str = "$2b$05$orcoorcoorcoorcoorcooOdeGtvIDXtFz9rey5gmJUu/shAon3grK";

/// A running registry; ends with its value.
#[derive(Debug)]
pub(crate) struct Registry {
    port: u16,
    login: bool,
    dir: tempfile::TempDir,
    child: Option<Child>,
}

/// An engine to pull with, or `None` after saying what is skipped.
///
/// # Panics
/// Under `CI=true`, where nothing is skipped.
pub(crate) fn engine_or_skip(what: &str) -> Option<Engine> {
    let found = Engine::find().and_then(|engine| {
        let there = Command::new("docker-registry").arg("--version").output();
        there.map(|_| engine).map_err(|error| format!("docker-registry: {error}"))
    });
    match found {
        Ok(engine) => Some(engine),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what}: {why}");
            eprintln!("skipped: {what}: {why}");
            None
        }
    }
}

impl Registry {
    /// A registry that everybody may read and write.
    pub(crate) fn start() -> Self {
        Self::begin(false)
    }

    /// One that wants [`USER`] and [`PASSWORD`].
    pub(crate) fn start_with_login() -> Self {
        Self::begin(true)
    }

    fn begin(login: bool) -> Self {
        let mut registry = Self { port: 0, login, dir: tempfile::tempdir().unwrap(), child: None };
        // Somebody else may take the port between our choice and its bind: then another one.
        for _ in 0..5 {
            registry.port = free_port();
            if registry.try_start() {
                return registry;
            }
        }
        panic!("docker-registry does not start: {}", registry.log());
    }

    /// Starts it again after [`stop`](Self::stop), on the same port and with the same content.
    pub(crate) fn start_again(&mut self) {
        assert!(self.try_start(), "docker-registry does not start again: {}", self.log());
    }

    fn try_start(&mut self) -> bool {
        let config = self.dir.path().join("config.yml");
        fs::write(&config, self.config()).unwrap();
        fs::write(self.dir.path().join("htpasswd"), format!("{USER}:{BCRYPT}\n")).unwrap();
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        // A test that is killed takes its registry along.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "docker-registry", "serve"]).arg(config).stdin(Stdio::null());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let child = self.child.insert(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if child.try_wait().unwrap().is_some() {
                self.child = None;
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn config(&self) -> String {
        let (dir, port) = (self.dir.path().display(), self.port);
        let auth = if self.login {
            format!("auth: {{htpasswd: {{realm: orco, path: {dir}/htpasswd}}}}\n")
        } else {
            String::new()
        };
        format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {dir}/data}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:{port}\"}}\n{auth}"
        )
    }

    /// Ends it; its content stays.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// How an image of it is called.
    pub(crate) fn name(&self, repository: &str, tag: &str) -> String {
        format!("{}/{repository}:{tag}", self.address())
    }

    /// What it has written: a line per request.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How many requests it has answered well of which the line has all of this.
    pub(crate) fn count(&self, parts: &[&str]) -> usize {
        let log = self.log();
        log.lines().filter(|line| line.contains("\" 200 ") && parts.iter().all(|part| line.contains(part))).count()
    }

    /// Puts an image into it, past the engine; how it is called.
    pub(crate) fn put(&self, repository: &str, tag: &str, image: &TestImage) -> String {
        image::put(self, repository, tag, image);
        self.name(repository, tag)
    }

    /// Puts a list of images for several platforms into it.
    pub(crate) fn put_list(&self, repository: &str, tag: &str, images: &[TestImage]) -> String {
        image::put_list(self, repository, tag, images);
        self.name(repository, tag)
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> http::Reply {
        // alice:s3cret?>~pass
        let mut all = vec![("Authorization", "Basic YWxpY2U6czNjcmV0Pz5+cGFzcw==")];
        all.extend_from_slice(headers);
        let stream = TcpStream::connect(self.address()).unwrap();
        http::call(stream, &self.address().to_string(), method, path, &all, body).unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
