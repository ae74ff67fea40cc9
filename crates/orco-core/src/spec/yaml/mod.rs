//! Text to tree: YAML with the place of everything, and without its surprises.

mod merge;
mod node;
mod parse;
mod path;
mod syntax;

pub(crate) use merge::merge;
pub(crate) use node::{Entry, Node, Scalar, Span, Value};
pub(crate) use parse::{Budget, parse};
pub(crate) use path::{Path, Step, Trail};
