//! A way to a registry that breaks off in the middle, or goes silent there.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What becomes of an answer after so many bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    /// It goes on.
    Pass,
    /// The connection is cut.
    Cut(usize),
    /// Nothing more comes, and nobody says so.
    Silence(usize),
    /// It goes on with some 100 KiB a second.
    Crawl(usize),
}

/// Passes connections on to a registry.
#[derive(Debug)]
pub(crate) struct CuttingProxy {
    at: SocketAddr,
    shared: Arc<Shared>,
    accepts: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    after: Mutex<After>,
    struck: AtomicUsize,
    passed: AtomicUsize,
    open: AtomicUsize,
    ends: AtomicBool,
}

impl CuttingProxy {
    /// In front of the registry that listens there.
    pub(crate) fn start(to: SocketAddr, after: After) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let (struck, passed, open) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let (after, ends) = (Mutex::new(after), AtomicBool::new(false));
        let shared = Arc::new(Shared { to, after, struck, passed, open, ends });
        let inside = Arc::clone(&shared);
        let accepts = thread::spawn(move || {
            let mut passing = Vec::new();
            for client in listener.incoming() {
                if inside.ends.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(inside.to)) else { continue };
                let shared = Arc::clone(&inside);
                passing.push(thread::spawn(move || pass(&client, &server, &shared)));
            }
            for one in passing {
                one.join().unwrap();
            }
        });
        Self { at, shared, accepts: Some(accepts) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.at
    }

    /// From now on, also for connections that are open.
    pub(crate) fn set(&self, after: After) {
        *self.shared.after.lock().unwrap() = after;
    }

    /// How many answers were cut, silenced or slowed down.
    pub(crate) fn struck(&self) -> usize {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// How many bytes of answers have passed.
    pub(crate) fn passed(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        // Wakes it up.
        drop(TcpStream::connect(self.at));
        if let Some(accepts) = self.accepts.take() {
            accepts.join().ok();
        }
    }
}

fn pass(client: &TcpStream, server: &TcpStream, shared: &Shared) {
    shared.open.fetch_add(1, Ordering::SeqCst);
    let left = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(client, server, shared, None);
            left.store(true, Ordering::SeqCst);
            server.shutdown(Shutdown::Both).ok();
        });
        copy(server, client, shared, Some(&left));
        client.shutdown(Shutdown::Both).ok();
    });
    shared.open.fetch_sub(1, Ordering::SeqCst);
}

/// `left`: these are answers, for a client that may have left.
fn copy(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared, left: Option<&AtomicBool>) {
    let (mut passed, mut silent, mut slow, mut buffer) = (0, false, false, [0; 4096]);
    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while !shared.ends.load(Ordering::SeqCst) {
        let read = match from.read(&mut buffer) {
            // Who is silent does not say that it was all.
            Ok(0) if silent && left.is_some_and(|left| !left.load(Ordering::SeqCst)) => {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        passed += read;
        let after = *shared.after.lock().unwrap();
        match after {
            After::Cut(most) if left.is_some() && passed > most => {
                shared.struck.fetch_add(1, Ordering::SeqCst);
                return;
            }
            After::Silence(most) if left.is_some() && passed > most => {
                if !silent {
                    shared.struck.fetch_add(1, Ordering::SeqCst);
                }
                silent = true;
            }
            After::Crawl(most) if left.is_some() && passed > most => {
                if !slow {
                    shared.struck.fetch_add(1, Ordering::SeqCst);
                }
                slow = true;
                thread::sleep(Duration::from_millis(40));
            }
            After::Pass | After::Cut(_) | After::Silence(_) | After::Crawl(_) => {}
        }
        if left.is_some() {
            shared.passed.fetch_add(read, Ordering::SeqCst);
        }
        if !silent && to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}
