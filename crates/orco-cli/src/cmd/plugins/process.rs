//! The process runtime and its keeper.

use std::sync::Arc;

use orco_api::place::{Lock, Place};
use orco_core::{engine::EngineBuilder, runtime::Runtime, spec::Stack};
use orco_runtime_process::ProcessRuntime;

use crate::cmd::{Failure, daemon::raise_descriptors};

/// The runtime, with its keeper running if the stack has processes.
#[derive(Debug)]
pub struct Process {
    runtime: Arc<ProcessRuntime>,
    pub keeper_pid: Option<u32>,
}

impl Process {
    pub async fn start(stack: &Stack, place: &Place, lock: &Lock) -> Result<Self, Failure> {
        let shared = lock.share().map_err(|e| Failure::internal("cannot share the lock", e))?;
        let mut builder = ProcessRuntime::builder().state_dir(place.dir()).lock(shared);
        if let Some((soft, hard)) = raise_descriptors() {
            builder = builder.descriptor_limit(soft, hard);
        }
        let wanted = stack.services().iter().any(|s| s.runtime == "process");
        let runtime = match wanted {
            true => builder.start().await.map_err(|e| Failure::internal("cannot start the keeper", e))?,
            false => builder.build(),
        };
        Ok(Self { keeper_pid: runtime.keeper_pid(), runtime: Arc::new(runtime) })
    }

    pub fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        builder.runtime(Arc::clone(&self.runtime) as Arc<dyn Runtime>)
    }
}
