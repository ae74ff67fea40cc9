//! The way in.

use std::path::Path;

use super::{Disk, Loaded, Rejected, Sources, run::Run};
use crate::spec::Known;

/// Loads stack files.
pub struct Loader<'a> {
    sources: &'a dyn Sources,
    known: &'a Known,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("known", &self.known).finish_non_exhaustive()
    }
}

impl<'a> Loader<'a> {
    /// A loader that reads through `sources` and accepts the runtimes and probes of `known`.
    pub const fn new(sources: &'a dyn Sources, known: &'a Known) -> Self {
        Self { sources, known }
    }

    /// Loads a stack file with everything that it includes and names.
    ///
    /// # Errors
    /// [`Rejected`] with all that is wrong, not only the first.
    pub fn load(&self, path: &Path) -> Result<Loaded, Rejected> {
        Run::new(self.sources, self.known, path).load(path)
    }
}

/// Loads a stack file from disk, with the variables of this process's environment.
///
/// ```no_run
/// use orco_core::{load::load_file, spec::Known};
///
/// let known = Known::new(["process"], ["http", "tcp", "cmd", "log"]);
/// match load_file("stack.yaml", &known) {
///     Ok(loaded) => println!("{} has {} services", loaded.stack.name(), loaded.stack.services().len()),
///     Err(rejected) => rejected.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}")),
/// }
/// ```
///
/// # Errors
/// [`Rejected`] with all that is wrong, not only the first.
pub fn load_file(path: impl AsRef<Path>, known: &Known) -> Result<Loaded, Rejected> {
    Loader::new(&Disk, known).load(path.as_ref())
}
