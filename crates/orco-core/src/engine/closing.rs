//! How an engine ends.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::driver::{Driver, Mode};
use crate::{
    crash,
    model::{Exit, Fact, InstanceId, Moment, Seat},
};

/// So long the end waits for runtimes that cannot be reached.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl Driver {
    /// Everything has ended; nothing is left to decide.
    pub(super) async fn finish(mut self) {
        self.world.ending.cancel();
        self.tasks.close();
        if timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            // Hands of a runtime that cannot be reached; all others end by themselves.
            self.world.abandoned.cancel();
            self.tasks.wait().await;
        }
        crash::point("end.before-shutdown");
        for runtime in self.world.registry.runtimes.values() {
            if timeout(PATIENCE, runtime.shutdown()).await.is_err() {
                tracing::warn!(runtime = runtime.name(), "a runtime has not finished its own shutdown");
            }
        }
        crash::point("end.after-shutdown");
        let now = self.clock.now();
        self.publish_now(now);
        self.close_ledger().await;
        self.events.close();
        self.world.logs.close();
        if let Some(export) = self.export.take() {
            export.finish().await;
        }
        if let Mode::Ending(replies) = self.mode {
            for reply in replies {
                let _ = reply.send(());
            }
        }
    }

    /// Everything was to be killed some time ago. What runtimes have that cannot be reached nobody can end now: the
    /// engine goes on to its own end. A keeper, or the next engine of the stack, clears away what is left.
    pub(super) fn give_up(&mut self, now: Moment) {
        self.patience = None;
        self.world.abandoned.cancel();
        let lost: Vec<(InstanceId, Seat)> =
            self.live.iter().filter(|(_, live)| live.remote).map(|(inst, live)| (*inst, live.seat)).collect();
        if lost.is_empty() {
            return;
        }
        tracing::warn!(instances = lost.len(), "ends without them, for their runtime cannot be reached");
        for (inst, at) in lost {
            self.gone(inst);
            self.fact(Fact::Exited { at, inst, exit: Exit::Unknown, port_lost: false }, now);
        }
    }

    /// Starts a hand that leads an instance. It ends with what it leads, or when the engine gives that up.
    pub(super) fn hand(&self, remote: bool, work: impl Future<Output = ()> + Send + 'static) {
        let abandoned = self.world.abandoned.clone();
        self.tasks.spawn(async move {
            // Dropped only when nobody can do anything for its instance any more.
            tokio::select! {
                () = work => {}
                () = abandoned.cancelled(), if remote => {}
            }
        });
    }

    /// Everything goes on without this engine: nothing is stopped, and nobody is told of an end.
    pub(super) async fn leave(mut self) {
        let now = self.clock.now();
        let mark = self.turn(now);
        let synced = self.world.ledger.synced(mark).await;
        if let Some(export) = self.export.take() {
            // Before the next engine writes to the same files.
            export.stop().await;
        }
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
