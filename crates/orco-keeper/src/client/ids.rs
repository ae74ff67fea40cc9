//! Ids for commands: unlike any other, without asking the kernel each time.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use orco_core::model::InstanceId;

/// Counts on from a random number.
#[derive(Debug)]
pub(super) struct Ids {
    base: u128,
    next: AtomicU64,
}

impl Ids {
    pub(super) fn new() -> Self {
        // The standard library seeds its hash maps from the system.
        let half = || u128::from(RandomState::new().build_hasher().finish());
        Self { base: half() << 64 | half(), next: AtomicU64::new(1) }
    }

    /// A number that this client has not given before.
    pub(super) fn request(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// An id that nobody has given before.
    pub(super) fn command(&self) -> InstanceId {
        InstanceId(self.base.wrapping_add(self.request().into()))
    }
}
