//! What a keeper held already when this engine came.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
};

use orco_core::model::{Exit, InstanceId};

use crate::wire::Ending;

/// An instance that a keeper held when this engine came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Which one.
    pub id: InstanceId,
    /// Its main process.
    pub pid: u32,
    /// By what another keeper knows it again.
    pub token: String,
    /// What asks it to end when everything ends.
    pub stop_signal: i32,
    /// The directory of its log.
    pub log_dir: PathBuf,
    /// The name of its segments there, up to `.N.log`.
    pub log_stem: OsString,
    /// How it ended, if it is over.
    pub exit: Option<Exit>,
    /// How many bytes are in its log, if it is over; else 0.
    pub bytes: u64,
}

impl Held {
    pub(super) fn new(id: InstanceId, pid: u32, end: Option<(Ending, u64)>, log: (&[u8], &[u8])) -> Self {
        let log_dir = PathBuf::from(OsStr::from_bytes(log.0));
        let log_stem = OsStr::from_bytes(log.1).to_owned();
        let (exit, bytes) = (end.map(|(ending, _)| exit(ending)), end.map_or(0, |(_, bytes)| bytes));
        Self { id, pid, token: String::new(), stop_signal: 0, log_dir, log_stem, exit, bytes }
    }
}

pub(super) const fn exit(ending: Ending) -> Exit {
    match ending {
        Ending::Code { code } => Exit::Code(code),
        Ending::Signal { signal } => Exit::Signal(signal),
        Ending::Unknown {} => Exit::Unknown,
    }
}
