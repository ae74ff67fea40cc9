//! Engines whose state outlives them: taking over, keeping, leaving.

use super::{
    handle::{CommandError, Engine},
    requests::Request,
};

impl Engine {
    /// Waits until the engine has taken over what an earlier one left, and has begun with its occasion. At once for an
    /// engine without a [`State::Durable`](super::State::Durable). Cancel-safe.
    pub async fn recovered(&self) {
        // An error: the engine has ended before.
        let _ = self.shared.recovered.clone().wait_for(|done| *done).await;
    }

    /// Keeps something with the state, for the host of a later engine ([`Durable::kept`](super::Durable::kept)).
    /// Without a durable state it does nothing.
    pub async fn keep(&self, name: &str, value: Vec<u8>) {
        // An engine that has ended keeps nothing.
        let _ = self.requests.send(Request::Keep(name.to_owned(), value)).await;
    }

    /// Returns when the engine's own loop has turned once: as long as it does, the engine is alive. False: it has ended.
    pub async fn beat(&self) -> bool {
        self.ask(Request::Beat).await.is_some()
    }

    /// Ends the engine and leaves all that runs to the next one on the same state; what is remembered is on the disk
    /// when it returns. Only for a [`State::Durable`](super::State::Durable): without one it is a
    /// [`shutdown`](Self::shutdown).
    ///
    /// # Errors
    /// What kept the state from being written; the engine has ended all the same.
    pub async fn leave(&self) -> Result<(), CommandError> {
        if !self.shared.world.ledger.records() {
            self.shutdown().await;
            return Ok(());
        }
        let left = self.ask(Request::Leave).await.ok_or(CommandError::Ended)?;
        left.map_err(|why| CommandError::Unrecorded(why.to_string()))
    }
}
