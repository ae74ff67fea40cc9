//! A stack's log directory.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    format::{FileName, Stem},
    gone::Gone,
    milestones,
    record::Origin,
    retention::{self, Dropped, Trimmed},
    seal::seal,
    segment::{Summary, present},
    settings::LogSettings,
};
use crate::model::ServiceName;

/// A stack's log directory: one directory per service, segments in it.
///
/// The methods do plain file work: call them where blocking is fine.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What the directory holds of one instance.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) origin: Origin,
    pub(super) dir: PathBuf,
    pub(super) stem: Stem,
    /// Number and size on disk, by number.
    pub(super) segments: Vec<(u64, u64)>,
    /// Number of the segment, and length, of files of milestones.
    maps: BTreeMap<u64, u64>,
    pub(super) has_gone: bool,
}

impl Held {
    /// Whether its last line came before this time, as far as that can be known.
    pub(super) fn ended_before(&self, micros: u64) -> bool {
        let Some(&(last, _)) = self.segments.last() else { return false };
        let summary = Summary::read(&self.dir, self.stem, last).ok().flatten();
        summary.and_then(|summary| summary.last_micros).is_some_and(|last| last < micros)
    }
}

/// A replica of which only counts and the highest run are left, of some instances.
type Replica = (ServiceName, u32);

/// Files take whole blocks.
const BLOCK: u64 = 4096;

impl Store {
    /// The directory; it need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a service's segments are.
    pub fn dir(&self, service: &ServiceName) -> PathBuf {
        self.root.join(service.as_str())
    }

    /// All instances that have, or had, output, by service, replica and run.
    ///
    /// # Errors
    /// When the directory cannot be read. One that does not exist is empty.
    pub fn instances(&self) -> io::Result<Vec<Origin>> {
        Ok(self.scan()?.0.into_iter().map(|held| held.origin).collect())
    }

    /// The highest run of each replica that was ever here.
    ///
    /// # Errors
    /// As [`instances`](Self::instances).
    pub fn highest_runs(&self) -> io::Result<Vec<(ServiceName, u32, u32)>> {
        let (held, folded) = self.scan()?;
        let mut highest = BTreeMap::new();
        for (service, replica) in folded {
            let run = retention::folded_run(&self.dir(&service), replica)?;
            highest.insert((service, replica), run);
        }
        for Held { origin: Origin { service, replica, run }, .. } in held {
            let known = highest.entry((service, replica)).or_insert(run);
            *known = run.max(*known);
        }
        Ok(highest.into_iter().map(|((service, replica), run)| (service, replica, run)).collect())
    }

    /// Everything that is held of the instances that are asked for, by service, replica and run.
    pub(super) fn held(&self, is_asked: impl Fn(&Origin) -> bool) -> io::Result<Vec<Held>> {
        let mut held = self.scan()?.0;
        held.retain(|held| is_asked(&held.origin));
        Ok(held)
    }

    /// Bytes on disk, in whole blocks.
    ///
    /// # Errors
    /// As [`instances`](Self::instances).
    pub fn used(&self) -> io::Result<u64> {
        Ok(used(&self.scan()?.0))
    }

    /// Writes the footers that are missing in closed segments: all but the last one of each live
    /// instance, and milestones in all that are long. Costs one pass over what has come since.
    ///
    /// # Errors
    /// When something could not be read or written; it may be called again.
    pub fn seal(&self, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<()> {
        for held in self.scan()?.0 {
            let gone = Gone::read(&held.dir, held.stem)?;
            let mut before = (gone.lines, gone.open);
            let closed = held.segments.len() - usize::from(!held.segments.is_empty() && is_live(&held.origin));
            for (at, &(n, size)) in held.segments.iter().enumerate().filter(|(_, (n, _))| *n >= gone.next) {
                let map = held.maps.get(&n).copied().unwrap_or(0);
                if !milestones::is_complete(map, size - BLOCK - map.next_multiple_of(BLOCK)) {
                    // Without them readers count. On a full disk there must be room for what retention has to say.
                    let _ = milestones::extend(&held.dir, held.stem, n, before.1, milestones::STEP);
                }
                if at < closed {
                    before = seal(&held.dir, held.stem, n, before)?;
                }
            }
        }
        Ok(())
    }

    /// Deletes the oldest closed segments until the directory takes at most `limit` bytes, and counts
    /// them. What a live instance is writing stays, so there may be a segment per live instance more.
    ///
    /// # Errors
    /// When something could not be read or deleted; nothing is deleted uncounted, and it may be called
    /// again.
    pub fn retain(&self, limit: u64, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<Dropped> {
        let settings = LogSettings { max_total_size: limit, ..LogSettings::default() };
        Ok(self.trim(&settings, 0, is_live)?.dropped)
    }

    /// Deletes what is above the limits or too old at `now` (Unix time in microseconds), the oldest first, and counts
    /// it. What a live instance is writing stays; the runtime is to close it where the result says so.
    ///
    /// # Errors
    /// As [`retain`](Self::retain).
    pub fn trim(&self, settings: &LogSettings, now: u64, is_live: &dyn Fn(&Origin) -> bool) -> io::Result<Trimmed> {
        retention::trim(&self.scan()?.0, settings, now, is_live)
    }

    /// Everything, by service, replica and run, and which replicas have forgotten instances.
    pub(super) fn scan(&self) -> io::Result<(Vec<Held>, Vec<Replica>)> {
        let mut found: BTreeMap<Origin, Held> = BTreeMap::new();
        let mut folded = Vec::new();
        let Some(services) = present(fs::read_dir(&self.root))? else { return Ok((Vec::new(), folded)) };
        for service in services {
            let service = service?;
            let Some(name) = service.file_name().to_str().and_then(|n| ServiceName::new(n).ok()) else { continue };
            if !service.file_type()?.is_dir() {
                continue;
            }
            scan_service(&service.path(), &name, &mut found, &mut folded)?;
        }
        let mut held: Vec<_> = found.into_values().collect();
        for Held { segments, maps, .. } in &mut held {
            segments.sort_unstable();
            for (n, size) in segments {
                *size += maps.get(n).map_or(0, |length| length.next_multiple_of(BLOCK));
            }
        }
        folded.sort();
        Ok((held, folded))
    }
}

fn scan_service(
    dir: &Path,
    service: &ServiceName,
    found: &mut BTreeMap<Origin, Held>,
    folded: &mut Vec<Replica>,
) -> io::Result<()> {
    for file in fs::read_dir(dir)? {
        let file = file?;
        let Some(name) = file.file_name().to_str().and_then(FileName::parse) else { continue };
        let stem = match name {
            FileName::Log(stem, _) | FileName::Idx(stem, _) | FileName::Map(stem, _) | FileName::Gone(stem) => stem,
            FileName::Folded(replica) => {
                folded.push((service.clone(), replica));
                continue;
            }
        };
        let origin = Origin::new(service.clone(), stem.replica, stem.run);
        let held = found.entry(origin.clone()).or_insert_with(|| Held {
            origin,
            dir: dir.to_owned(),
            stem,
            segments: Vec::new(),
            maps: BTreeMap::new(),
            has_gone: false,
        });
        match name {
            // An index without bytes is a segment that is being created or deleted.
            FileName::Idx(..) | FileName::Folded(_) => {}
            FileName::Gone(_) => held.has_gone = true,
            FileName::Map(_, n) => {
                let Some(bytes) = present(file.metadata())? else { continue };
                held.maps.insert(n, bytes.len());
            }
            FileName::Log(_, n) => {
                let Some(bytes) = present(file.metadata())? else { continue };
                held.segments.push((n, bytes.len().next_multiple_of(BLOCK) + BLOCK));
            }
        }
    }
    Ok(())
}

pub(super) fn used(held: &[Held]) -> u64 {
    held.iter().map(|h| h.segments.iter().map(|s| s.1).sum::<u64>() + BLOCK * u64::from(h.has_gone)).sum()
}
