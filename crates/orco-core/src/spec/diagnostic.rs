//! What is wrong with a stack file, for people and editors. Plain data: whoever shows it brings the renderer.

use std::{fmt, ops::Range, path::PathBuf};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Severity {
    /// Good to know (`x has no effect yet`).
    Note,
    /// Probably not what was meant.
    Warning,
    /// The stack is not valid.
    Error,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Label {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The bytes in it.
    pub range: Range<usize>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What to say there; may be empty.
    pub text: String,
}

impl Label {
    /// A label.
    pub fn new(
        file: impl Into<PathBuf>,
        range: Range<usize>,
        line: usize,
        column: usize,
        text: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), range, line, column, text: text.into() }
    }
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable code (`unknown-key`), for tests and searches.
    pub code: &'static str,
    /// What is wrong: a lower-case fragment without a period.
    pub message: String,
    /// The YAML path (`services.api.replicas`), empty where there is none.
    pub path: String,
    /// Where: the first is the place itself.
    pub labels: Vec<Label>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            path: String::new(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// A note.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, message) }
    }

    /// With the YAML path.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// With a place.
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// With a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.labels.first() {
            write!(f, "{}:{}:{}: ", place.file.display(), place.line, place.column)?;
        }
        f.write_str(&self.message)?;
        if !self.path.is_empty() {
            write!(f, " (at `{}`)", self.path)?;
        }
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}
