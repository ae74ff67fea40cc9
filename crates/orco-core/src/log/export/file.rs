//! The cursor file of one service's export.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::position::{Position, Positions};
use crate::log::{format::Stem, side};

/// The version of the file.
const VERSION: u64 = 1;

/// How far an export was when this was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Saved {
    /// Whose it is.
    pub(super) stack: String,
    /// The file it speaks of.
    pub(super) inode: u64,
    /// How long that was, in whole lines.
    pub(super) length: u64,
    pub(super) positions: Positions,
}

/// Its path; hidden, so that shippers pass it over.
pub(super) fn path(directory: &Path, service: &str) -> PathBuf {
    directory.join(format!(".{service}.cursor"))
}

/// `None`: there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Saved>> {
    side::read(path, parse)
}

fn parse(bytes: &[u8]) -> Option<Saved> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    if value.get("version")?.as_u64()? != VERSION {
        return None;
    }
    let positions = value.get("instances")?.as_object()?.iter().map(|(name, at)| {
        let position = Position { next: at.get(0)?.as_u64()?, notes: at.get(1)?.as_u64()? };
        Some((Stem::parse(name)?, position))
    });
    Some(Saved {
        stack: value.get("stack")?.as_str()?.to_owned(),
        inode: value.get("inode")?.as_u64()?,
        length: value.get("length")?.as_u64()?,
        positions: positions.collect::<Option<_>>()?,
    })
}

/// Writes the next one beside it; [`side::put`] makes it the one that counts.
pub(super) fn prepare(path: &Path, saved: &Saved) -> io::Result<()> {
    let instances: serde_json::Map<String, Value> =
        saved.positions.iter().map(|(stem, at)| (stem.to_string(), json!([at.next, at.notes]))).collect();
    let document = json!({
        "version": VERSION,
        "stack": saved.stack,
        "inode": saved.inode,
        "length": saved.length,
        "instances": instances,
    });
    side::prepare(path, document.to_string().as_bytes()).map(drop)
}
