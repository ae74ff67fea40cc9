//! Where images come from: the engine, or in tests something that behaves badly at will.

use std::{fmt, pin::pin};

use async_trait::async_trait;
use futures::StreamExt;

use crate::engine::{Client, EngineError, PullLine, PullOrder};

use super::{fault::Trouble, platform::Platform};

/// Where images come from.
#[async_trait]
pub(super) trait Source: Send + Sync + fmt::Debug + 'static {
    /// Which engine it is, once it has answered.
    fn engine(&self) -> String;

    /// The platform of the image that is there under this name.
    async fn look(&self, name: &str) -> Result<Option<Platform>, EngineError>;

    /// Pulls; dropping ends it.
    async fn pull(&self, order: PullOrder<'_>, line: &mut (dyn FnMut(PullLine) + Send)) -> Result<(), Trouble>;
}

#[async_trait]
impl Source for Client {
    fn engine(&self) -> String {
        self.host().map(|host| host.to_string()).unwrap_or_default()
    }

    async fn look(&self, name: &str) -> Result<Option<Platform>, EngineError> {
        Ok(self.image(name).await?.map(|image| Platform::new(&image.os, &image.arch, &image.variant)))
    }

    async fn pull(&self, order: PullOrder<'_>, line: &mut (dyn FnMut(PullLine) + Send)) -> Result<(), Trouble> {
        let patience = self.limits().pull_idle;
        let mut lines = pin!(Self::pull(self, order));
        loop {
            match tokio::time::timeout(patience, lines.next()).await {
                Ok(Some(Ok(read))) => line(read),
                Ok(Some(Err(error))) => return Err(Trouble::Engine(error)),
                Ok(None) => return Ok(()),
                Err(_) => return Err(Trouble::Silent(patience)),
            }
        }
    }
}
