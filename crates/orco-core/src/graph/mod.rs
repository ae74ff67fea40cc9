//! Who needs whom, as a graph without cycles.

mod cycle;
mod dag;
mod text;

pub(crate) use cycle::cycles;
pub use dag::{Dag, Edge, Node};
