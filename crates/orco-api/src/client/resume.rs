//! Streams that go on when the engine behind the socket is replaced by the next one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{Client, ClientError, Lines, again::again};
use crate::{place::Lock, wire::Code};

/// How long an engine may be away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to reach the next one.
const PAUSE: Duration = Duration::from_millis(50);

/// What has been read so far: enough to go on without a gap or a double.
pub trait Position {
    /// What the stream brings.
    type Item: DeserializeOwned;

    /// The request that goes on from here. `again`: another has been lost.
    ///
    /// # Errors
    /// Where the query cannot be written.
    fn path(&self, again: bool) -> Result<String, ClientError>;

    /// Remembers a document. False: it was there before.
    fn take(&mut self, item: &Self::Item) -> bool;
}

/// A stream that reconnects. It ends normally when the stack does, and with an error when its engine is gone for good.
#[derive(Debug)]
pub struct Resuming<P: Position> {
    client: Client,
    position: P,
    at: At<P::Item>,
}

#[derive(Debug)]
enum At<T> {
    Reading(Box<Lines<T>>),
    /// Since when, and how the last connection broke; `None`: it was ended in order.
    Away(Instant, Option<ClientError>),
    Over,
}

impl<P: Position> Resuming<P> {
    pub(super) async fn open(client: &Client, position: P) -> Result<Self, ClientError> {
        let path = position.path(false)?;
        let lines = Lines::new(again(|| client.stream(&path)).await?);
        Ok(Self { client: client.clone(), position, at: At::Reading(Box::new(lines)) })
    }

    /// The next document; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// As for [`next_line`](Self::next_line).
    pub async fn next(&mut self) -> Option<Result<P::Item, ClientError>> {
        self.next_line().await.map(|next| next.map(|(_, item)| item))
    }

    /// The next document with the line that it was; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError::Lost`] where the engine was lost and none came back, and others that no waiting would mend.
    pub async fn next_line(&mut self) -> Option<Result<(Bytes, P::Item), ClientError>> {
        loop {
            match &mut self.at {
                At::Over => return None,
                At::Reading(lines) => match lines.next_line().await {
                    Some(Ok((line, item))) if self.position.take(&item) => return Some(Ok((line, item))),
                    Some(Ok(_)) => {}
                    Some(Err(error @ ClientError::Lost(_))) => self.at = At::Away(Instant::now(), Some(error)),
                    Some(Err(error)) => return self.over(error),
                    None => self.at = At::Away(Instant::now(), None),
                },
                At::Away(..) => {
                    if let Err(error) = self.reconnect().await {
                        return self.over(error);
                    }
                }
            }
        }
    }

    /// Whether a document can be had without waiting.
    pub fn has_ready(&self) -> bool {
        matches!(&self.at, At::Reading(lines) if lines.has_ready())
    }

    fn over<T>(&mut self, error: ClientError) -> Option<Result<T, ClientError>> {
        self.at = At::Over;
        Some(Err(error))
    }

    /// One try. The listener outlives the engine, so a connection waits for the next one by itself.
    async fn reconnect(&mut self) -> Result<(), ClientError> {
        let At::Away(since, lost) = &mut self.at else { return Ok(()) };
        let left = PATIENCE.saturating_sub(since.elapsed());
        let path = self.position.path(true)?;
        let gone = match tokio::time::timeout(left, self.client.stream(&path)).await {
            Ok(Ok(body)) => {
                self.at = At::Reading(Box::new(Lines::new(body)));
                return Ok(());
            }
            // Nobody listens any more. After an orderly end that is all; else whoever holds the lock may come back.
            Ok(Err(ClientError::NotRunning { .. })) => lost.is_none() || !Lock::is_held(self.client.place()),
            Ok(Err(ClientError::Lost(_) | ClientError::Unreachable { .. })) => !Lock::is_held(self.client.place()),
            Ok(Err(ClientError::Api(error))) if error.code == Code::ShuttingDown => lost.is_none(),
            Ok(Err(error)) => return Err(error),
            Err(_) => true,
        };
        if gone || since.elapsed() >= PATIENCE {
            let lost = lost.take();
            self.at = At::Over;
            return lost.map_or(Ok(()), Err);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}
