//! What is remembered, as it is written: JSON objects of plain values. Moments are microseconds, instances
//! hexadecimal. A later version may add fields: those it misses have their defaults, those it does not know
//! are passed over.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Why,
    state::{Because, Goal, Leave, Live, Phase, RevSet, Slot, Stage, Unit},
};
use crate::model::{Ended, Exit, InstanceId, Moment, ServiceIx};

/// The form of all entries; it rises when an older reader would misunderstand.
pub(super) const FORMAT: u32 = 1;

/// `stack`: what belongs to no service.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedStack {
    pub(super) format: u32,
    /// How many services are remembered.
    pub(super) services: usize,
    /// The names of the wanted stack in its order.
    pub(super) order: Vec<Arc<str>>,
    #[serde(default)]
    pub(super) asked_up: bool,
    /// No instance with a number up to this one is ever made again.
    pub(super) instances: u64,
}

/// `service/NAME`.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedUnit {
    pub(super) ix: u32,
    pub(super) goal: SavedGoal,
    pub(super) listed: bool,
    #[serde(default)]
    pub(super) gone: bool,
    #[serde(default)]
    pub(super) killing: bool,
    pub(super) replicas: u32,
    pub(super) sets: Vec<SavedSet>,
    pub(super) target: u32,
    pub(super) next_gen: u32,
    #[serde(default)]
    pub(super) rollout: Option<SavedRollout>,
    /// How many seats are remembered.
    pub(super) seats: usize,
    #[serde(default)]
    pub(super) block: Option<SavedBlock>,
    #[serde(default)]
    pub(super) was_ready: bool,
    #[serde(default)]
    pub(super) was_up: bool,
    #[serde(default)]
    pub(super) restarts: u64,
    #[serde(default)]
    pub(super) runs: Vec<u32>,
    #[serde(default)]
    pub(super) first_seen: u64,
    #[serde(default)]
    pub(super) last_event: u64,
    #[serde(default)]
    pub(super) ended: Option<SavedEnd>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedGoal {
    Up,
    Never,
    User,
    Dependency(Arc<str>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedSet {
    pub(super) generation: u32,
    #[serde(default)]
    pub(super) versions: [u32; 2],
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedRollout {
    pub(super) from: u32,
    pub(super) stage: SavedStage,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedStage {
    Roll,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedBlock {
    pub(super) dep: Arc<str>,
    pub(super) since: u64,
    #[serde(default)]
    pub(super) told: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedEnd {
    pub(super) exit: SavedExit,
    pub(super) at: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedExit {
    Code(i32),
    Signal(i32),
    Oom,
    Unknown,
}

/// `slot/NAME/GEN/REPLICA`.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedSlot {
    pub(super) phase: SavedPhase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) leave: Option<SavedLeave>,
    #[serde(default)]
    pub(super) attempts: u32,
    #[serde(default)]
    pub(super) ports_lost: u32,
    #[serde(default)]
    pub(super) again: bool,
    #[serde(default)]
    pub(super) counted: bool,
    #[serde(default)]
    pub(super) restarts: u64,
    #[serde(default)]
    pub(super) born: bool,
    #[serde(default)]
    pub(super) run: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_inst: Option<Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<SavedEnd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedPhase {
    Idle,
    Starting {
        inst: Hex,
        #[serde(default)]
        doomed: bool,
    },
    Running {
        inst: Hex,
        since: u64,
        #[serde(default)]
        ready_since: Option<u64>,
        #[serde(default)]
        was_ready: bool,
        #[serde(default)]
        sick: bool,
        #[serde(default)]
        leans: Vec<u32>,
    },
    Stopping {
        inst: Hex,
        #[serde(default)]
        started: Option<u64>,
        kill_at: u64,
        #[serde(default)]
        killed: bool,
    },
    Backoff {
        until: u64,
    },
    Halted {
        completed: bool,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedLeave {
    Retire,
    Liveness,
    StartTimeout,
    StartUnknown,
    Dependency(Arc<str>),
}

/// An instance's id.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Hex(pub(super) InstanceId);

impl From<Hex> for String {
    fn from(hex: Hex) -> Self {
        hex.0.to_string()
    }
}

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        InstanceId::parse(&text).map(Self).ok_or_else(|| format!("`{}` is no instance", text.escape_debug()))
    }
}

impl SavedUnit {
    pub(super) fn of(units: &[Unit], ix: ServiceIx) -> Self {
        let unit = &units[ix.index()];
        let set =
            |set: &RevSet| SavedSet { generation: set.generation.0, versions: [set.versions[0].0, set.versions[1].0] };
        Self {
            ix: ix.0,
            goal: match &unit.goal {
                Goal::Up => SavedGoal::Up,
                Goal::Down(Because::Never) => SavedGoal::Never,
                Goal::Down(Because::User) => SavedGoal::User,
                Goal::Down(Because::Dependency(reason)) => SavedGoal::Dependency(reason.clone()),
            },
            listed: unit.listed,
            gone: unit.gone,
            killing: unit.killing,
            replicas: unit.replicas,
            sets: unit.sets.iter().map(set).collect(),
            target: unit.target.0,
            next_gen: unit.next_gen,
            rollout: unit.rollout.map(|rollout| SavedRollout {
                from: rollout.from.0,
                stage: match rollout.stage {
                    Stage::Roll => SavedStage::Roll,
                },
            }),
            seats: unit.slots.len(),
            block: unit.block.map(|block| SavedBlock {
                dep: name(units, block.dep),
                since: block.since.as_micros(),
                told: block.told,
            }),
            was_ready: unit.was_ready,
            was_up: unit.was_up,
            restarts: unit.restarts,
            runs: unit.runs.clone(),
            first_seen: unit.first_seen.as_micros(),
            last_event: unit.last_event.as_micros(),
            ended: unit.ended.map(SavedEnd::of),
        }
    }
}

impl SavedSlot {
    pub(super) fn of(units: &[Unit], slot: &Slot) -> Self {
        Self {
            phase: SavedPhase::of(&slot.phase),
            leave: slot.leave.map(|leave| match leave {
                Leave::Retire => SavedLeave::Retire,
                Leave::Recycle(Why::Liveness) => SavedLeave::Liveness,
                Leave::Recycle(Why::StartTimeout) => SavedLeave::StartTimeout,
                Leave::Recycle(Why::StartUnknown) => SavedLeave::StartUnknown,
                Leave::Recycle(Why::Dependency(dep)) => SavedLeave::Dependency(name(units, dep)),
            }),
            attempts: slot.attempts,
            ports_lost: slot.ports_lost,
            again: slot.again,
            counted: slot.counted,
            restarts: slot.restarts,
            born: slot.born,
            run: slot.run,
            last_inst: slot.last_inst.map(Hex),
            ended: slot.ended.map(SavedEnd::of),
            reason: slot.reason.clone(),
        }
    }
}

impl SavedPhase {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Idle => Self::Idle,
            Phase::Starting { inst, doomed } => Self::Starting { inst: Hex(*inst), doomed: *doomed },
            Phase::Running(live) => {
                // Not the checks: what an engine has counted dies with it.
                let Live { inst, since, ready_since, was_ready, sick, checks: _, leans } = &**live;
                Self::Running {
                    inst: Hex(*inst),
                    since: since.as_micros(),
                    ready_since: ready_since.map(Moment::as_micros),
                    was_ready: *was_ready,
                    sick: *sick,
                    leans: leans.clone(),
                }
            }
            Phase::Stopping { inst, started, kill_at, killed, owed: _ } => Self::Stopping {
                inst: Hex(*inst),
                started: started.map(Moment::as_micros),
                kill_at: kill_at.as_micros(),
                killed: *killed,
            },
            Phase::Backoff { until } => Self::Backoff { until: until.as_micros() },
            Phase::Halted { completed } => Self::Halted { completed: *completed },
        }
    }
}

impl SavedEnd {
    const fn of(ended: Ended) -> Self {
        let exit = match ended.exit {
            Exit::Code(code) => SavedExit::Code(code),
            Exit::Signal(number) => SavedExit::Signal(number),
            Exit::Oom => SavedExit::Oom,
            Exit::Unknown => SavedExit::Unknown,
        };
        Self { exit, at: ended.at.as_micros() }
    }
}

fn name(units: &[Unit], ix: ServiceIx) -> Arc<str> {
    units[ix.index()].name.as_str().into()
}
