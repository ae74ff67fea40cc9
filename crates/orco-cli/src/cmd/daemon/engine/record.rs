//! `meta.json` of a stack under the daemon.

use std::path::PathBuf;

use orco_api::{
    place::{Lock, Meta, Place},
    wire::{Mode, Timestamp},
};
use orco_core::crash;

use crate::render;

/// What strangers are told about this engine: renewed by every engine, and when another keeper took over.
#[derive(Debug)]
pub struct Record {
    place: Place,
    meta: Meta,
    /// The file says something else: the disk did not take it.
    is_behind: bool,
}

impl Record {
    /// Goes on with what is written down: whoever started the daemon knew the stack file.
    pub fn open(place: &Place, stack: &str) -> Self {
        let found = Meta::read(place).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was written down about the stack is lost");
            None
        });
        let mut meta = found.unwrap_or_else(|| Meta {
            stack: String::new(),
            id: place.id().to_string(),
            dir: PathBuf::new(),
            file: PathBuf::new(),
            pid: None,
            keeper_pid: None,
            mode: Mode::Detached,
            since: Timestamp::now(),
        });
        stack.clone_into(&mut meta.stack);
        meta.mode = Mode::Detached;
        Self { place: place.clone(), meta, is_behind: false }
    }

    /// The stack file.
    pub fn file(&self) -> PathBuf {
        self.meta.file.clone()
    }

    /// Who runs it now. What cannot be written is only said: the stack runs all the same.
    pub fn runs(&mut self, keeper_pid: Option<u32>) {
        self.meta.pid = Some(std::process::id());
        self.meta.keeper_pid = keeper_pid;
        self.write();
    }

    /// It has ended, in order.
    pub fn ended(&mut self, lock: &Lock) {
        self.place.remove_socket(lock);
        crash::point("end.socket-removed");
        self.meta.pid = None;
        self.meta.keeper_pid = None;
        self.write();
    }

    /// Whether the file says something else. It is then to be written [`again`](Self::again).
    pub const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Tries once more.
    pub fn again(&mut self) {
        self.write();
    }

    fn write(&mut self) {
        let written = self.meta.write(&self.place);
        if let Err(error) = &written
            && !self.is_behind
        {
            tracing::error!(error = render::chain(error), "cannot write down who runs the stack, trying again");
        }
        self.is_behind = written.is_err();
    }
}
