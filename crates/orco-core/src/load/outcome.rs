//! What came of loading.

use std::{collections::BTreeMap, fmt};

use crate::spec::{Diagnostic, Severity, SourceMap, Stack};

/// A stack that was loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The stack.
    pub stack: Stack,
    /// Warnings and notes, in the order of the files; the same as [`Stack::notes`].
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read.
    pub sources: SourceMap,
    /// The variables that the file used, with the values they had.
    pub variables: BTreeMap<String, String>,
}

/// A stack file that is not valid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// Everything that was found, in the order of the files; at least one of them is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read.
    pub sources: SourceMap,
}

impl Rejected {
    /// The errors alone.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.errors();
        let Some(first) = errors.next() else { return f.write_str("invalid stack file") };
        match errors.count() {
            0 => write!(f, "invalid stack file: {first}"),
            more => write!(f, "invalid stack file: {first} (and {more} more)"),
        }
    }
}

impl std::error::Error for Rejected {}
