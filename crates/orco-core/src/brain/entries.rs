//! The remembered entries by what they belong to, and what may be wrong with them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::saved::FORMAT;
use crate::model::{Gen, SlotKey};

/// Why a brain cannot be made out of what was remembered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// An entry that others refer to is not there.
    #[error("the entry `{key}` is missing")]
    Missing {
        /// Which.
        key: String,
    },
    /// An entry cannot be read, or contradicts others.
    #[error("the entry `{key}` makes no sense: {why}")]
    Broken {
        /// Which.
        key: String,
        /// Why.
        why: String,
    },
    /// A newer version wrote it.
    #[error("written by a newer version (form {format}, known is {FORMAT})")]
    Newer {
        /// The form it has.
        format: u32,
    },
}

/// The entries by what they belong to.
#[derive(Default)]
pub(super) struct Entries<'a> {
    pub(super) stack: Option<&'a [u8]>,
    pub(super) units: BTreeMap<&'a str, &'a [u8]>,
    pub(super) sets: BTreeMap<&'a str, BTreeMap<Gen, &'a [u8]>>,
    pub(super) slots: BTreeMap<&'a str, BTreeMap<SlotKey, &'a [u8]>>,
}

impl<'a> Entries<'a> {
    pub(super) fn sort(entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, RestoreError> {
        let mut all = Self::default();
        for (key, value) in entries {
            let mut parts = key.split('/');
            let kind = parts.next();
            let rest: Vec<&str> = parts.collect();
            let number = |text: &str| text.parse::<u32>().map_err(|_| broken(key, "it ends in no number"));
            match (kind, rest.as_slice()) {
                (Some("stack"), []) => all.stack = Some(value),
                (Some("service"), [name]) => {
                    all.units.insert(name, value);
                }
                (Some("set"), [name, generation]) => {
                    all.sets.entry(name).or_default().insert(Gen(number(generation)?), value);
                }
                (Some("slot"), [name, generation, replica]) => {
                    let slot = SlotKey { generation: Gen(number(generation)?), replica: number(replica)? };
                    all.slots.entry(name).or_default().insert(slot, value);
                }
                // What others remember in the same place.
                _ => {}
            }
        }
        Ok(all)
    }

    /// Nothing was ever remembered.
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_none() && self.units.is_empty() && self.sets.is_empty() && self.slots.is_empty()
    }

    /// What belongs to nobody, after everything else was taken out.
    pub(super) fn nothing_left(&self) -> Result<(), RestoreError> {
        let slot = self.slots.iter().flat_map(|(of, keys)| {
            keys.keys().map(move |key| format!("slot/{of}/{}/{}", key.generation.0, key.replica))
        });
        let set = self.sets.iter().flat_map(|(of, keys)| keys.keys().map(move |key| format!("set/{of}/{}", key.0)));
        match set.chain(slot).next() {
            Some(key) => Err(broken(&key, "it belongs to no service")),
            None => Ok(()),
        }
    }
}

pub(super) fn read<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, RestoreError> {
    serde_json::from_slice(value).map_err(|e| broken(key, e.to_string()))
}

pub(super) fn broken(key: &str, why: impl Into<String>) -> RestoreError {
    RestoreError::Broken { key: key.to_owned(), why: why.into() }
}
