//! The file of fingerprints: salts and hashes, no values.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use serde_json::{Map, Value, json};

use super::print::{Print, Salt, hex, unhex};
use crate::{log::side, model::ServiceName};

/// The file's name within the log directory; no service has such a name.
pub(super) const NAME: &str = "masks.json";
/// The version of the file.
const VERSION: u64 = 1;
/// Fingerprints kept per service and kind; beyond them the oldest go.
const KEPT: usize = 8192;

/// What is known of one service's secrets.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Kept {
    /// Its output is shown as it is.
    pub(super) off: bool,
    /// Hidden in its own output, the oldest first.
    pub(super) own: Vec<Print>,
    /// Hidden in everybody's.
    pub(super) everywhere: Vec<Print>,
}

/// Adds what is not there yet. True: something was.
pub(super) fn add(list: &mut Vec<Print>, prints: BTreeSet<Print>) -> bool {
    let known: BTreeSet<Print> = list.iter().copied().collect();
    let before = list.len();
    list.extend(prints.into_iter().filter(|print| !known.contains(print)));
    let news = list.len() > before;
    let surplus = list.len().saturating_sub(KEPT);
    list.drain(..surplus);
    news
}

/// All that a file holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Contents {
    pub(super) salt: Salt,
    pub(super) services: BTreeMap<ServiceName, Kept>,
}

/// `None`: there is no file. Nonsense is an error: what cannot be masked is not shown.
pub(super) fn read(path: &Path) -> io::Result<Option<Contents>> {
    side::read(path, parse)
}

fn parse(bytes: &[u8]) -> Option<Contents> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    if value.get("version")?.as_u64()? != VERSION {
        return None;
    }
    let salt = Salt::from_bytes(unhex(value.get("salt")?.as_str()?)?);
    let prints = |value: &Value, key: &str| {
        let list = value.get(key)?.as_array()?;
        list.iter().map(|print| print.as_str().and_then(Print::parse)).collect::<Option<Vec<_>>>()
    };
    let services = value.get("services")?.as_object()?.iter().map(|(name, value)| {
        let off = value.get("off")?.as_bool()?;
        let kept = Kept { off, own: prints(value, "own")?, everywhere: prints(value, "everywhere")? };
        Some((ServiceName::new(name).ok()?, kept))
    });
    Some(Contents { salt, services: services.collect::<Option<_>>()? })
}

/// Replaces the file, for the owner alone.
pub(super) fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    let texts = |prints: &[Print]| prints.iter().map(|print| print.to_text()).collect::<Vec<_>>();
    let services: Map<String, Value> = contents
        .services
        .iter()
        .map(|(name, kept)| {
            let value = json!({ "off": kept.off, "own": texts(&kept.own), "everywhere": texts(&kept.everywhere) });
            (name.to_string(), value)
        })
        .collect();
    let document = json!({ "version": VERSION, "salt": hex(contents.salt.bytes()), "services": services });
    let file = side::prepare(path, document.to_string().as_bytes())?;
    // Rare and small; an empty file after a power cut would hide nothing of older values.
    file.sync_data()?;
    side::put(path)
}
