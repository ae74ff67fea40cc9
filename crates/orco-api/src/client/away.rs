//! The time between the loss of an engine and the next one.

use std::time::{Duration, Instant};

use hyper::body::Incoming;

use super::{Client, ClientError};
use crate::{place::Lock, wire::Code};

/// How long an engine may be away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to reach the next one.
const PAUSE: Duration = Duration::from_millis(50);

/// A stream without a connection.
#[derive(Debug)]
pub(super) struct Away {
    since: Instant,
    /// How the last connection broke; `None`: it was ended in order.
    lost: Option<ClientError>,
}

/// What came of a try.
pub(super) enum Back {
    /// The stream goes on.
    Here(Incoming),
    /// Not now.
    NotYet,
    /// It is over, in order.
    Over,
}

impl Away {
    pub(super) fn new(lost: Option<ClientError>) -> Self {
        Self { since: Instant::now(), lost }
    }

    /// One try. The listener outlives the engine, so a connection waits for the next one by itself.
    ///
    /// # Errors
    /// When nobody comes back, or no waiting would help.
    pub(super) async fn reconnect(&mut self, client: &Client, path: &str) -> Result<Back, ClientError> {
        let left = PATIENCE.saturating_sub(self.since.elapsed());
        let gone = match tokio::time::timeout(left, client.stream(path)).await {
            Ok(Ok(body)) => return Ok(Back::Here(body)),
            // Nobody listens any more. After an orderly end that is all; else whoever holds the lock may come back.
            Ok(Err(ClientError::NotRunning { .. })) => self.lost.is_none() || !Lock::is_held(client.place()),
            Ok(Err(ClientError::Lost(_) | ClientError::Unreachable { .. })) => !Lock::is_held(client.place()),
            Ok(Err(ClientError::Api(error))) if error.code == Code::ShuttingDown => self.lost.is_none(),
            Ok(Err(error)) => return Err(error),
            Err(_) => true,
        };
        if gone || self.since.elapsed() >= PATIENCE {
            return self.lost.take().map_or(Ok(Back::Over), Err);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(Back::NotYet)
    }
}
