//! Commands beside the services.

use std::{sync::Arc, time::Duration};

use orco_core::model::InstanceId;
use tokio::sync::oneshot;

use super::{
    error::{Refusal, SpawnError},
    keeper::{Client, ExecOutput},
    link::{Link, lock},
};
use crate::wire::{Exec, Launch, Order};

impl Client {
    /// Runs a command and returns its end and output. `id` of the launch is replaced by a fresh one. At the timeout,
    /// or when the future is dropped, its whole tree is killed.
    ///
    /// # Errors
    /// Nothing was started, or the keeper was lost and the command ended.
    pub async fn exec(&self, launch: Launch, timeout: Duration) -> Result<ExecOutput, SpawnError> {
        self.exec_with(launch, Vec::new(), timeout).await
    }

    /// As [`exec`](Self::exec); the command reads `stdin`, and finds the end of its input behind it. Together with
    /// arguments and variables it may be 8 MiB.
    ///
    /// # Errors
    /// As [`exec`](Self::exec), and [`Refusal::TooLong`].
    pub async fn exec_with(
        &self,
        mut launch: Launch,
        stdin: Vec<u8>,
        timeout: Duration,
    ) -> Result<ExecOutput, SpawnError> {
        let link = self.link().await?;
        let id = self.shared.ids.command();
        launch.id = id;
        let (answer, answered) = oneshot::channel();
        lock(&link.waiters).execs.insert(id, answer);
        let timeout_ms =
            u64::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).min(u64::MAX / 2_000_000);
        let mut running = Running { link, id, over: false, request: self.shared.ids.request() };
        running.link.send(&Order::Exec { exec: Exec { launch, timeout_ms, stdin: stdin.into() } })?;
        let answer = answered.await;
        running.over = true;
        answer.unwrap_or_else(|_| Err(SpawnError::new(Refusal::KeeperLost)))
    }
}

/// A command that is running. Dropped before its end, it is killed.
struct Running {
    link: Arc<Link>,
    id: InstanceId,
    request: u64,
    over: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.link.waiters).execs.remove(&self.id);
            let _ = self.link.send(&Order::Kill { request: self.request, id: self.id });
        }
    }
}
