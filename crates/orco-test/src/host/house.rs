//! What a host's holders share: the engine, how far it is, and how long it stays.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use orco_core::engine::{CommandError, Engine, NotDone};
use tokio::{sync::watch, time::Instant};

use super::wire::{About, Answer, Change};
use crate::{Failure, launch};

/// How far the services are.
#[derive(Clone, Debug)]
enum Phase {
    Starting,
    Ready,
    Failed(Box<Failure>),
}

#[derive(Debug)]
pub(super) struct House {
    stack: String,
    services: Vec<String>,
    pub(super) engine: Engine,
    phase: watch::Sender<Phase>,
    /// For how long services are kept if they fail to start, and until when they are.
    keep: Mutex<(Option<Duration>, Option<Instant>)>,
}

impl House {
    pub(super) fn new(stack: String, services: Vec<String>, engine: Engine) -> Self {
        Self { stack, services, engine, phase: watch::Sender::new(Phase::Starting), keep: Mutex::default() }
    }

    /// Brings the services up, and says how that went.
    pub(super) async fn bring_up(&self, within: Duration) {
        let Err(failure) = launch::up(&self.engine, &self.stack, within).await else {
            self.phase.send_replace(Phase::Ready);
            return;
        };
        let wanted = self.lock().0;
        match wanted {
            Some(time) => self.keep(time),
            None => self.engine.shutdown().await,
        }
        self.phase.send_replace(Phase::Failed(Box::new(failure)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Option<Duration>, Option<Instant>)> {
        self.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs is kept for so long, should the start fail.
    pub(super) fn keep_on_failure(&self, time: Option<Duration>) {
        let mut keep = self.lock();
        keep.0 = keep.0.max(time);
    }

    /// It goes on for so long, though nobody holds it.
    pub(super) fn keep(&self, time: Duration) {
        let mut keep = self.lock();
        keep.1 = keep.1.max(Instant::now().checked_add(time));
    }

    pub(super) fn kept_until(&self) -> Option<Instant> {
        self.lock().1
    }

    /// How long it goes on without holders. What failed is of no use to the next one.
    pub(super) fn linger(&self, wanted: Duration) -> Duration {
        match &*self.phase.borrow() {
            Phase::Starting | Phase::Ready => wanted,
            Phase::Failed(_) => Duration::ZERO,
        }
    }

    /// Waits until the services are ready, or will not be. Cancel-safe.
    pub(super) async fn settled(&self) -> Answer {
        let mut phase = self.phase.subscribe();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Starting)).await.map(|phase| phase.clone());
        match settled {
            Ok(Phase::Failed(failure)) => Answer::Failed(failure, self.about().await),
            Ok(Phase::Ready) => Answer::Ready(self.about().await),
            Ok(Phase::Starting) | Err(_) => Answer::Refused("it has ended".to_owned()),
        }
    }

    async fn about(&self) -> About {
        let mut endpoints = Vec::new();
        for service in &self.services {
            let found = self.engine.endpoints(service).await.unwrap_or_default();
            endpoints.extend(found.into_iter().map(|address| format!("{service} {address}")));
        }
        About { pid: std::process::id(), logs: launch::logs(self.engine.state_dir()), endpoints }
    }

    pub(super) async fn endpoints(&self, service: &str, port: Option<&str>) -> Answer {
        match launch::endpoints(&self.engine, service, port).await {
            Ok(found) => Answer::Endpoints(found),
            Err(why) => Answer::Refused(why.to_string()),
        }
    }

    pub(super) async fn change(&self, service: &str, change: Change) -> Answer {
        match carry_out(&self.engine, service, change).await {
            Ok(Ok(())) => Answer::Done,
            Ok(Err(why)) => Answer::Refused(why.to_string()),
            Err(why) => Answer::Refused(why.to_string()),
        }
    }
}

/// Does it, and waits until it is done.
pub(crate) async fn carry_out(
    engine: &Engine,
    service: &str,
    change: Change,
) -> Result<Result<(), NotDone>, CommandError> {
    let ticket = match change {
        Change::Start => engine.start(service).await?,
        Change::Stop => engine.stop(service).await?,
        Change::Restart => engine.restart(service).await?,
    };
    Ok(ticket.done().await)
}
