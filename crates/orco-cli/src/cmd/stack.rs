//! Loading a stack file, and saying what is wrong with it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use orco_core::{
    load::load_file,
    spec::{Diagnostic, Known, SourceMap, Stack},
};

use super::{Failure, plugins};
use crate::{
    exit::Exit,
    render::{self, Paint},
    terminal,
};

/// Everything that is known about a stack file.
pub struct Checked {
    /// `None`: at least one of the findings is an error.
    pub stack: Option<Stack>,
    /// In the order of the files.
    pub found: Vec<Diagnostic>,
    /// The variables that were used.
    pub variables: BTreeMap<String, String>,
    sources: SourceMap,
}

impl Checked {
    /// All findings with the lines they are about.
    pub fn text(&self, paint: Paint) -> String {
        render::diagnostics(&self.found, &|file| self.sources.get(file), paint)
    }

    /// One line that says how the file is.
    pub fn summary(&self, file: &Path) -> String {
        format!("{}: {}\n", nearest(file).display(), render::summary(&self.found))
    }
}

/// Loads the file and keeps everything that was found.
pub fn check(file: &Path) -> Checked {
    match load_file(nearest(file), &known()) {
        Ok(loaded) => Checked {
            stack: Some(loaded.stack),
            found: loaded.diagnostics,
            variables: loaded.variables,
            sources: loaded.sources,
        },
        Err(rejected) => {
            Checked { stack: None, found: rejected.diagnostics, variables: BTreeMap::new(), sources: rejected.sources }
        }
    }
}

/// What this build can do.
fn known() -> Known {
    let probes = orco_probes::all();
    Known::new(plugins::names().iter().copied(), probes.iter().map(|p| p.name().to_owned()))
}

/// The path as short as it can be said from here. A daemon is in no folder (`/`), and says all of it.
fn nearest(file: &Path) -> PathBuf {
    let here = std::env::current_dir().ok().filter(|here| here.parent().is_some());
    here.and_then(|here| file.strip_prefix(here).ok()).map_or_else(|| file.to_owned(), Path::to_owned)
}

/// The stack, if it is valid. Findings go to stderr; with errors nothing else is said.
pub fn load(file: &Path) -> Result<Stack, Failure> {
    load_with_variables(file).map(|(stack, _)| stack)
}

/// The same, with the variables that were used.
pub fn load_with_variables(file: &Path) -> Result<(Stack, BTreeMap<String, String>), Failure> {
    let checked = check(file);
    terminal::note(checked.text(terminal::paint_err()));
    if checked.stack.is_none() {
        terminal::note(checked.summary(file));
    }
    let variables = checked.variables;
    checked.stack.map(|stack| (stack, variables)).ok_or(Failure::silent(Exit::USAGE))
}
