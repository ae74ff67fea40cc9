//! What a daemon obeys until its stack is down or another program takes over.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use nix::libc;
use orco_api::server::Asked;
use orco_core::{
    crash,
    engine::{Engine, EventQuery, Standing},
    model::EventKind,
};
use tokio::sync::mpsc;

use super::{
    birth::Daemon,
    handover::{self, Looked},
    reload,
};
use crate::{
    cmd::Failure,
    exit::Exit,
    signals::{Signal, Signals},
};

/// Kept with the state while everything is on its way down.
pub(super) const ENDING: &str = "ending";

/// How often it is tried again to write down who runs the stack.
const AGAIN: Duration = Duration::from_millis(500);

/// Kept with the state: the variables that were used when the stack was resolved.
pub(super) const VARIABLES: &str = "variables";

/// Kept with the state: what wins over the `logging` of whatever stack is wanted.
pub(super) const LOGGING: &str = "logging";

/// The variables as they are kept.
pub(super) fn as_json(variables: &BTreeMap<String, String>) -> Vec<u8> {
    // A map of texts is JSON in any case.
    serde_json::to_vec(variables).unwrap_or_default()
}

/// What happens to a daemon.
enum News {
    /// To the engine itself, or to the keeper, which passes it on.
    Signal(Signal),
    /// Everything was asked down, and is.
    Down,
    /// Somebody wants another program.
    Asked(Asked),
    /// Another stack was applied through the control socket.
    Applied,
    /// It was looked at.
    Looked(Looked),
    /// The keeper was killed, and another took over.
    OtherKeeper(u32),
}

impl Daemon {
    /// Until the stack is down, or another program takes over.
    pub async fn live(mut self, mut signals: Signals) -> Result<Exit, Failure> {
        let engine = self.engine.clone();
        let mut down = std::pin::pin!(is_down(&engine, self.ending));
        let mut keepers = other_keepers(&self);
        let mut applied = self.server.accepted();
        let (look, mut looked) = mpsc::channel(1);
        let mut stopping = false;
        loop {
            // All arms are cancel-safe: signals stay pending, channels keep what is in them, `down` lives outside.
            let news = tokio::select! {
                signal = signals.next() => News::Signal(signal),
                signal = self.plugins.asked() => match known(signal) {
                    Some(signal) => News::Signal(signal),
                    None => continue,
                },
                () = down.as_mut() => News::Down,
                Some(asked) = self.upgrades.recv() => News::Asked(asked),
                Some(done) = looked.recv() => News::Looked(done),
                Ok(()) = applied.changed() => News::Applied,
                Some(pid) = keepers.recv() => News::OtherKeeper(pid),
                () = tokio::time::sleep(AGAIN), if self.record.is_behind() => {
                    self.record.again();
                    continue;
                }
            };
            match news {
                News::Signal(Signal::Hangup) if stopping => {}
                News::Signal(Signal::Hangup) => {
                    self.notify.reloading();
                    let state = reload::reload(&self.engine, &self.record.file()).await;
                    self.notify.ready(&state);
                }
                News::Signal(signal) => {
                    self.stop(signal, stopping).await;
                    stopping = true;
                }
                News::Applied => {
                    let taken = applied.borrow_and_update().clone();
                    if let Some(taken) = taken {
                        tracing::info!("another stack was applied");
                        self.engine.keep(VARIABLES, as_json(&taken.variables)).await;
                    }
                }
                News::Down => return self.end().await,
                News::Asked(asked) => handover::look(asked, self.program.clone(), look.clone()),
                News::Looked(done) => {
                    if let Some(program) = done.answer(stopping || is_going_down(&self.engine).await) {
                        return self.hand_over(program).await;
                    }
                }
                News::OtherKeeper(pid) => {
                    tracing::warn!(keeper = pid, "another keeper took over");
                    self.record.runs(Some(pid));
                    self.notify.main_pid(pid);
                }
            }
        }
    }

    /// The first signal stops in order, the next kills.
    async fn stop(&self, signal: Signal, again: bool) {
        let name = signal.as_str();
        // An engine that has ended already has nothing left to stop.
        if again {
            tracing::warn!("{name} again: killing everything");
            let _ = self.engine.kill().await;
        } else {
            tracing::info!("{name}: stopping everything in order");
            self.notify.stopping();
            let _ = self.engine.down().await;
        }
    }

    /// Everything is down: the keeper is told to go, and nothing says any more that the stack runs. In this order: an
    /// engine killed before the keeper knows is started again, and needs the socket.
    async fn end(mut self) -> Result<Exit, Failure> {
        crash::point("end.down");
        self.notify.stopping();
        self.server.end(self.engine.shutdown()).await;
        crash::point("end.before-ended");
        self.record.ended(&self.lock);
        crash::point("end.after-ended");
        tracing::info!("everything is down; the daemon ends");
        drop(self.lock);
        Ok(Exit::DONE)
    }
}

/// The signals that mean something to a daemon.
const fn known(number: i32) -> Option<Signal> {
    match number {
        libc::SIGINT => Some(Signal::Interrupt),
        libc::SIGTERM => Some(Signal::Terminate),
        libc::SIGHUP => Some(Signal::Hangup),
        _ => None,
    }
}

/// Whether it was asked down, by whatever way.
async fn is_going_down(engine: &Engine) -> bool {
    engine.standing().await.is_none_or(|standing| standing.latest() != Standing::Wanted)
}

/// Returns when everything was asked down, and is. What completes or fails by itself does not end a daemon. That it is
/// on its way down is kept with the state: an engine that takes over from a killed one must know it.
async fn is_down(engine: &Engine, ending: bool) {
    let Some(mut watch) = engine.standing().await else { return };
    let mut known = if ending { Standing::GoingDown } else { Standing::Wanted };
    loop {
        match watch.other_than(known).await {
            // Down; or the engine has ended, which comes to the same.
            Some(Standing::Down) | None => return,
            Some(now) => {
                known = now;
                engine.keep(ENDING, if now == Standing::GoingDown { b"1".to_vec() } else { Vec::new() }).await;
            }
        }
    }
}

/// The pid of each keeper that takes over from a killed one.
fn other_keepers(daemon: &Daemon) -> mpsc::Receiver<u32> {
    let (tell, told) = mpsc::channel(1);
    let mut events = Box::pin(daemon.engine.events(EventQuery::following()));
    let plugins = daemon.plugins.clone();
    tokio::spawn(async move {
        let mut last = plugins.keeper_pid();
        while let Some(event) = events.next().await {
            if event.kind != EventKind::KeeperLost {
                continue;
            }
            let next = plugins.next_keeper(last).await;
            last = Some(next);
            if tell.send(next).await.is_err() {
                return;
            }
        }
    });
    told
}
