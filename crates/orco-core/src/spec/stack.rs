//! The stack.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Diagnostic, Logging, Service};
use crate::model::{ServiceName, StackName};

/// A valid stack: names resolve, the graph has no cycle, values are in range. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stack {
    name: StackName,
    workdir: PathBuf,
    services: Arc<[Arc<Service>]>,
    index: Arc<BTreeMap<ServiceName, usize>>,
    notes: Arc<[Diagnostic]>,
    logging: Arc<Logging>,
}

impl Stack {
    /// From services whose validity the caller (loader, builder) has established.
    pub(crate) fn assume_valid(
        name: StackName,
        workdir: PathBuf,
        services: Vec<Arc<Service>>,
        notes: Vec<Diagnostic>,
    ) -> Self {
        let index = services.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
        Self {
            name,
            workdir,
            services: services.into(),
            index: Arc::new(index),
            notes: notes.into(),
            logging: Arc::default(),
        }
    }

    /// With this, whose validity the caller has established.
    pub(crate) fn with_logging(self, logging: Logging) -> Self {
        Self { logging: Arc::new(logging), ..self }
    }

    /// Its name.
    pub const fn name(&self) -> &StackName {
        &self.name
    }

    /// The directory that relative paths are relative to, absolute.
    pub fn workdir(&self) -> &Path {
        &self.workdir
    }

    /// The services in file order.
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// One service.
    pub fn service(&self, name: &str) -> Option<&Arc<Service>> {
        self.index.get(name).map(|&i| &self.services[i])
    }

    /// How much of the output is kept.
    pub fn logging(&self) -> &Logging {
        &self.logging
    }

    /// Warnings and notes that came up while it was loaded.
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }
}
