//! Commands beside an instance, for probes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    probe::Exec,
    runtime::{ExecRequest, ExecResult, Runtime, RuntimeError, StartRequest},
};

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
