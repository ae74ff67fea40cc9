//! The nouns of Orco: plain data, no I/O, no clocks, no dependencies.

mod event;
mod exit;
mod fact;
mod id;
mod kind;
mod name;
mod snapshot;
mod time;
mod waiting;

pub use event::{EventData, EventKind, Happening};
pub use exit::Exit;
pub use fact::{Fact, ProbeVersion, Role, Verdict};
pub use id::{Gen, InstanceId, Revision, Seat, ServiceIx, SlotKey, StackId};
pub use kind::{Kind, Require};
pub use name::{InvalidName, ServiceName, StackName};
pub use snapshot::{Ended, InstanceView, ServiceView, Snapshot, State};
pub use time::Moment;
pub(crate) use waiting::Human;
pub use waiting::{Waiting, human};
