//! What hands send to the driver.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use crate::{
    model::{Exit, Fact, InstanceId, Seat},
    runtime::{Found, Handle, Notice, StartRequest},
};

use super::ledger::Mark;

/// Reports under way to the driver. When it is full, hands wait: probes and spawns slow down, nothing
/// is lost.
pub(super) const CAPACITY: usize = 4096;

/// What a hand has to say.
#[derive(Debug)]
pub(super) enum Report {
    /// For the brain.
    Fact(Fact),
    /// A start waits for its record, which no disk takes at present.
    Unrecorded { inst: InstanceId, mark: Mark },
    /// Why a start's runtime cannot do it at present; `None`: it can again.
    Held { inst: InstanceId, why: Option<Arc<str>> },
    /// A runtime that could not tell at the start what there is has told it.
    Heard { runtime: String, there: Vec<Found> },
    /// An instance runs.
    Up { at: Seat, inst: InstanceId, live: Box<Running> },
    /// A started instance is over. The answer is the mark behind which its end is recorded: only then may the runtime
    /// forget it. No answer: the engine leaves the instance to the next one.
    Over { at: Seat, inst: InstanceId, exit: Exit, port_lost: bool, recorded: oneshot::Sender<Mark> },
    /// A hook after the start, before the stop or after the end failed.
    HookFailed { at: Seat, hook: &'static str, why: Arc<str> },
    /// A runtime has news.
    Notice { runtime: String, notice: Notice },
}

/// What is needed to probe a running instance and to show it.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) handle: Handle,
    pub(super) request: Arc<StartRequest>,
    /// This instance's addresses by the port the program listens on.
    pub(super) endpoints: BTreeMap<u16, SocketAddr>,
    /// `${port}`, if it has one.
    pub(super) own_port: Option<u16>,
}

impl Running {
    /// Where it is reached: at `${port}`, else at the first port that the file names.
    pub(super) fn endpoint(&self) -> Option<SocketAddr> {
        let first = || self.request.service.ports.first().map(|port| port.target);
        let target = self.own_port.filter(|port| self.endpoints.contains_key(port)).or_else(first)?;
        self.endpoints.get(&target).copied()
    }
}

/// The way to the driver.
#[derive(Clone, Debug)]
pub(super) struct Reports(pub(super) mpsc::Sender<Report>);

impl Reports {
    /// Waits for room. An engine that has ended wants to hear nothing any more.
    pub(super) async fn send(&self, report: Report) {
        let _ = self.0.send(report).await;
    }
}
