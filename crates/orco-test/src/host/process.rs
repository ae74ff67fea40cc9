//! The life of a host, from its start before `main` to its end.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use orco_core::spec::{Known, Stack};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{house::House, serve::serve, wire::Order};
use crate::{
    launch::{self, Own},
    room::{self, Room},
};

orco_keeper::role!(
    /// This executable as a host.
    pub(super) static HOST = c"orco-fixture" => run
);

/// The socket of holders.
pub(super) const HOLD: &str = "hold";
/// What the next host is to run.
pub(super) const ORDER: &str = "order.json";
/// What hosts have to say.
pub(super) const LOG: &str = "host.log";
/// Held by a host as long as its services are there.
const HOST_LOCK: &str = "host.lock";
/// How long a host waits for the services of the one before it to be gone.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a lock is tried.
pub(super) const AGAIN: Duration = Duration::from_millis(10);
/// More holders than that wait to be accepted.
const HOLDERS: usize = 4096;

/// Whether this executable can be started as a host of services.
pub(crate) fn can_host() -> bool {
    HOST.is_active()
}

/// Whether a host works in this directory, or is about to.
pub(crate) fn is_alive(dir: &Path) -> bool {
    let held = File::open(dir.join(HOST_LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)));
    held || UnixStream::connect(dir.join(HOLD)).is_ok()
}

fn run(listener: UnixListener, arguments: Vec<OsString>) -> i32 {
    let Some(dir) = arguments.first().map(PathBuf::from) else { return 2 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(host(listener, &dir))) {
        Ok(()) => 0,
        Err(error) => {
            say(&error.to_string());
            1
        }
    }
}

/// Standard error is the host's log.
fn say(text: &str) {
    use io::Write;
    let _ = writeln!(io::stderr(), "host {}: {text}", std::process::id());
}

async fn host(listener: UnixListener, dir: &Path) -> io::Result<()> {
    let order = fs::read(dir.join(ORDER))?;
    let order: Order = serde_json::from_slice(&order)?;
    // It may hold secrets.
    fs::remove_file(dir.join(ORDER))?;
    let alone = alone(dir).await?;
    let state = dir.join(format!("run-{}", std::process::id()));
    tidy(dir);
    let stack =
        Stack::read_resolved(&serde_json::to_vec(&order.stack)?, &Known::anything()).map_err(io::Error::other)?;
    let name = stack.name().to_string();
    let services = stack.services().iter().map(|service| service.name.to_string()).collect();
    let engine = launch::engine(stack, &Own::default(), &state).map_err(io::Error::other)?;
    let house = Arc::new(House::new(name, services, engine));
    let bring_up = tokio::spawn({
        let house = Arc::clone(&house);
        async move { house.bring_up(order.within).await }
    });
    let served = attend(listener, dir, &house, order.linger).await;
    bring_up.abort();
    house.engine.shutdown().await;
    leave(dir, &state).await;
    drop(alone);
    served
}

/// Waits until the services of the host before are gone.
async fn alone(dir: &Path) -> io::Result<File> {
    let file = room::open(&dir.join(HOST_LOCK))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => sleep(AGAIN).await,
            Err(fs::TryLockError::WouldBlock) => return Err(io::Error::other("the host before this one does not end")),
            Err(fs::TryLockError::Error(e)) => return Err(e),
        }
    }
}

/// Removes what killed hosts have left.
fn tidy(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let runs = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("run-"));
    for run in runs {
        let _ = fs::remove_dir_all(run.path());
    }
}

/// Serves holders until there has been none for long enough.
async fn attend(listener: UnixListener, dir: &Path, house: &Arc<House>, linger: Duration) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    // Asks the kernel at once, where the runtime may not know yet that somebody is there.
    let direct = listener.try_clone()?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let mut holders = JoinSet::new();
    let mut alone_since = Instant::now();
    loop {
        let end = house.kept_until().into_iter().chain([alone_since + house.linger(linger)]).max();
        // All arms are cancel-safe: an accept that is dropped has taken nobody, `join_next` loses nothing.
        tokio::select! {
            accepted = listener.accept(), if holders.len() < HOLDERS => {
                let (stream, _) = accepted?;
                holders.spawn(serve(stream, Arc::clone(house)));
            }
            Some(_) = holders.join_next(), if !holders.is_empty() => alone_since = Instant::now(),
            () = sleep_until(end.unwrap_or(alone_since)), if holders.is_empty() => {
                let Some(room) = Room::try_enter(dir)? else {
                    sleep(AGAIN).await;
                    continue;
                };
                // Askers connect under the lock only: who is not here now comes to the next host.
                match direct.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(true)?;
                        holders.spawn(serve(tokio::net::UnixStream::from_std(stream)?, Arc::clone(house)));
                    }
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                        let _ = fs::remove_file(dir.join(HOLD));
                        drop(room);
                        return Ok(());
                    }
                    Err(e) => return Err(e),
                }
            }
        }
    }
}

/// Removes what was ours: everything, unless another host has begun.
async fn leave(dir: &Path, state: &Path) {
    let _ = fs::remove_dir_all(state);
    for _ in 0..100 {
        match Room::try_enter(dir) {
            Ok(Some(room)) => {
                if !dir.join(HOLD).exists() {
                    room.remove();
                }
                return;
            }
            Ok(None) => sleep(AGAIN).await,
            Err(_) => return,
        }
    }
}
