//! The log pane: what it holds, what of it is seen, and what its keys do. Pure: records, keys and the time come in as
//! [`PaneInput`], what shall be done comes out as [`PaneEffect`].
//!
//! The work per record is to store it ([`ring`]); only what is seen is laid out, at the moment it is drawn. Searching goes
//! on in bounded steps, one with each [`PaneInput::Tick`].

mod body;
mod contract;
mod copy;
mod draw;
mod heights;
mod held;
mod ink;
mod lines;
mod moves;
mod osc52;
mod paint;
mod prompt;
mod ring;
mod rows;
mod save;
mod search;
mod sheet;
mod shown;
mod stamp;
mod state;
#[cfg(test)]
mod tests;
mod typing;
mod update;

pub use contract::{PaneConfig, PaneEffect, PaneInput, SaveResult, Selection};
pub use osc52::encode as clipboard;
pub use state::Pane;
