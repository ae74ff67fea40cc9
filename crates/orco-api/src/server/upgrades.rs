//! Requests for an upgrade, on their way to the program around the engine.

use tokio::sync::{mpsc, oneshot};

use crate::wire::Upgrading;

/// The way to whoever can replace the engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Upgrades(mpsc::Sender<Asked>);

/// One request.
#[derive(Debug)]
pub struct Asked(oneshot::Sender<Result<Upgrading, String>>);

impl Upgrades {
    /// The way, and its other end: one request waits there, the next waits for room.
    pub fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    /// `None`: nobody answers any more.
    pub(super) async fn ask(&self) -> Option<Result<Upgrading, String>> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Asked(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl Asked {
    /// Answers: it begins, or why not (a lower-case fragment).
    pub fn answer(self, answer: Result<Upgrading, String>) {
        // Whoever asked may have hung up.
        let _ = self.0.send(answer);
    }
}
