//! Streams that go on when the engine behind the socket is replaced by the next one.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{
    Client, ClientError, Lines,
    again::again,
    away::{Away, Back},
};

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

    /// Whether nothing new can come any more: a stream that was asked for after this was true, and ended, was the last.
    fn is_over(&self) -> bool {
        false
    }
}

/// A stream that reconnects. It ends normally when the stack does, and with an error when its engine is gone for good.
#[derive(Debug)]
pub struct Resuming<P: Position> {
    client: Client,
    position: P,
    at: At<P::Item>,
    /// What is being read is the last.
    last: bool,
}

#[derive(Debug)]
enum At<T> {
    Reading(Box<Lines<T>>),
    Away(Away),
    Over,
}

impl<P: Position> Resuming<P> {
    pub(super) async fn open(client: &Client, position: P) -> Result<Self, ClientError> {
        let path = position.path(false)?;
        let lines = Lines::new(again(|| client.stream(&path)).await?);
        let last = position.is_over();
        Ok(Self { client: client.clone(), position, at: At::Reading(Box::new(lines)), last })
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
                    Some(Err(error @ ClientError::Lost(_))) => self.at = At::Away(Away::new(Some(error))),
                    Some(Err(error)) => return self.over(error),
                    None if self.last => self.at = At::Over,
                    None => self.at = At::Away(Away::new(None)),
                },
                At::Away(_) => {
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

    async fn reconnect(&mut self) -> Result<(), ClientError> {
        let At::Away(away) = &mut self.at else { return Ok(()) };
        self.last = self.position.is_over();
        match away.reconnect(&self.client, &self.position.path(true)?).await? {
            Back::Here(body) => self.at = At::Reading(Box::new(Lines::new(body))),
            Back::NotYet => {}
            Back::Over => self.at = At::Over,
        }
        Ok(())
    }
}
