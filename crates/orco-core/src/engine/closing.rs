//! How an engine ends.

use std::sync::Arc;

use super::driver::{Driver, Mode};
use crate::crash;

impl Driver {
    /// Everything has ended; nothing is left to decide.
    pub(super) async fn finish(mut self) {
        self.world.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        crash::point("end.before-shutdown");
        for runtime in self.world.registry.runtimes.values() {
            runtime.shutdown().await;
        }
        crash::point("end.after-shutdown");
        let now = self.clock.now();
        self.publish_now(now);
        self.close_ledger().await;
        self.events.close();
        self.world.logs.close();
        if let Mode::Ending(replies) = self.mode {
            for reply in replies {
                let _ = reply.send(());
            }
        }
    }

    /// Everything goes on without this engine: nothing is stopped, and nobody is told of an end.
    pub(super) async fn leave(mut self) {
        let now = self.clock.now();
        let mark = self.turn(now);
        let synced = self.world.ledger.synced(mark).await;
        self.close_ledger().await;
        if let Mode::Leaving(reply) = self.mode {
            let _ = reply.send(synced);
        }
    }

    /// The last writes, on a thread that may wait for a disk.
    async fn close_ledger(&self) {
        crash::point("end.before-close");
        let world = Arc::clone(&self.world);
        // It can only fail when the runtime is shutting down.
        let _ = self.world.logs.tasks.spawn_blocking(move || world.ledger.close()).await;
        crash::point("end.after-close");
    }
}
