//! The export of a stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::sink::Sink;
use crate::{
    log::{LogSettings, Origin, Record, format::Stem},
    model::ServiceName,
};

/// Where the files of one service are, and how many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    /// A file is closed before it grows above this many bytes.
    pub(super) max_file_bytes: u64,
    /// Files kept, the current one among them.
    pub(super) max_files: u32,
}

impl Place {
    /// The sizes and counts of the log itself; where no count is said, as many files as the total has room for.
    fn of(directory: &Path, settings: &LogSettings, service: &ServiceName) -> Self {
        let limits = settings.of(service);
        let total = limits.max_total_size.unwrap_or(settings.max_total_size);
        let room = u32::try_from(total / limits.max_file_size.max(1)).unwrap_or(u32::MAX).max(1);
        let max_files = limits.max_file_count.map_or(room, |count| count.min(room)).max(1);
        Self { directory: directory.to_owned(), max_file_bytes: limits.max_file_size, max_files }
    }
}

/// Why records were not written.
#[derive(Debug, thiserror::Error)]
#[error("cannot export the logs of {service}")]
pub struct NotWritten {
    /// Of this service.
    pub service: ServiceName,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// Writes records to files, each exactly once, whatever ends the writer. One at a time for a directory and stack. Plain
/// file work: call it where blocking is fine.
#[derive(Debug)]
pub struct Export {
    directory: PathBuf,
    settings: Arc<LogSettings>,
    stack: String,
    sinks: BTreeMap<ServiceName, Sink>,
}

impl Export {
    /// Goes on with what an earlier one has written to this directory, for the instances that are still in the log.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be used.
    pub fn open(
        directory: &Path,
        settings: Arc<LogSettings>,
        stack: impl Into<String>,
        known: &[Origin],
    ) -> Result<Self, NotWritten> {
        let directory = directory.to_owned();
        let mut export = Self { directory, settings, stack: stack.into(), sinks: BTreeMap::new() };
        let services: BTreeSet<&ServiceName> = known.iter().map(|origin| &origin.service).collect();
        for service in services {
            let there: BTreeSet<Stem> = known.iter().filter(|origin| origin.service == *service).map(stem).collect();
            export.sink(service)?.keep_only(|stem| there.contains(&stem));
        }
        Ok(export)
    }

    /// The number of the next line of each instance that has some in the files.
    pub fn positions(&self) -> BTreeMap<Origin, u64> {
        let of = |(service, sink): (&ServiceName, &Sink)| {
            let all = sink.positions().iter();
            all.map(|(stem, at)| (Origin::new(service.clone(), stem.replica, stem.run), at.next)).collect::<Vec<_>>()
        };
        self.sinks.iter().flat_map(of).collect()
    }

    /// Writes the records that the files do not have yet, of each instance in its order, and takes them out of `records`.
    ///
    /// # Errors
    /// When not all could be written: those that are left are to be given again.
    pub fn write(&mut self, records: &mut Vec<Record>) -> Result<(), NotWritten> {
        let services: BTreeSet<ServiceName> = records.iter().map(|record| record.service.clone()).collect();
        for service in services {
            let own: Vec<&Record> = records.iter().filter(|record| record.service == service).collect();
            let (taken, done) = self.sink(&service)?.write(&own);
            let mut left = taken;
            records.retain(|record| {
                let gone = left > 0 && record.service == service;
                left -= usize::from(gone);
                !gone
            });
            done.map_err(|source| NotWritten { service, source })?;
        }
        Ok(())
    }

    /// Brings the cursors up to date, so that the next one has nothing to read.
    ///
    /// # Errors
    /// When one cannot be written; nothing is lost or doubled by that.
    pub fn save(&mut self) -> Result<(), NotWritten> {
        for (service, sink) in &mut self.sinks {
            sink.save().map_err(|source| NotWritten { service: service.clone(), source })?;
        }
        Ok(())
    }

    fn sink(&mut self, service: &ServiceName) -> Result<&mut Sink, NotWritten> {
        if !self.sinks.contains_key(service) {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
            let place = Place::of(&self.directory, &self.settings, service);
            let opened = made.and_then(|()| Sink::open(&place, &self.stack, service.as_str()));
            let sink = opened.map_err(|source| NotWritten { service: service.clone(), source })?;
            self.sinks.insert(service.clone(), sink);
        }
        let absent = || NotWritten { service: service.clone(), source: io::ErrorKind::NotFound.into() };
        self.sinks.get_mut(service).ok_or_else(absent)
    }
}

const fn stem(origin: &Origin) -> Stem {
    Stem { replica: origin.replica, run: origin.run }
}
