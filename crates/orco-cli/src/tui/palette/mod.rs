//! The command palette: what is typed, what it can be completed to, and what it means.

mod fuzzy;
mod offer;
mod order;
mod state;
mod words;

#[cfg(test)]
pub use offer::Offers;
pub use offer::offers;
pub use order::{Order, parse};
pub use state::{Palette, Past, Typed};
