//! A queue between two threads.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::sys::Alarm;

/// A queue that wakes who reads it.
#[derive(Debug)]
pub(super) struct Mailbox<T> {
    items: Mutex<Vec<T>>,
    pub(super) alarm: Alarm,
}

impl<T> Mailbox<T> {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { items: Mutex::new(Vec::new()), alarm: Alarm::new()? })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // A push cannot leave the list half changed.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, item: T) {
        self.put_all(&mut vec![item]);
    }

    pub(super) fn put_all(&self, more: &mut Vec<T>) {
        if more.is_empty() {
            return;
        }
        let mut items = self.lock();
        let quiet = items.is_empty();
        items.append(more);
        // One wake-up for a batch.
        if quiet {
            self.alarm.ring();
        }
    }

    pub(super) fn take(&self) -> Vec<T> {
        self.alarm.quiet();
        std::mem::take(&mut *self.lock())
    }
}
