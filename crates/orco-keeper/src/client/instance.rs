//! What the engine's side knows of an instance.

use std::sync::{Mutex, PoisonError};

use orco_core::model::Exit;
use tokio::sync::watch;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// The main process, once it runs.
    pub(super) pid: Option<u32>,
    /// Bytes known to be in its log.
    pub(super) written: u64,
    /// How it ended, when it is over.
    pub(super) exit: Option<Exit>,
}

/// One instance, from the order to start it until it is forgotten.
#[derive(Debug)]
pub(super) struct Instance {
    state: watch::Sender<State>,
    /// The log size for which `Grew` was asked and not yet said.
    armed: Mutex<Option<u64>>,
    /// The keeper's number: which one it belongs to.
    pub(super) keeper: u64,
}

impl Instance {
    pub(super) fn new(keeper: u64) -> Self {
        let state = watch::Sender::new(State { pid: None, written: 0, exit: None });
        Self { state, armed: Mutex::new(None), keeper }
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn started(&self, pid: u32) {
        self.state.send_modify(|state| state.pid = Some(pid));
    }

    pub(super) fn grew(&self, total: u64) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.state.send_modify(|state| state.written = state.written.max(total));
    }

    pub(super) fn ended(&self, exit: Exit, written: Option<u64>) {
        self.state.send_modify(|state| {
            state.written = written.unwrap_or(state.written);
            state.exit.get_or_insert(exit);
        });
    }

    /// Whether `Arm` has to be sent: nobody waits for this size or an earlier one yet.
    pub(super) fn arm(&self, beyond: u64) -> bool {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = armed.is_none_or(|at| at > beyond);
        if needed {
            *armed = Some(beyond);
        }
        needed
    }
}
