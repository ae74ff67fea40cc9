//! Starts under way. Once the engine was asked to create a container, only its answer says how to take that back: a start
//! whose caller has gone is carried on until then, by a task of its own.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use orco_core::model::InstanceId;
use tokio_util::sync::CancellationToken;

/// Starts under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    table: Mutex<HashMap<InstanceId, Flight>>,
}

/// A start under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight {
    /// Nobody wants it any more.
    pub(crate) unwanted: CancellationToken,
    landed: CancellationToken,
}

impl Flights {
    fn table(&self) -> MutexGuard<'_, HashMap<InstanceId, Flight>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One begins, or the one that is under way already is waited for first.
    pub(crate) async fn begin(&self, instance: InstanceId) -> Flight {
        loop {
            let earlier = {
                let mut table = self.table();
                match table.get(&instance) {
                    Some(earlier) => earlier.clone(),
                    None => return table.entry(instance).or_default().clone(),
                }
            };
            earlier.landed.cancelled().await;
        }
    }

    /// It has come to its end.
    pub(crate) fn end(&self, instance: InstanceId) {
        if let Some(flight) = self.table().remove(&instance) {
            flight.landed.cancel();
        }
    }

    /// Calls it off, and returns when nothing of it is under way.
    pub(crate) async fn call_off(&self, instance: InstanceId) {
        let flight = self.table().get(&instance).cloned();
        if let Some(flight) = flight {
            flight.unwanted.cancel();
            flight.landed.cancelled().await;
        }
    }
}
