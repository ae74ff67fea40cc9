//! What takes long is begun at once: images are pulled while dependencies still start.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;

use crate::{
    model::{InstanceId, ServiceName},
    runtime::{LogTarget, StartRequest},
};

use super::driver::Driver;

impl Driver {
    /// Lets runtimes prepare for these services (all if empty). Nobody waits for it: each start asks again, and tells
    /// what went wrong.
    pub(super) fn prepare_ahead(&self, services: &[ServiceName]) {
        let wanted = self.world.wanted().clone();
        let mut seen = BTreeSet::new();
        for service in wanted.services() {
            let asked = services.is_empty() || services.contains(&service.name);
            let Some(image) = service.image.clone().filter(|_| asked) else { continue };
            let Some(runtime) = self.world.runtime(&service.runtime) else { continue };
            if !seen.insert((service.runtime.clone(), image)) {
                continue;
            }
            let log = LogTarget::new(self.world.logs.store.dir(&service.name), "ahead");
            // No instance has this id: nothing is made of it.
            let request = StartRequest::new(self.world.stack, InstanceId(0), Arc::clone(service), log);
            let ending = self.world.ending.clone();
            self.tasks.spawn(async move {
                // Both are cancel-safe.
                tokio::select! {
                    done = AssertUnwindSafe(runtime.prepare(&request)).catch_unwind() => drop(done),
                    () = ending.cancelled() => {}
                }
            });
        }
    }
}
