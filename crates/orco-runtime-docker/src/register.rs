//! What this process knows of its instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use orco_core::model::{Exit, InstanceId, StackId};
use tokio::{sync::watch, time::Instant};

use crate::engine::looks::Inspected;

/// So long a look at a container that has just been started is good enough.
const FRESH: Duration = Duration::from_secs(5);

/// What this process knows of its instances: those it has started, and those it has found.
#[derive(Debug, Default)]
pub(crate) struct Register {
    table: Mutex<BTreeMap<InstanceId, Record>>,
}

#[derive(Debug)]
struct Record {
    stack: Option<StackId>,
    container: Option<String>,
    /// Told once; the answer stays the same.
    exit: watch::Sender<Option<Exit>>,
    look: Option<(Instant, Inspected)>,
    /// How many read its output.
    readers: watch::Sender<usize>,
}

/// Somebody reads the output of an instance; dropped, he does not any more.
#[derive(Debug)]
pub(crate) struct Reading(watch::Sender<usize>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.send_modify(|readers| *readers -= 1);
    }
}

impl Default for Record {
    fn default() -> Self {
        let (exit, readers) = (watch::Sender::new(None), watch::Sender::new(0));
        Self { stack: None, container: None, exit, look: None, readers }
    }
}

impl Register {
    fn table(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Record>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance is this stack's, and its own.
    pub(crate) fn enter(&self, instance: InstanceId, stack: StackId) {
        self.table().entry(instance).or_default().stack = Some(stack);
    }

    /// It has this container.
    pub(crate) fn enter_container(&self, instance: InstanceId, container: &str) {
        self.table().entry(instance).or_default().container = Some(container.to_owned());
    }

    /// Whether this process has started or found it.
    pub(crate) fn knows(&self, instance: InstanceId) -> bool {
        self.table().contains_key(&instance)
    }

    pub(crate) fn container(&self, instance: InstanceId) -> Option<String> {
        self.table().get(&instance)?.container.clone()
    }

    pub(crate) fn stacks(&self) -> BTreeSet<StackId> {
        self.table().values().filter_map(|record| record.stack).collect()
    }

    /// A container was looked at just now.
    pub(crate) fn seen(&self, instance: InstanceId, look: Inspected) {
        if let Some(record) = self.table().get_mut(&instance) {
            record.look = Some((Instant::now(), look));
        }
    }

    /// What was seen a moment ago.
    pub(crate) fn fresh_look(&self, instance: InstanceId) -> Option<Inspected> {
        let table = self.table();
        let (when, look) = table.get(&instance)?.look.as_ref()?;
        (when.elapsed() < FRESH).then(|| look.clone())
    }

    /// Its end is known. The first who says it is right.
    pub(crate) fn told(&self, instance: InstanceId, exit: Exit) -> Exit {
        let mut table = self.table();
        let record = table.entry(instance).or_default();
        record.look = None;
        let mut right = exit;
        record.exit.send_if_modified(|known| match known {
            Some(first) => {
                right = *first;
                false
            }
            None => {
                *known = Some(exit);
                true
            }
        });
        right
    }

    /// How it ended, if that is known.
    pub(crate) fn exit(&self, instance: InstanceId) -> Option<Exit> {
        *self.table().get(&instance)?.exit.borrow()
    }

    /// Says when its end is known, or it is forgotten.
    pub(crate) fn over(&self, instance: InstanceId) -> watch::Receiver<Option<Exit>> {
        self.table().entry(instance).or_default().exit.subscribe()
    }

    /// Somebody reads its output from now on.
    pub(crate) fn read(&self, instance: InstanceId) -> Reading {
        let readers = self.table().entry(instance).or_default().readers.clone();
        readers.send_modify(|readers| *readers += 1);
        Reading(readers)
    }

    /// Returns when all who read the output of an ended instance have read it to its end.
    pub(crate) async fn was_read(&self, instance: InstanceId) {
        let readers = {
            let table = self.table();
            let record = table.get(&instance).filter(|record| record.exit.borrow().is_some());
            record.map(|record| record.readers.subscribe())
        };
        if let Some(mut readers) = readers {
            // An error: nobody is left.
            let _ = readers.wait_for(|readers| *readers == 0).await;
        }
    }

    pub(crate) fn forget(&self, instance: InstanceId) {
        self.table().remove(&instance);
    }
}
