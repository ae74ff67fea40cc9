//! Stories: scripts that are played in the simulator and answered line by line. They are the
//! documentation of behaviour.
//!
//! A story is a text. Lines that begin with `> ` are commands; everything else was answered.
//! [`tell`] plays the commands and gives the whole text back, so a story file is its own expectation.

mod parse;
mod play;
mod table;

#[cfg(feature = "engine")]
pub(super) use parse::duration;
pub use play::tell;
