//! A broken rule, before anybody knows where in a file it is.

use crate::spec::{
    Diagnostic, Severity,
    yaml::{Path, Step},
};

/// A broken rule.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) path: Path,
    /// Other places concerned, with what to say there.
    pub(crate) more: Vec<(Path, String)>,
}

impl Finding {
    pub(crate) const fn error(code: &'static str, path: Path, message: String) -> Self {
        Self { severity: Severity::Error, code, message, help: None, path, more: Vec::new() }
    }

    pub(crate) fn warning(code: &'static str, path: Path, message: String) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message) }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(crate) fn also(mut self, path: Path, text: impl Into<String>) -> Self {
        self.more.push((path, text.into()));
        self
    }

    /// Without places: the stack has no file.
    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        let diagnostic = match self.severity {
            Severity::Note => Diagnostic::note(self.code, self.message),
            Severity::Warning => Diagnostic::warning(self.code, self.message),
            Severity::Error => Diagnostic::error(self.code, self.message),
        };
        let mut diagnostic = diagnostic.at(self.path.to_string());
        diagnostic.help = self.help;
        diagnostic
    }

    /// The same place in `defaults`, for values that a service took from there.
    pub(crate) fn default_path(&self) -> Option<Path> {
        match self.path.0.as_slice() {
            [Step::Key(services), Step::Key(_), rest @ ..] if services == "services" && !rest.is_empty() => {
                let mut path = Path::of(["defaults"]);
                path.0.extend_from_slice(rest);
                Some(path)
            }
            _ => None,
        }
    }
}

/// The path of a service.
pub(crate) fn of_service(name: &str) -> Path {
    Path::of(["services", name])
}
