//! A container engine that does as a test tells it, over HTTP/1.1 on a socket: version ranges, canned answers with
//! fields that nobody knows, and bad manners.
//!
//! Unit tests include it by path (`crate::fake_engine`), integration tests with `mod fake_engine;`.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

pub mod canned;
mod script;
mod serve;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinHandle,
    time::Instant,
};

pub use self::script::{Answer, Piece, frame};
use self::{script::Script, serve::Listener};

/// The engine. Dropped, it is gone with all its connections.
pub struct FakeEngine {
    folder: TempDir,
    script: Arc<Script>,
    serving: Option<JoinHandle<()>>,
}

impl FakeEngine {
    /// Speaks 1.24 to 1.41, on a socket in a folder of its own.
    pub async fn start() -> Self {
        let mut engine = Self { folder: TempDir::new().unwrap(), script: Arc::default(), serving: None };
        engine.come_back();
        engine
    }

    /// The same over TCP on loopback; the address is `HOST:PORT`.
    pub async fn start_tcp() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let script: Arc<Script> = Arc::default();
        let serving = tokio::spawn(serve::serve(Listener::Tcp(listener), Arc::clone(&script)));
        (Self { folder: TempDir::new().unwrap(), script, serving: Some(serving) }, address)
    }

    /// The socket's file.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// The address, `unix:///…`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Goes away: connections are cut, nobody listens. The socket's file stays, as after a crash.
    pub async fn go_away(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// Listens (again).
    pub fn come_back(&mut self) {
        let _ = std::fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).unwrap();
        self.serving = Some(tokio::spawn(serve::serve(Listener::Unix(listener), Arc::clone(&self.script))));
    }

    /// A second name of the socket, for tests of finding.
    pub fn link_to(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(self.socket(), path).unwrap();
    }

    /// The API versions it speaks from now on; it refuses others as Docker does.
    pub fn speaks(&self, min: &str, max: &str) {
        self.script.speaks(min, max);
    }

    /// From now on it answers so. `pattern` is `METHOD PATH` without version and query; `*` stands for one segment.
    /// The latest rule wins.
    pub fn on(&self, pattern: &str, answer: Answer) {
        self.script.add(pattern, answer, false);
    }

    /// It answers so once, before all other rules.
    pub fn once(&self, pattern: &str, answer: Answer) {
        self.script.add(pattern, answer, true);
    }

    /// All requests so far, in the order of their arrival: `METHOD /v1.41/PATH?QUERY`.
    pub fn requests(&self) -> Vec<String> {
        self.script.requests().into_iter().map(|(line, _)| line).collect()
    }

    /// The bodies of all requests whose line contains `part`.
    pub fn bodies(&self, part: &str) -> Vec<String> {
        self.script.requests().into_iter().filter(|(line, _)| line.contains(part)).map(|(_, body)| body).collect()
    }

    /// Connections that are open.
    pub fn open_connections(&self) -> usize {
        self.script.open()
    }

    /// Waits until so many connections are open; panics after 10 s.
    pub async fn until_open(&self, count: usize) {
        let begin = Instant::now();
        while self.open_connections() != count {
            assert!(begin.elapsed() < Duration::from_secs(10), "{} connections are open", self.open_connections());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a request with `part` in its line has come; panics after 10 s.
    pub async fn until_asked(&self, part: &str) {
        let begin = Instant::now();
        while !self.requests().iter().any(|line| line.contains(part)) {
            assert!(begin.elapsed() < Duration::from_secs(10), "nobody asked for {part}: {:?}", self.requests());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for FakeEngine {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}
