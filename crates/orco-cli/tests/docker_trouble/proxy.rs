//! A flaky way to the engine: a socket that forwards, and on command drops, delays, fails, cuts, hangs or refuses.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::Shutdown,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::engine::SOCKET;

/// What becomes of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Fine,
    /// Connections are taken and closed.
    Drops,
    /// Answers begin so much later.
    Delays(Duration),
    /// Each gets a 500.
    Fails,
    /// Answers and streams end after so many bytes.
    Cuts(usize),
    /// Connections are taken, and that is all.
    Hangs,
    /// Nobody listens.
    Refuses,
}

/// What connections share with the test.
#[derive(Debug)]
struct State {
    manner: Manner,
    /// Both ends of everything that is open, by the number of the connection.
    open: BTreeMap<u64, [Option<UnixStream>; 2]>,
    next: u64,
    over: bool,
}

/// The flaky way. Dropped, it refuses.
#[derive(Debug)]
pub struct Proxy {
    pub path: PathBuf,
    state: Arc<Mutex<State>>,
    _dir: tempfile::TempDir,
}

impl Proxy {
    pub fn new(manner: Manner) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = dir.path().join("engine.sock");
        let state = Arc::new(Mutex::new(State { manner, open: BTreeMap::new(), next: 0, over: false }));
        let proxy = Self { path: path.clone(), state: Arc::clone(&state), _dir: dir };
        if manner != Manner::Refuses {
            let listener = listen(&path);
            thread::spawn(move || accept(&listener, &state));
        }
        proxy
    }

    pub fn socket(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// From now on, for connections to come.
    pub fn set(&self, manner: Manner) {
        let before = std::mem::replace(&mut self.state.lock().unwrap().manner, manner);
        if before == Manner::Refuses && manner != Manner::Refuses {
            let (listener, state) = (listen(&self.path), Arc::clone(&self.state));
            thread::spawn(move || accept(&listener, &state));
        }
        if manner == Manner::Refuses && before != Manner::Refuses {
            // Wakes the listener, which ends.
            let _ = UnixStream::connect(&self.path);
        }
    }

    /// Cuts what is under way, too.
    pub fn set_now(&self, manner: Manner) {
        self.set(manner);
        self.cut();
    }

    pub fn cut(&self) {
        let open = std::mem::take(&mut self.state.lock().unwrap().open);
        for stream in open.into_values().flatten().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.lock().unwrap().over = true;
        let _ = UnixStream::connect(&self.path);
        self.cut();
    }
}

fn listen(path: &PathBuf) -> UnixListener {
    let _ = fs::remove_file(path);
    UnixListener::bind(path).unwrap()
}

fn accept(listener: &UnixListener, state: &Arc<Mutex<State>>) {
    for client in listener.incoming() {
        let Ok(client) = client else { return };
        let mut now = state.lock().unwrap();
        if now.over || now.manner == Manner::Refuses {
            return;
        }
        let number = now.next;
        now.next += 1;
        now.open.insert(number, [client.try_clone().ok(), None]);
        let manner = now.manner;
        drop(now);
        let state = Arc::clone(state);
        thread::spawn(move || {
            carry(client, manner, number, &state);
            state.lock().unwrap().open.remove(&number);
        });
    }
}

fn carry(mut client: UnixStream, manner: Manner, number: u64, state: &Mutex<State>) {
    let mut wait = Duration::ZERO;
    let mut left = usize::MAX;
    match manner {
        Manner::Fine | Manner::Refuses => {}
        Manner::Drops => return drop(client.shutdown(Shutdown::Both)),
        Manner::Fails => {
            let _ = client.read(&mut [0; 16 * 1024]);
            let text = "{\"message\":\"something broke\"}";
            let head = "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Type: application/json";
            let _ = write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
            return drop(client.shutdown(Shutdown::Both));
        }
        // Until it is cut or closed.
        Manner::Hangs => return while client.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {},
        Manner::Delays(time) => wait = time,
        Manner::Cuts(bytes) => left = bytes,
    }
    let Ok(mut engine) = UnixStream::connect(SOCKET) else { return };
    match state.lock().unwrap().open.get_mut(&number) {
        Some(ends) => ends[1] = engine.try_clone().ok(),
        // It was cut meanwhile.
        None => return,
    }
    let (mut requests, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    let sending = thread::spawn(move || {
        let _ = std::io::copy(&mut requests, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 16 * 1024];
    let begun = Instant::now();
    while let Ok(n) = engine.read(&mut buffer) {
        thread::sleep(wait.saturating_sub(begun.elapsed()));
        if n == 0 || client.write_all(&buffer[..n.min(left)]).is_err() || n >= left {
            break;
        }
        left -= n;
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = engine.shutdown(Shutdown::Both);
    let _ = sending.join();
}
