//! The decision core: pure, synchronous, without clock, environment or chance.
//!
//! [`Brain::apply`] folds an [`Input`] into the state, [`Brain::turn`] decides what to do about it.
//! Calling `turn` twice gives nothing the second time.

mod face;
mod hash;
mod io;
mod machine;
mod plant;
#[cfg(any(test, feature = "sim"))]
pub mod samples;
mod state;
mod step;

#[cfg(test)]
pub(crate) use hash::hash as chance;
pub use io::{Action, BrainConfig, Command, Input, Refused, Turn};
pub use machine::Brain;
#[doc(hidden)]
pub use plant::Plant;
pub use step::{Step, Why};
