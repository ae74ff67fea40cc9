//! Telling a service manager how it goes (the protocol of sd_notify), and the watchdog.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::Arc,
    time::Duration,
};

/// The variables of the protocol; services have no business with them.
pub const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// The way to the service manager, if there is one. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Notify(Option<Arc<Way>>);

#[derive(Debug)]
struct Way {
    socket: UnixDatagram,
    to: SocketAddr,
}

impl Notify {
    /// As `NOTIFY_SOCKET` says.
    pub fn from_env() -> Self {
        let Some(address) = env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        match Self::to(&address) {
            Ok(notify) => notify,
            Err(error) => {
                tracing::warn!(%error, "cannot speak to `NOTIFY_SOCKET`");
                Self::default()
            }
        }
    }

    /// To a path, or with `@` in front to a name in the abstract namespace.
    fn to(address: &OsStr) -> io::Result<Self> {
        let to = match address.as_bytes() {
            [b'/', ..] => SocketAddr::from_pathname(address)?,
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => return Err(io::Error::other("neither a path nor an abstract name")),
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not stop the engine.
        socket.set_nonblocking(true)?;
        Ok(Self(Some(Arc::new(Way { socket, to }))))
    }

    fn say(&self, lines: &str) {
        let Some(way) = &self.0 else { return };
        if let Err(error) = way.socket.send_to_addr(lines.as_bytes(), &way.to) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }

    /// It serves.
    pub fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={status}"));
    }

    /// It reads its configuration again; [`ready`](Self::ready) ends that.
    pub fn reloading(&self) {
        self.say("RELOADING=1");
    }

    /// It is about to end.
    pub fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=stopping everything in order");
    }

    /// A new keeper took over: it is what the manager shall watch.
    pub fn main_pid(&self, pid: u32) {
        self.say(&format!("MAINPID={pid}"));
    }

    /// Lives of the watchdog, as long as `alive` says so: each ping waits for an answer of what is watched, so that a
    /// loop that hangs is found out. Returns when it is not alive.
    pub async fn watchdog(self, limit: Duration, mut alive: impl AsyncFnMut() -> bool) {
        while alive().await {
            self.say("WATCHDOG=1");
            tokio::time::sleep(limit / 2).await;
        }
    }
}

/// How long the service manager waits for a sign of life, if it does: `WATCHDOG_USEC`, when it is meant for the main
/// process (the keeper) or for nobody in particular.
pub fn watchdog_limit(main_pid: u32) -> Option<Duration> {
    limit_from(|name| env::var(name).ok(), main_pid)
}

fn limit_from(var: impl Fn(&str) -> Option<String>, main_pid: u32) -> Option<Duration> {
    let micros = var("WATCHDOG_USEC")?.parse().ok().filter(|micros| *micros > 0)?;
    let ours = var("WATCHDOG_PID").is_none_or(|pid| pid.parse() == Ok(main_pid));
    ours.then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn next(socket: &UnixDatagram) -> Option<String> {
        let mut bytes = [0; 512];
        let length = socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..length].to_vec()).unwrap())
    }

    #[test]
    fn to_paths_and_abstract_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = path.to_str().unwrap();
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap();
        for (manager, address) in [(by_path, name.to_owned()), (by_name, format!("@{name}"))] {
            manager.set_nonblocking(true).unwrap();
            let notify = Notify::to(OsStr::new(&address)).unwrap();
            notify.ready("3 services");
            assert_eq!(next(&manager).unwrap(), "READY=1\nSTATUS=3 services");
            notify.reloading();
            notify.stopping();
            notify.main_pid(7);
            assert_eq!(next(&manager).unwrap(), "RELOADING=1");
            assert!(next(&manager).unwrap().starts_with("STOPPING=1\n"));
            assert_eq!(next(&manager).unwrap(), "MAINPID=7");
        }
        assert!(Notify::to(OsStr::new("nowhere")).is_err());
        // Nobody listens any more, or ever did: no harm.
        Notify::to(path.as_os_str()).unwrap().ready("");
        Notify::default().ready("");
    }

    #[tokio::test(start_paused = true)]
    async fn pings_stop_when_the_loop_stalls() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_nonblocking(true).unwrap();
        let notify = Notify::to(path.as_os_str()).unwrap();
        let turns = Arc::new(AtomicU32::new(0));
        let asked = Arc::clone(&turns);
        // A loop that answers three times, then hangs.
        let alive = async move || match asked.fetch_add(1, Ordering::Relaxed) {
            0..3 => true,
            _ => std::future::pending().await,
        };
        let watchdog = tokio::spawn(notify.watchdog(Duration::from_secs(10), alive));
        tokio::time::sleep(Duration::from_secs(1000)).await;
        assert_eq!(turns.load(Ordering::Relaxed), 4);
        for _ in 0..3 {
            assert_eq!(next(&manager).unwrap(), "WATCHDOG=1");
        }
        assert_eq!(next(&manager), None);
        watchdog.abort();
    }

    #[test]
    fn only_a_limit_for_us_counts() {
        let limit = |vars: &[(&str, &str)]| {
            limit_from(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()), 7)
        };
        assert_eq!(limit(&[("WATCHDOG_USEC", "3000000")]), Some(Duration::from_secs(3)));
        assert_eq!(limit(&[("WATCHDOG_USEC", "3000000"), ("WATCHDOG_PID", "7")]), Some(Duration::from_secs(3)));
        for none in [&[][..], &[("WATCHDOG_USEC", "3"), ("WATCHDOG_PID", "8")], &[("WATCHDOG_USEC", "0")]] {
            assert_eq!(limit(none), None, "{none:?}");
        }
    }
}
