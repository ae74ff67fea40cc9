//! Drawing. Pure: from the state into cells.

pub mod columns;
pub mod events;
pub mod foot;
pub mod graph;
pub mod head;
pub mod help;
pub mod palette;
pub mod screen;
pub mod stopping;
pub mod strip;
pub mod table;
#[cfg(test)]
mod tests;
pub mod why;

pub use screen::draw;
