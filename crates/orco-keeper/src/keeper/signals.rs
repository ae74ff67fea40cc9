//! The signals that the keeper hears of.

use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};

/// Ends of children; and, if it outlives its engines, what is meant for these.
pub(super) fn block(for_the_engine: bool) -> std::io::Result<SigSet> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGCHLD);
    if for_the_engine {
        // Blocked signals are kept even where they are ignored, and also for process 1.
        [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| signals.add(signal));
    }
    signals.thread_block()?;
    Ok(signals)
}

pub(super) fn open(signals: &SigSet) -> std::io::Result<SignalFd> {
    Ok(SignalFd::with_flags(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}
