//! The decision core: pure, synchronous, without clock, environment or chance.
//!
//! [`Brain::apply`] folds an [`Input`] into the state, [`Brain::turn`] decides what to do about it.
//! Calling `turn` twice gives nothing the second time.

mod io;
mod step;

mod machine;
mod state;

mod command;
mod fact;
mod want;

mod face;
mod graph;
mod view;

mod decide;
mod drive;
mod leave;
mod shape;

mod admit;
mod commit;
mod tell;

mod entries;
mod recover;
mod remember;
mod restore;
mod saved;
#[cfg(any(test, feature = "sim"))]
mod spoil;

mod snapshot;
mod words;

#[cfg(test)]
mod tests;

mod check;
mod hash;
mod plant;
#[cfg(any(test, feature = "sim"))]
pub mod samples;

pub use entries::RestoreError;
#[cfg(test)]
pub(crate) use hash::hash as chance;
pub use io::{Action, BrainConfig, Command, Input, Refused, Turn};
pub use machine::Brain;
#[doc(hidden)]
pub use plant::Plant;
pub use recover::Remembered;
pub use remember::Change;
pub use step::{Step, Why};
