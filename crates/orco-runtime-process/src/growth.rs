//! Tells when a log has grown.

use async_trait::async_trait;
use orco_core::{model::InstanceId, runtime::Growth};
use orco_keeper::Client;

/// The log of one instance.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) client: Client,
    pub(crate) id: InstanceId,
}

#[async_trait]
impl Growth for Output {
    async fn beyond(&self, seen: u64) {
        self.client.beyond(self.id, seen).await;
    }

    fn segments(&self, bytes: u64, turn: Option<u64>) {
        // Numbers of segments fit: the keeper counts them so.
        self.client.segments(self.id, bytes, turn.and_then(|number| u32::try_from(number).ok()));
    }
}
