//! Ids for commands: unlike any other, without asking the kernel each time.

use std::sync::atomic::{AtomicU64, Ordering};

use orco_core::model::InstanceId;

/// Counts on from a random number.
#[derive(Debug)]
pub(super) struct Ids {
    base: u128,
    next: AtomicU64,
}

impl Ids {
    pub(super) fn new() -> std::io::Result<Self> {
        let mut bytes = [0u8; 16];
        // SAFETY: the pointer and the length describe the array.
        let count = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        if count != 16 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Self { base: u128::from_le_bytes(bytes), next: AtomicU64::new(1) })
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
