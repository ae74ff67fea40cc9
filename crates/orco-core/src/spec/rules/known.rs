//! What this build can do.

/// The names of the runtimes and probes that are registered.
#[derive(Clone, Debug, Default)]
pub struct Known {
    runtimes: Option<Vec<String>>,
    probes: Option<Vec<String>>,
}

impl Known {
    /// These and no others.
    pub fn new<R: Into<String>, P: Into<String>>(
        runtimes: impl IntoIterator<Item = R>,
        probes: impl IntoIterator<Item = P>,
    ) -> Self {
        Self {
            runtimes: Some(runtimes.into_iter().map(Into::into).collect()),
            probes: Some(probes.into_iter().map(Into::into).collect()),
        }
    }

    /// Not known yet: every name passes, and whoever starts the stack finds out.
    pub fn anything() -> Self {
        Self::default()
    }

    pub(crate) fn runtimes(&self) -> Option<&[String]> {
        self.runtimes.as_deref()
    }

    pub(crate) fn probes(&self) -> Option<&[String]> {
        self.probes.as_deref()
    }
}
