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
        let mut items = self.lock();
        items.push(item);
        // One wake-up for a batch.
        if items.len() == 1 {
            self.alarm.ring();
        }
    }

    pub(super) fn take(&self) -> Vec<T> {
        self.alarm.quiet();
        std::mem::take(&mut *self.lock())
    }
}
