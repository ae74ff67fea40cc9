//! Answers that go on.

use std::{collections::VecDeque, marker::PhantomData};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::ClientError;

/// The longest line that a stream may bring; a server that sends a longer one is not ours.
pub(super) const LONGEST: usize = 64 << 20;

/// The bytes of a streamed answer, as they come: whole lines and parts of them.
#[derive(Debug)]
pub struct Bodies {
    body: Incoming,
}

impl Bodies {
    pub(super) const fn new(body: Incoming) -> Self {
        Self { body }
    }

    /// The next bytes; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError::Lost`] where the connection broke.
    pub async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            match self.body.frame().await? {
                // Trailers carry nothing here.
                Ok(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => {}
                },
                Err(error) => return Some(Err(ClientError::lost(error))),
            }
        }
    }
}

/// The documents of a streamed answer.
#[derive(Debug)]
pub struct Lines<T> {
    bodies: Bodies,
    partial: BytesMut,
    ready: VecDeque<Bytes>,
    what: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(super) fn new(body: Incoming) -> Self {
        Self { bodies: Bodies::new(body), partial: BytesMut::new(), ready: VecDeque::new(), what: PhantomData }
    }

    /// The next document; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError`] where the connection broke or a line is not such a document.
    pub async fn next(&mut self) -> Option<Result<T, ClientError>> {
        self.next_line().await.map(|next| next.map(|(_, document)| document))
    }

    /// The next document with the line that it was; `None` at the end. Cancel-safe.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub async fn next_line(&mut self) -> Option<Result<(Bytes, T), ClientError>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                let parsed = serde_json::from_slice(&line).map_err(|e| ClientError::Unexpected(e.to_string()));
                return Some(parsed.map(|document| (line, document)));
            }
            match self.bodies.next().await? {
                Ok(bytes) => self.take(&bytes),
                Err(error) => return Some(Err(error)),
            }
            if self.partial.len() > LONGEST {
                return Some(Err(ClientError::Unexpected("a line without end".to_owned())));
            }
        }
    }

    /// Whether a document can be had without waiting.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    fn take(&mut self, bytes: &[u8]) {
        // Only the new bytes are searched, however long the line grows.
        let mut from = self.partial.len();
        self.partial.extend_from_slice(bytes);
        while let Some(at) = self.partial[from..].iter().position(|b| *b == b'\n') {
            let line = self.partial.split_to(from + at + 1).freeze();
            from = 0;
            if line.len() > 1 {
                self.ready.push_back(line);
            }
        }
    }
}
