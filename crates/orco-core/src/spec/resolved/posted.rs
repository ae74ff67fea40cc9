//! Reading a stack that somebody sent: as valid as a file's, or refused.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::document::{Read, ResolvedError, read};
use crate::spec::{
    Diagnostic, Invalid, Known, Service, Severity, Stack, code, revision,
    rules::{self, Finding, Subject, of_service},
    yaml::Path as YamlPath,
};

/// Services in one stack, as for files.
const SERVICES: usize = 10_000;

impl Stack {
    /// Reads what [`to_json`](Self::to_json) wrote, from whoever sent it: held to the rules of stack files, and its
    /// revisions must be those of its fields.
    ///
    /// # Errors
    /// [`Invalid`] with everything that is wrong.
    pub fn read_resolved(bytes: &[u8], known: &Known) -> Result<Self, Invalid> {
        let Read { name, workdir, services, logging, .. } = read(bytes).map_err(|error| refused(&error))?;
        let mut findings = Vec::new();
        if services.len() > SERVICES {
            let message = format!("{} services: a stack may have {SERVICES}", services.len());
            findings.push(Finding::error(code::TOO_MANY_SERVICES, YamlPath::of(["services"]), message));
            return Err(invalid(findings));
        }
        absolute(&workdir, YamlPath::of(["stack", "workdir"]), &mut findings);
        rules::check_logging(&logging, &YamlPath::of(["logging"]), &mut findings);
        if let Some(directory) = &logging.directory {
            absolute(directory, YamlPath::of(["logging", "directory"]), &mut findings);
        }
        let mut names = BTreeSet::new();
        for service in &services {
            let at = of_service(service.name.as_str());
            if !names.insert(service.name.as_str()) {
                let message = format!("`{}` is here twice", service.name);
                findings.push(Finding::error(code::DUPLICATE_KEY, at.clone(), message));
            }
            absolute(&service.workdir, at.clone().key("workdir"), &mut findings);
            same_revision(service, at, &mut findings);
            rules::check_values(service, &mut findings);
        }
        findings.extend(rules::check(&Subject { services: &services, known, broken: &BTreeSet::new() }));
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(invalid(findings));
        }
        let notes = findings.into_iter().map(Finding::into_diagnostic).collect();
        let services = services.into_iter().map(Arc::new).collect();
        Ok(Self::assume_valid(name, workdir, services, notes).with_logging(logging))
    }
}

fn refused(error: &ResolvedError) -> Invalid {
    let message = match error {
        ResolvedError::Json(cause) => format!("{error}: {cause}"),
        ResolvedError::Newer { .. } | ResolvedError::Broken(_) => error.to_string(),
    };
    Invalid { diagnostics: vec![Diagnostic::error(code::NOT_RESOLVED, message)] }
}

fn invalid(findings: Vec<Finding>) -> Invalid {
    Invalid { diagnostics: findings.into_iter().map(Finding::into_diagnostic).collect() }
}

fn absolute(path: &PathBuf, at: YamlPath, findings: &mut Vec<Finding>) {
    if !Path::new(path).is_absolute() {
        let message = format!("`{}` is not an absolute path", path.display());
        findings.push(Finding::error(code::NOT_RESOLVED, at, message));
    }
}

/// Another revision than ours: the sender understands the service otherwise than we do.
fn same_revision(service: &Service, at: YamlPath, findings: &mut Vec<Finding>) {
    let ours = revision::of(service);
    if service.revision != ours {
        let message = format!("its revision is {}, by this version's rules {ours}", service.revision);
        let finding = Finding::error(code::REVISION_MISMATCH, at, message);
        findings.push(
            finding.help("client and daemon are of different versions: `orco daemon upgrade` brings them together"),
        );
    }
}
