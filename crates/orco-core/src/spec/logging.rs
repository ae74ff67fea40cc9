//! How much of the output is kept, and where it is exported to.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Diagnostic, Invalid,
    resolved::json,
    rules::{self, Finding},
    yaml::Path,
};

/// The key `logging` of a stack or of a service: what is said there. What is not said is settled by
/// [`LogSettings`](crate::log::LogSettings).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Logging {
    /// Where records are exported to as NDJSON, absolute. Only of a stack.
    #[serde(with = "json::optional_path", skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// A segment, or an exported file, is closed at this many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<u64>,
    /// The oldest segments go above this many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_size: Option<u64>,
    /// What is older goes.
    #[serde(with = "json::optional_duration", skip_serializing_if = "Option::is_none")]
    pub max_file_age: Option<Duration>,
    /// The oldest segments of a replica go above this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_count: Option<u32>,
    /// Longer lines are cut for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_line_bytes: Option<u64>,
}

impl Logging {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What this says, and where it says nothing, what `base` says.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            directory: self.directory.clone().or_else(|| base.directory.clone()),
            max_file_size: self.max_file_size.or(base.max_file_size),
            max_total_size: self.max_total_size.or(base.max_total_size),
            max_file_age: self.max_file_age.or(base.max_file_age),
            max_file_count: self.max_file_count.or(base.max_file_count),
            max_line_bytes: self.max_line_bytes.or(base.max_line_bytes),
        }
    }

    /// Whether its values make sense: the same rules as for stack files, for those from elsewhere.
    ///
    /// # Errors
    /// [`Invalid`] with everything that is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut findings = Vec::new();
        rules::check_logging(self, &Path::of(["logging"]), &mut findings);
        match findings.is_empty() {
            true => Ok(()),
            false => {
                let diagnostics: Vec<Diagnostic> = findings.into_iter().map(Finding::into_diagnostic).collect();
                Err(Invalid { diagnostics })
            }
        }
    }
}
