//! The process runtime and its keeper.

use std::{os::fd::OwnedFd, path::Path, sync::Arc};

use orco_api::{
    place::{Lock, Place},
    server::Listener,
};
use orco_core::{engine::EngineBuilder, runtime::Runtime, spec::Stack};
use orco_keeper::Detached;
use orco_runtime_process::ProcessRuntime;

use super::Attachment;
use crate::cmd::{
    Failure,
    daemon::{SERVICE_MANAGER_VARIABLES, raise_descriptors},
};

/// The runtime, with its keeper running if the stack has processes.
#[derive(Clone, Debug)]
pub struct Process {
    runtime: Arc<ProcessRuntime>,
}

impl Process {
    pub async fn start(stack: &Stack, place: &Place, lock: &Lock) -> Result<Self, Failure> {
        let mut builder = ProcessRuntime::builder().state_dir(place.dir()).lock(share(lock.share())?);
        if let Some((soft, hard)) = raise_descriptors() {
            builder = builder.descriptor_limit(soft, hard);
        }
        let wanted = stack.services().iter().any(|s| s.runtime == "process");
        let runtime = match wanted {
            true => builder.start().await.map_err(|e| Failure::internal("cannot start the keeper", e))?,
            false => builder.build(),
        };
        Ok(Self { runtime: Arc::new(runtime) })
    }

    /// The runtime of the keeper that has started this engine.
    pub async fn attach(place: &Place, lock: &Lock, listener: &Listener, keeper: Attachment) -> Result<Self, Failure> {
        let detached = Detached {
            engine_arguments: std::env::args_os().skip(1).collect(),
            lock: Arc::new(share(lock.share())?),
            listener: Arc::new(share(listener.share())?),
            origin: keeper.origin,
        };
        let mut builder =
            ProcessRuntime::builder().state_dir(place.dir()).without_variables(&SERVICE_MANAGER_VARIABLES);
        if let Some((soft, hard)) = raise_descriptors() {
            builder = builder.descriptor_limit(soft, hard);
        }
        let runtime = builder.attach(keeper.link, keeper.keeper_pid, detached).await;
        Ok(Self { runtime: Arc::new(runtime.map_err(|e| Failure::internal("cannot speak to the keeper", e))?) })
    }

    pub fn register(&self, builder: EngineBuilder) -> EngineBuilder {
        builder.runtime(Arc::clone(&self.runtime) as Arc<dyn Runtime>)
    }

    pub fn keeper_pid(&self) -> Option<u32> {
        self.runtime.keeper_pid()
    }

    pub fn serving(&self) {
        self.runtime.client().serving();
    }

    pub fn succeed(&self, program: &Path) {
        self.runtime.client().succeed(program);
    }

    pub async fn heard(&self) {
        self.runtime.client().heard().await;
    }

    pub async fn asked(&self) -> i32 {
        self.runtime.client().asked().await
    }
}

fn share(descriptor: std::io::Result<OwnedFd>) -> Result<OwnedFd, Failure> {
    descriptor.map_err(|e| Failure::internal("cannot share what the keeper needs", e))
}
