//! `daemon engine`: what the keeper of a detached stack starts, again and again.
//!
//! # Theory of operation
//! The engine is born with a link to its keeper, the stack's lock and its control socket, all of which outlive it. It
//! opens the journal, goes on where the last engine stopped (which may have been killed, upgraded, or never been),
//! does what `incoming.json` asks for, and only then answers on the control socket: who asks meanwhile waits. It
//! ends when the stack is asked down, or hands over to another program; any other end is repaired by the keeper.

mod birth;
mod handover;
mod life;
mod record;
mod reload;

use std::path::Path;

use nix::sys::prctl;

use self::birth::Daemon;
use super::{limits, log_file, preflight::Abilities};
use crate::{
    args::DaemonEngine,
    cmd::{Failure, line},
    exit::Exit,
    signals::Signals,
    terminal,
};

pub fn engine(args: DaemonEngine) -> Result<Exit, Failure> {
    let Some(dir) = args.dir.filter(|_| !args.check) else {
        terminal::print(line(&Abilities::ours()))?;
        return Ok(Exit::DONE);
    };
    let Some(inherited) = orco_keeper::daemon::inherited() else {
        let only = "only the keeper of a stack can start its engine";
        return Err(Failure::new(Exit::USAGE, only).next("start the stack with `orco up -d`"));
    };
    orco_core::crash::arm();
    log_file::put_aside(&dir.join("daemon.log"));
    orco_keeper::daemon::stay_small();
    terminal::keep_a_log();
    // Cosmetic: how it is called in `ps`, whatever file the keeper has started.
    let _ = prctl::set_name(c"orco");
    limits::no_core();
    crate::cmd::wait(async {
        // Before anything else: a signal during start-up is obeyed like any other.
        let signals = Signals::catch().map_err(|e| Failure::internal("cannot catch signals", e))?;
        let program = args.program.as_deref().unwrap_or_else(|| Path::new("/proc/self/exe"));
        let daemon = Daemon::begin(&dir, program, inherited).await?;
        daemon.live(signals).await
    })
}
