//! Commands beside an instance, for people and probes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::handle::{CommandError, Engine};
use crate::{
    probe::Exec,
    runtime::{ExecRequest, ExecResult, Runtime, RuntimeError, StartRequest},
};

impl Engine {
    /// Runs a command beside (or inside) one replica, or each of all in turn, with its variables, user and
    /// directory. Each reads `stdin` from its beginning. Cancel-safe: dropped, the command that runs is killed.
    ///
    /// # Errors
    /// [`CommandError`]; the first that could not be started.
    pub async fn exec(
        &self,
        service: &str,
        replica: Option<u32>,
        argv: Vec<String>,
        stdin: Vec<u8>,
        timeout: Duration,
    ) -> Result<Vec<(u32, ExecResult)>, CommandError> {
        let mut results = Vec::new();
        for (replica, runtime, running) in self.running(service, replica).await? {
            let mut request = ExecRequest::new(&running.request, argv.clone(), timeout);
            request.stdin.clone_from(&stdin);
            let done = runtime.exec(request).await;
            let mut done = done.map_err(|e| self.refused(service, replica, &e))?;
            if let Some(mask) = self.world().logs.masks.of(&running.request.service.name) {
                done.output = mask.output(&done.output);
            }
            results.push((replica, done));
        }
        Ok(results)
    }
}

/// Runs commands with an instance's own directory, user and variables.
#[derive(Debug)]
pub(super) struct ExecBeside {
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) request: Arc<StartRequest>,
}

#[async_trait]
impl Exec for ExecBeside {
    async fn exec(&self, argv: Vec<String>, timeout: Duration) -> Result<ExecResult, RuntimeError> {
        self.runtime.exec(ExecRequest::new(&self.request, argv, timeout)).await
    }
}
