//! How single values are written: the words and numbers of stack files.

mod check;
mod values;

pub(crate) use check::CheckJson;
pub(crate) use values::*;
