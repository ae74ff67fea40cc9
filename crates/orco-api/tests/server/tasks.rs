//! A runtime whose instances are nothing but entries in a table.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use orco_core::{
    model::{Exit, InstanceId, StackId},
    runtime::{Found, Growth, Handle, How, Known, LogPosition, LogSource, Runtime, RuntimeError, StartRequest},
};
use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct Tasks {
    exits: Mutex<BTreeMap<InstanceId, watch::Sender<Option<Exit>>>>,
}

impl Tasks {
    fn end(&self, instance: InstanceId, exit: Exit) {
        if let Some(sender) = self.exits.lock().unwrap().get(&instance) {
            sender.send_if_modified(|e| e.is_none() && e.replace(exit).is_none());
        }
    }
}

/// Says nothing, ever.
#[derive(Debug)]
struct Silence;

#[async_trait]
impl Growth for Silence {
    async fn beyond(&self, _: u64) {
        std::future::pending().await
    }
}

#[async_trait]
impl Runtime for Tasks {
    fn name(&self) -> &str {
        "tasks"
    }

    async fn list(&self, _: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        Ok(Vec::new())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        self.exits.lock().unwrap().insert(request.instance, watch::Sender::new(None));
        Ok(Handle::new(request.instance, ""))
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        let receiver = self.exits.lock().unwrap().get(&handle.instance).map(watch::Sender::subscribe);
        let mut receiver = receiver.ok_or_else(|| RuntimeError::refused("no such task"))?;
        let exit = *receiver.wait_for(Option::is_some).await.map_err(|_| RuntimeError::refused("removed"))?;
        Ok(exit.unwrap_or(Exit::Unknown))
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        self.end(handle.instance, if how == How::Kill { Exit::Signal(9) } else { Exit::Code(0) });
        Ok(())
    }

    async fn signal(&self, _: &Handle, _: i32) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        self.end(instance, Exit::Signal(9));
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.exits.lock().unwrap().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, _: &Handle, _: Option<&LogPosition>) -> LogSource {
        LogSource::Segments(Arc::new(Silence))
    }
}
