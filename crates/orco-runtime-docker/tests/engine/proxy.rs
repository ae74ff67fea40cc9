//! A way to the engine that can be made bad: it cuts answers, hangs, or fails for the engine.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

const ENGINE: &str = "/var/run/docker.sock";

/// What becomes of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// They get their answers.
    Fine,
    /// Answers with output are cut after so many bytes.
    CutOutput(usize),
    /// All are taken, and get no answer.
    Hangs,
    /// All get a 500.
    Fails,
    /// Creations reach the engine, and their answers are lost.
    LosesCreations,
    /// Starts reach the engine, and their answers are lost.
    LosesStarts,
    /// Creations of networks reach the engine only when this is over.
    HoldsNetworks,
}

/// A bad way to the engine.
#[derive(Debug)]
pub struct Proxy {
    pub path: PathBuf,
    manner: Arc<Mutex<Manner>>,
    /// Changed, all connections are cut.
    cut: tokio::sync::watch::Sender<u64>,
    pub cuts: Arc<AtomicU64>,
    /// The first lines of all requests.
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let manner = Arc::new(Mutex::new(Manner::Fine));
        let (cut, cut_rx) = tokio::sync::watch::channel(0);
        let cuts = Arc::new(AtomicU64::new(0));
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let task = tokio::spawn({
            let (manner, cuts, asked) = (Arc::clone(&manner), Arc::clone(&cuts), Arc::clone(&asked));
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let (manner, cuts, mut cut) = (Arc::clone(&manner), Arc::clone(&cuts), cut_rx.clone());
                    let asked = Arc::clone(&asked);
                    cut.mark_unchanged();
                    tokio::spawn(async move {
                        tokio::select! {
                            _ = carry(client, &manner, &cuts, &asked) => {}
                            _ = cut.changed() => {}
                        }
                    });
                }
            }
        });
        Self { path, manner, cut, cuts, asked, task, _dir: dir }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// What was asked since the last time: `GET /containers/json`, without version, query and ids.
    pub fn asked(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.asked.lock().unwrap());
        lines.iter().map(|line| plain(line)).collect()
    }

    /// From now on, for requests to come.
    pub fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Cuts all that is under way, too.
    pub fn set_now(&self, manner: Manner) {
        self.set(manner);
        self.cut.send_modify(|n| *n += 1);
    }

    pub fn is_at(&self, path: &Path) -> bool {
        self.path == path
    }
}

/// A request's first line without what differs from time to time.
fn plain(line: &str) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let path = path.split([' ', '?']).next().unwrap();
    let is_noise = |part: &str| part.starts_with("v1.") || part.starts_with("orco-") || part.len() == 64;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && !is_noise(part)).collect();
    format!("{method} {}", parts.join("/"))
}

async fn carry(
    mut client: UnixStream,
    manner_now: &Mutex<Manner>,
    cuts: &AtomicU64,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let n = client.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        head.extend_from_slice(&buffer[..n]);
    }
    let line = String::from_utf8_lossy(&head[..head.iter().position(|&b| b == b'\r').unwrap()]).into_owned();
    asked.lock().unwrap().push(line.clone());
    let manner = *manner_now.lock().unwrap();
    let limit = match manner {
        Manner::Hangs => return std::future::pending().await,
        Manner::Fails => {
            let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}";
            return client.write_all(answer.as_bytes()).await;
        }
        // Not always at the same place: what is read anew begins some seconds back.
        Manner::CutOutput(bytes) if line.contains("/logs") => {
            Some(bytes * (1 + cuts.load(Ordering::Relaxed) as usize % 3))
        }
        Manner::LosesCreations if line.starts_with("POST") && line.contains("/containers/create") => Some(0),
        Manner::LosesStarts if line.starts_with("POST") && line.contains("/start") => Some(0),
        Manner::HoldsNetworks if line.starts_with("POST") && line.contains("/networks/create") => {
            while *manner_now.lock().unwrap() == Manner::HoldsNetworks {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            None
        }
        Manner::CutOutput(_) | Manner::Fine | Manner::LosesCreations | Manner::LosesStarts | Manner::HoldsNetworks => {
            None
        }
    };
    let mut engine = UnixStream::connect(ENGINE).await?;
    engine.write_all(&head).await?;
    let Some(mut left) = limit else {
        tokio::io::copy_bidirectional(&mut client, &mut engine).await?;
        return Ok(());
    };
    loop {
        let n = engine.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..n.min(left)]).await?;
        if n >= left {
            cuts.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        left -= n;
    }
}
