//! Requests for an upgrade, on their way to the program around the engine.

use tokio::sync::{mpsc, oneshot};

use crate::wire::{Code, ErrorBody, Upgrading};

/// The way to whoever can replace the engine. Clones share it.
#[derive(Clone, Debug)]
pub struct Upgrades(mpsc::Sender<Asked>);

/// One request.
#[derive(Debug)]
pub struct Asked(oneshot::Sender<Result<Upgrading, ErrorBody>>);

impl Upgrades {
    /// The way, and its other end: one request waits there, the next waits for room.
    pub fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (ask, asked) = mpsc::channel(1);
        (Self(ask), asked)
    }

    /// `None`: nobody answers any more.
    pub(super) async fn ask(&self) -> Option<Result<Upgrading, ErrorBody>> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Asked(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl Asked {
    /// Answers: it begins, or why not (a lower-case fragment).
    pub fn answer(self, answer: Result<Upgrading, String>) {
        self.send(answer.map_err(|why| ErrorBody::new(Code::Refused, why)));
    }

    /// Answers: the stack is on its way down, and no engine needs to follow this one.
    pub fn too_late(self) {
        self.send(Err(ErrorBody::new(Code::ShuttingDown, "the stack is on its way down")));
    }

    fn send(self, answer: Result<Upgrading, ErrorBody>) {
        // Whoever asked may have hung up.
        let _ = self.0.send(answer);
    }
}
