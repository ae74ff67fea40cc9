//! The process runtime and its keeper.

use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use orco_api::place::{Lock, Place};
use orco_core::{engine::EngineBuilder, runtime::Runtime, spec::Stack};
use orco_runtime_process::ProcessRuntime;

use crate::cmd::Failure;

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
        if let Some((soft, hard)) = raise_descriptor_limit() {
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

/// As many descriptors as the system lets us have; gives what services are to get: the limit as it was.
fn raise_descriptor_limit() -> Option<(u64, u64)> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // Where it cannot be raised, large stacks find out by a start that fails and says why.
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    Some((soft, hard))
}
