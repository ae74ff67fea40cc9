//! What the engine's side knows of an instance.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use orco_core::model::{Exit, InstanceId};
use tokio::sync::watch;

use super::link::lock;
use crate::wire::{Adopt, Order};

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

/// What another keeper needs to know of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    /// Empty until it runs.
    pub(super) token: Box<[u8]>,
    pub(super) stop_signal: i32,
    pub(super) log_dir: Box<[u8]>,
    pub(super) log_stem: Box<[u8]>,
}

/// One instance, from the order to start it until it is forgotten.
#[derive(Debug)]
pub(super) struct Instance {
    state: watch::Sender<State>,
    /// The log size for which `Grew` was asked and not yet said.
    armed: Mutex<Option<u64>>,
    /// At which size its segments are closed, if somebody has said.
    segment: AtomicU64,
    /// The keeper's number: which one it belongs to.
    keeper: AtomicU64,
    papers: Mutex<Papers>,
}

impl Instance {
    pub(super) fn new(keeper: u64, papers: Papers) -> Self {
        let state = watch::Sender::new(State { pid: None, written: 0, exit: None });
        Self {
            state,
            armed: Mutex::new(None),
            segment: AtomicU64::new(0),
            keeper: AtomicU64::new(keeper),
            papers: Mutex::new(papers),
        }
    }

    pub(super) fn keeper(&self) -> u64 {
        self.keeper.load(Ordering::Acquire)
    }

    pub(super) fn belongs_to(&self, keeper: u64) {
        self.keeper.store(keeper, Ordering::Release);
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

    pub(super) fn known_by(&self, token: Box<[u8]>, stop_signal: i32) {
        let mut papers = lock(&self.papers);
        papers.token = token;
        papers.stop_signal = stop_signal;
    }

    /// By what another keeper knows it again; empty until it runs.
    pub(super) fn token(&self) -> String {
        String::from_utf8_lossy(&lock(&self.papers).token).into_owned()
    }

    /// The order to another keeper to take it over.
    pub(super) fn adoption(&self, id: InstanceId) -> Order {
        let Papers { token, stop_signal, log_dir, log_stem } = lock(&self.papers).clone();
        Order::Adopt { adopt: Adopt { id, token, stop_signal, log_dir, log_stem } }
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

    /// Its segments are closed at this size from now on. False: they were before.
    pub(super) fn segments(&self, bytes: u64) -> bool {
        self.segment.swap(bytes, Ordering::AcqRel) != bytes
    }

    /// At which size its segments are closed, if somebody has said.
    pub(super) fn segment(&self) -> Option<u64> {
        Some(self.segment.load(Ordering::Acquire)).filter(|bytes| *bytes > 0)
    }

    /// What `Arm` was sent for and another keeper does not know of.
    pub(super) fn armed(&self) -> Option<u64> {
        *lock(&self.armed)
    }
}
