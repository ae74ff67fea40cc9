//! The asynchronous shell around the brain: everything that runs.
//!
//! # Theory of operation
//! One task, the driver, owns the brain. Its loop turns sources (commands, reports of hands, one timer)
//! into inputs, lets the brain decide, and sends out hands: one small task per instance that leads it
//! from start to end, one per check that asks its probes. A hand's every exit is a report. The driver awaits
//! nothing but its sources, so hands may wait for it and never the reverse: there is no deadlock.

mod addresses;
mod ahead;
mod apply;
mod builder;
mod clock;
mod closing;
mod driver;
mod durable;
mod endpoint;
mod events;
mod exec;
mod export;
mod finished;
mod handle;
mod hooks;
mod ledger;
mod life;
mod lifetime;
mod live;
mod logs;
mod masking;
mod opening;
mod outputs;
mod past;
mod ports;
mod prober;
mod progress;
mod reader;
mod registry;
mod report;
mod requests;
mod saved;
mod start;
mod status;
mod stream;
mod ticket;
mod usage;
mod why;
mod world;

pub use builder::{EngineBuilder, StartError, State};
pub use durable::{Durable, DurableError};
pub use events::{Event, EventQuery};
pub use finished::Finished;
pub use handle::{CommandError, Engine, NotReady};
pub use opening::Occasion;
pub use progress::{ProgressWatch, Subjects};
pub use status::{Overlay, Standing, StandingWatch, Status, Watch};
pub use ticket::{NotDone, Ticket};
pub use why::Why;
