//! The document around the services, and reading it as it is.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::json;
use crate::{
    graph,
    model::{Revision, StackName},
    spec::{Logging, Service, Stack, revision},
};

/// The version of the document. A reader refuses what is newer.
pub const FORMAT: u32 = 1;

/// Why a document is no resolved stack or service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolvedError {
    /// It is not the JSON that was written.
    #[error("no resolved stack")]
    Json(#[from] serde_json::Error),
    /// It was written by a later version.
    #[error("format {found} is newer than {FORMAT}, which this version reads")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Its parts contradict each other.
    #[error("no resolved stack: {0}")]
    Broken(String),
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    #[serde(with = "json::text")]
    name: &'a StackName,
    #[serde(with = "json::path")]
    workdir: &'a Path,
    services: &'a [Arc<Service>],
    #[serde(skip_serializing_if = "Logging::is_empty")]
    logging: &'a Logging,
}

/// The format alone, so that a later one is recognised whatever else it holds.
#[derive(Deserialize)]
struct Format {
    #[serde(default = "json::first_format")]
    format: u32,
}

#[derive(Deserialize)]
pub(super) struct Read {
    #[serde(default = "json::first_format")]
    format: u32,
    #[serde(with = "json::text")]
    pub(super) name: StackName,
    #[serde(with = "json::path")]
    pub(super) workdir: PathBuf,
    #[serde(default)]
    pub(super) services: Vec<Service>,
    #[serde(default)]
    pub(super) logging: Logging,
}

/// The document as it is. Revisions that it does not have are computed.
pub(super) fn read(bytes: &[u8]) -> Result<Read, ResolvedError> {
    let mut read: Read = serde_json::from_slice(bytes).map_err(|error| match serde_json::from_slice(bytes) {
        Ok(Format { format }) if format > FORMAT => ResolvedError::Newer { found: format },
        Ok(_) | Err(_) => error.into(),
    })?;
    if read.format > FORMAT {
        return Err(ResolvedError::Newer { found: read.format });
    }
    read.services.iter_mut().for_each(complete);
    Ok(read)
}

fn complete(service: &mut Service) {
    if service.revision == json::unhashed() {
        service.revision = revision::of(service);
    }
}

impl Service {
    /// The service as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Maps with text keys into memory: there is nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote. The revision is taken as it is; a missing one is computed.
    ///
    /// # Errors
    /// [`ResolvedError::Json`] where it is nothing of the kind.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ResolvedError> {
        let mut service = serde_json::from_slice(bytes)?;
        complete(&mut service);
        Ok(service)
    }

    /// The revision that its fields have by this version's rules.
    pub fn computed_revision(&self) -> Revision {
        revision::of(self)
    }
}

impl Stack {
    /// The stack as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let written = Written {
            format: FORMAT,
            name: self.name(),
            workdir: self.workdir(),
            services: self.services(),
            logging: self.logging(),
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, from a source that is trusted, such as a journal. Revisions are taken
    /// as they are, so that another version's hash replaces nothing; rules that later versions add do not count.
    /// What comes from elsewhere is read with [`read_resolved`](Self::read_resolved).
    ///
    /// # Errors
    /// [`ResolvedError`] where it is nothing of the kind, or where services contradict each other: a name twice, an
    /// unknown dependency, a cycle.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ResolvedError> {
        let Read { format: _, name, workdir, services, logging } = read(bytes)?;
        consistent(&services)?;
        let services = services.into_iter().map(Arc::new).collect();
        Ok(Self::assume_valid(name, workdir, services, Vec::new()).with_logging(logging))
    }
}

/// What the brain could not live with.
fn consistent(services: &[Service]) -> Result<(), ResolvedError> {
    let mut index = BTreeMap::new();
    for (at, service) in services.iter().enumerate() {
        if index.insert(service.name.as_str(), at).is_some() {
            return Err(ResolvedError::Broken(format!("service `{}` is there twice", service.name)));
        }
    }
    let mut edges = Vec::new();
    for (from, service) in services.iter().enumerate() {
        for dependency in &service.depends_on {
            let target = dependency.target.as_str();
            let Some(&to) = index.get(target) else {
                let text = format!("`{}` depends on `{target}`, which is not there", service.name);
                return Err(ResolvedError::Broken(text));
            };
            edges.push((from, to));
        }
    }
    if let Some(&first) = graph::cycles(services.len(), &edges).first().and_then(|cycle| cycle.first()) {
        return Err(ResolvedError::Broken(format!("`{}` depends on itself", services[first].name)));
    }
    Ok(())
}
