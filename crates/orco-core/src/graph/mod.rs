//! Who needs whom, as a graph without cycles.

mod cycle;
mod dag;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use cycle::cycles;
pub use dag::{Dag, Edge, Node};
