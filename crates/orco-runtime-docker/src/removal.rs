//! How containers are taken away, for good.

use std::time::Duration;

use orco_core::model::InstanceId;
use tokio::time::sleep;

use crate::{
    engine::{Call, Client, EngineError, containers, looks},
    labels,
};

/// Pauses between looks at a container whose removal is under way.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));
/// So many looks, some ten seconds, then the caller is told.
const LOOKS: u32 = 24;

/// Ends a container and removes it with its anonymous volumes; returns when it is gone.
pub(crate) async fn remove(client: &Client, id: &str) -> Result<(), EngineError> {
    let mut pause = PAUSES.0;
    for _ in 0..LOOKS {
        if containers::remove(client, id).await? {
            return Ok(());
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
    let what = Call::from(format!("remove container {id}"));
    Err(EngineError::Broken { what, why: "it is still being removed".to_owned() })
}

/// Removes all containers of an instance. Returns how many there were.
pub(crate) async fn remove_all(client: &Client, instance: InstanceId) -> Result<usize, EngineError> {
    let found = looks::list(client, &[labels::filter(labels::INSTANCE, instance)]).await?;
    let ours = found.iter().filter(|container| labels::instance(&container.labels) == Some(instance));
    let mut count = 0;
    for container in ours {
        remove(client, &container.id).await?;
        count += 1;
    }
    Ok(count)
}
