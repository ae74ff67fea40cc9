//! Drawing. Pure: from the state into cells.

pub mod columns;
pub mod foot;
pub mod head;
pub mod screen;
pub mod stopping;
pub mod strip;
pub mod table;

pub use screen::draw;
