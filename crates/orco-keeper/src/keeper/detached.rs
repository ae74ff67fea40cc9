//! The first steps of a keeper that outlives its engines.

use std::{
    ffi::CString,
    fs, io,
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use libc::c_int;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{
    engine::{Engines, Found, Origin},
    guard::{self, FAILED, LOCK, TOO_LATE},
    spawn::Spawner,
    turn::Keeper,
};
use crate::{hook, logger, program, sys, wire::Backend};

/// The descriptor of the listening control socket.
pub(crate) const LISTENER: c_int = 5;
/// Argument 1 of a keeper that starts its engine.
pub(crate) const DETACHED: &str = "detached";
/// Argument 1 of a keeper that takes the place of a dead one; the socket leads to its engine, which is its parent.
pub(crate) const TAKEOVER: &str = "takeover";
/// To leave the parent, which waits for that.
pub(crate) const DETACH: &str = "detach";
/// Before the file mode mask of services, a decimal number.
pub(crate) const UMASK: &str = "umask=";
/// Before the `oom_score_adj` of services.
pub(crate) const OOM: &str = "oom=";

/// Before the soft limit of core files of services, in bytes.
pub(crate) const CORE: &str = "core=";

/// What keeper and engine set their own `oom_score_adj` to, where they may: without them nobody restarts the others.
const OOM_SCORE: i32 = -900;

#[derive(Debug, Default)]
struct Options {
    takeover: bool,
    backend: Backend,
    detach: bool,
    umask: Option<u32>,
    oom: Option<i32>,
    core: Option<u64>,
    engine: Vec<CString>,
}

/// Whether these are the arguments of a detached keeper.
pub(super) fn is_meant(arguments: &[Vec<u8>]) -> bool {
    arguments.first().is_some_and(|mode| mode == DETACHED.as_bytes() || mode == TAKEOVER.as_bytes())
}

/// Runs the keeper until its engine has said that it is done, or for ever. Returns the exit status.
pub(super) fn run(arguments: &[Vec<u8>]) -> i32 {
    let options = parse(arguments);
    if !hook::is_listener(LISTENER) {
        return FAILED;
    }
    if options.detach {
        // SAFETY: there is one thread only. Whoever started us waits for this process alone.
        match unsafe { libc::fork() } {
            0 => {}
            child if child > 0 => return 0,
            _ => return FAILED,
        }
    }
    match open(options) {
        Ok(Some(mut keeper)) => match keeper.run() {
            Ok(()) => keeper.status(),
            Err(error) => {
                say(&format!("ends: {error}"));
                FAILED
            }
        },
        Ok(None) => TOO_LATE,
        Err(error) => {
            say(&format!("cannot start: {error}"));
            FAILED
        }
    }
}

fn parse(arguments: &[Vec<u8>]) -> Options {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    options.takeover = rest.next().is_some_and(|mode| mode == TAKEOVER.as_bytes());
    options.backend = rest.next().and_then(|name| Backend::parse(name)).unwrap_or_default();
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
    for option in rest.by_ref() {
        if option == b"--" {
            break;
        }
        if let Some(umask) = option.strip_prefix(UMASK.as_bytes()) {
            options.umask = number(umask).and_then(|umask| u32::try_from(umask).ok());
        } else if let Some(oom) = option.strip_prefix(OOM.as_bytes()) {
            options.oom = number(oom).and_then(|oom| i32::try_from(oom).ok());
        } else if let Some(core) = option.strip_prefix(CORE.as_bytes()) {
            options.core = std::str::from_utf8(core).ok().and_then(|core| core.parse().ok());
        }
        options.detach |= option == DETACH.as_bytes();
    }
    options.engine = rest.filter_map(|argument| CString::new(argument.clone()).ok()).collect();
    options
}

/// To the daemon's log, for people.
pub(super) fn say(text: &str) {
    use std::io::Write;
    // Nobody can be told if even that fails.
    let _ = writeln!(io::stderr(), "orco-keeper: {text}");
}

/// `None`: the engine to be taken over is gone already.
fn open(options: Options) -> io::Result<Option<Keeper>> {
    guard::abort_on_panic();
    // Blocked first: a signal that comes now is not lost but kept.
    let signals = super::signals::block(true)?;
    // Out of the way of the numbers that the spawner uses.
    let found = guard::prepare(LISTENER)?.map(|engine| program::high(engine.as_fd())).transpose()?;
    // SAFETY: a plain number in and out.
    let mask = unsafe { libc::umask(0o077) };
    // Before anything else opens descriptors: it uses certain numbers.
    let nofile = getrlimit(Resource::RLIMIT_NOFILE)?;
    let mut spawner = Spawner::new(&[], nofile)?;
    if let (Some(core), Ok((_, hard))) = (options.core, getrlimit(Resource::RLIMIT_CORE)) {
        // The engine that started us has none of its own; services inherit ours.
        let _ = setrlimit(Resource::RLIMIT_CORE, core.min(hard), hard);
    }
    let oom = options.oom.or_else(lower_oom_score);
    let origin = Origin { umask: options.umask.unwrap_or(mask), oom, nofile };
    spawner.originate(origin.umask, origin.oom);
    super::turn::raise_descriptor_limit();
    // The dead wait for us alone.
    sys::be_prompt();
    let found = match (options.takeover, found) {
        (true, None) => return Ok(None),
        (true, Some(engine)) => Found::Engine { link: own(hook::SOCKET), engine },
        (false, _) => Found::Launcher(UnixStream::from(own(hook::SOCKET))),
    };
    let lock = own(LOCK);
    let listener = own(LISTENER);
    let program = fs::File::open(program::SELF.to_str().unwrap_or_default())?.into();
    let cgroups = guard::probe(options.backend);
    let logger = logger::start(logger::Limits::new(16 << 20, 64 << 20))?;
    let engines = Engines::new(options.engine, program, lock, listener, origin, found)?;
    Keeper::detached(engines, &signals, logger, spawner, cgroups).map(Some)
}

/// A descriptor that was put at this number for us.
fn own(fd: c_int) -> OwnedFd {
    // SAFETY: verified at the start, or of no use to anybody if it is closed; nothing else in this process owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// What services get, if this process could be made a worse victim than they are.
fn lower_oom_score() -> Option<i32> {
    const FILE: &str = "/proc/self/oom_score_adj";
    let now: i32 = fs::read_to_string(FILE).ok()?.trim().parse().ok()?;
    (now > OOM_SCORE && fs::write(FILE, OOM_SCORE.to_string()).is_ok()).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_two_dashes_is_the_engines() {
        let line: &[&[u8]] = &[
            b"takeover",
            b"sweep",
            b"umask=18",
            b"oom=-5",
            b"core=18446744073709551615",
            b"--",
            b"daemon",
            b"umask=1",
            b"--",
        ];
        let options = parse(&line.iter().map(|part| part.to_vec()).collect::<Vec<_>>());
        assert!(options.takeover && !options.detach);
        assert_eq!((options.backend, options.umask, options.oom), (Backend::Sweep, Some(18), Some(-5)));
        assert_eq!(options.core, Some(u64::MAX), "no limit");
        assert_eq!(options.engine, [c"daemon".to_owned(), c"umask=1".to_owned(), c"--".to_owned()]);
        let detached = parse(&[b"detached".to_vec(), b"auto".to_vec(), b"detach".to_vec()]);
        assert!(detached.detach && !detached.takeover && detached.engine.is_empty() && detached.umask.is_none());
    }

    #[test]
    fn the_modes_are_told_apart() {
        assert!(is_meant(&[b"detached".to_vec()]) && is_meant(&[b"takeover".to_vec()]));
        assert!(!is_meant(&[b"lock".to_vec()]) && !is_meant(&[]));
    }
}
