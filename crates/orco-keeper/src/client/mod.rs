//! The engine's side of the keeper.

mod adopt;
mod attach;
mod clean_up;
mod command;
mod config;
mod error;
mod held;
mod ids;
mod instance;
mod keeper;
mod launch;
mod link;
mod loss;
mod shared;
mod succession;
mod sweep;

pub use adopt::{Fate, Known};
pub use config::{Config, Detached};
pub use error::{CleanUpError, Refusal, SpawnError, StartError};
pub use held::Held;
pub use keeper::{Client, Event, ExecOutput};
