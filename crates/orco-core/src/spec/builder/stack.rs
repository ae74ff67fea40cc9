//! A stack, written in Rust.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::ServiceBuilder;
use crate::{
    model::StackName,
    spec::{
        Diagnostic, Known, Logging, Severity, Stack, code,
        rules::{self, Finding, Subject, of_service},
        yaml::Path as YamlPath,
    },
};

/// A stack to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    name: String,
    workdir: PathBuf,
    known: Known,
    services: Vec<ServiceBuilder>,
    logging: Logging,
}

/// Everything that is wrong with a stack that was written in Rust.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Invalid {
    /// At least one of them is an error.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid stack: ")?;
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        for (index, error) in errors.enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

impl Stack {
    /// A stack without a file.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder {
            name: name.into(),
            workdir: PathBuf::from("."),
            known: Known::anything(),
            services: Vec::new(),
            logging: Logging::default(),
        }
    }
}

impl Builder {
    /// What relative paths are relative to; by default the process's working directory at the time of
    /// [`build`](Self::build).
    pub fn workdir(mut self, workdir: impl AsRef<Path>) -> Self {
        workdir.as_ref().clone_into(&mut self.workdir);
        self
    }

    /// Only with runtimes and probes that are registered. Without it the engine finds out.
    pub fn known(mut self, known: Known) -> Self {
        self.known = known;
        self
    }

    /// With a change to how much of the output is kept. A relative directory is relative to the workdir.
    pub fn logging(mut self, change: impl FnOnce(&mut Logging)) -> Self {
        change(&mut self.logging);
        self
    }

    /// With a service.
    pub fn service(mut self, service: ServiceBuilder) -> Self {
        self.services.push(service);
        self
    }

    /// With several services.
    pub fn services(mut self, services: impl IntoIterator<Item = ServiceBuilder>) -> Self {
        self.services.extend(services);
        self
    }

    /// The stack.
    ///
    /// # Errors
    /// [`Invalid`] with all that is wrong: the same rules as for stack files.
    pub fn build(self) -> Result<Stack, Invalid> {
        let mut findings = Vec::new();
        let name = StackName::new(&self.name)
            .map_err(|e| findings.push(Finding::error(code::BAD_NAME, YamlPath::of(["stack", "name"]), e.to_string())));
        let workdir = std::path::absolute(&self.workdir).unwrap_or(self.workdir);
        let mut broken = BTreeSet::new();
        let mut names = BTreeSet::new();
        let mut services = Vec::with_capacity(self.services.len());
        for builder in self.services {
            let name = builder.name().to_owned();
            let Some(service) = builder.finish(&workdir, &mut findings) else {
                broken.insert(name);
                continue;
            };
            rules::check_values(&service, &mut findings);
            match names.insert(service.name.clone()) {
                true => services.push(service),
                false => {
                    let message = format!("`{name}` is here twice");
                    findings.push(Finding::error(code::DUPLICATE_KEY, of_service(&name), message));
                }
            }
        }
        rules::check_logging(&self.logging, &YamlPath::of(["logging"]), &mut findings);
        let directory = self.logging.directory.map(|directory| workdir.join(directory));
        let logging = Logging { directory, ..self.logging };
        findings.extend(rules::check(&Subject { services: &services, known: &self.known, broken: &broken }));
        let invalid = findings.iter().any(|finding| finding.severity == Severity::Error);
        let diagnostics: Vec<_> = findings.into_iter().map(Finding::into_diagnostic).collect();
        match name {
            Ok(name) if !invalid => {
                let services = services.into_iter().map(Arc::new).collect();
                Ok(Stack::assume_valid(name, workdir, services, diagnostics).with_logging(logging))
            }
            _ => Err(Invalid { diagnostics }),
        }
    }
}
