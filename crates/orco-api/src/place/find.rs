//! Finding a stack by its name.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use orco_core::model::StackId;

use super::{Lock, Meta, Place, StateRoot};

/// A stack that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Found {
    /// Where it lives.
    pub place: Place,
    /// What its `meta.json` says.
    pub meta: Meta,
    /// Whether somebody runs it now.
    pub running: bool,
}

/// Why a name leads to no stack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No stack of this name.
    #[error("no stack `{name}` {}", if *.running { "runs" } else { "is known" })]
    None {
        /// The name.
        name: String,
        /// Only running ones were asked for.
        running: bool,
    },
    /// More than one.
    #[error("{} stacks are named `{name}`: {}", .found.len(), list(.found))]
    Several {
        /// The name.
        name: String,
        /// All of them.
        found: Vec<Found>,
    },
}

fn list(found: &[Found]) -> String {
    let one = |f: &Found| format!("`{}`", f.meta.file.display());
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The one stack of this user with this name. Running ones come first: ended ones are looked at only if `ended`
/// says so and none runs.
///
/// # Errors
/// [`FindError`].
pub fn find_by_name(root: &StateRoot, name: &str, ended: bool) -> Result<Found, FindError> {
    let all: Vec<_> = stacks(root).into_iter().filter(|f| f.meta.stack == name).collect();
    let any_running = all.iter().any(|f| f.running);
    let mut found: Vec<_> = all.into_iter().filter(|f| f.running == any_running && (f.running || ended)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            found.push(last);
            Err(FindError::Several { name: name.to_owned(), found })
        }
        (None, _) => Err(FindError::None { name: name.to_owned(), running: !ended }),
    }
}

/// The stack of a file that is not there any more, nor perhaps its folder: the one that was named, or `stack.yaml` in
/// `from` or the nearest folder above it. `None`: there was none either.
pub fn find_lost(root: &StateRoot, named: Option<&Path>, from: &Path) -> Option<Found> {
    let candidates: Vec<PathBuf> = match named {
        Some(path) => vec![settled(&from.join(path))],
        None => from.ancestors().map(|dir| dir.join("stack.yaml")).collect(),
    };
    let mut known = stacks(root);
    let place = candidates.iter().find_map(|file| known.iter().position(|found| found.meta.file == *file))?;
    Some(known.swap_remove(place))
}

/// Canonical as far as the path exists, and plain from there on.
fn settled(path: &Path) -> PathBuf {
    let mut settled = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = settled.pop(),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                settled.push(part);
                settled = settled.canonicalize().unwrap_or(settled);
            }
        }
    }
    settled
}

/// The stacks of this user that run now, by id.
pub fn running(root: &StateRoot) -> Vec<Found> {
    stacks(root).into_iter().filter(|found| found.running).collect()
}

/// The stacks of this user that run now or have left something, by id.
pub fn known(root: &StateRoot) -> Vec<Found> {
    stacks(root)
}

/// All stacks that have a readable `meta.json`, by id. Foreign files in the state root do not matter.
fn stacks(root: &StateRoot) -> Vec<Found> {
    let Ok(entries) = fs::read_dir(root.path()) else { return Vec::new() };
    let ids = entries.flatten().filter_map(|e| {
        let name = e.file_name();
        let hex = name.to_str().filter(|n| n.len() == 12)?;
        u64::from_str_radix(hex, 16).ok().map(StackId::from_bits)
    });
    let mut found: Vec<Found> = ids
        .filter_map(|id| {
            let place = Place::new(root, id);
            let meta = Meta::read(&place).ok().flatten()?;
            let running = Lock::is_held(&place);
            Some(Found { place, meta, running })
        })
        .collect();
    found.sort_by_key(|f| f.place.id());
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::wire::{Mode, Timestamp};

    fn stack(root: &StateRoot, bits: u64, name: &str) -> Place {
        let place = Place::new(root, StackId::from_bits(bits));
        place.create().unwrap();
        let meta = Meta {
            stack: name.into(),
            id: place.id().to_string(),
            dir: format!("/srv/{bits}").into(),
            file: format!("/srv/{bits}/stack.yaml").into(),
            pid: None,
            keeper_pid: None,
            mode: Mode::Foreground,
            since: Timestamp::from_unix_micros(0),
        };
        meta.write(&place).unwrap();
        place
    }

    #[test]
    fn by_name() {
        let temp = tempfile::tempdir().unwrap();
        let root = StateRoot::new(temp.path());
        assert!(matches!(find_by_name(&root, "a", true), Err(FindError::None { .. })));
        let one = stack(&root, 1, "a");
        let two = stack(&root, 2, "a");
        stack(&root, 3, "b");
        fs::write(temp.path().join("stray"), "").unwrap();

        assert!(matches!(find_by_name(&root, "a", false), Err(FindError::None { .. })));
        assert_eq!(find_by_name(&root, "b", true).unwrap().place.id(), StackId::from_bits(3));
        assert!(running(&root).is_empty(), "stale ones are not listed");
        let lock = Lock::take(&one).unwrap();
        assert_eq!(running(&root).iter().map(|found| &found.place).collect::<Vec<_>>(), [&one]);
        assert_eq!(find_by_name(&root, "a", true).unwrap().place, one);
        let other = Lock::take(&two).unwrap();
        assert_eq!(
            find_by_name(&root, "a", false).unwrap_err().to_string(),
            "2 stacks are named `a`: `/srv/1/stack.yaml`, `/srv/2/stack.yaml`"
        );
        drop((lock, other));
    }

    #[test]
    fn by_a_file_that_is_gone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().canonicalize().unwrap();
        let root = StateRoot::new(dir.join("state"));
        let place = stack(&root, 1, "a");
        let meta = Meta::read(&place).unwrap().unwrap();
        Meta { file: dir.join("gone/deep/stack.yaml"), ..meta }.write(&place).unwrap();
        std::os::unix::fs::symlink(&dir, dir.join("link")).unwrap();
        let found = |named: Option<&str>, from: &str| {
            find_lost(&root, named.map(Path::new), &dir.join(from)).map(|found| found.place)
        };
        for (named, from) in [
            (Some("gone/deep/stack.yaml"), ""),
            (Some("./x/../gone//deep/./stack.yaml"), ""),
            (Some("link/gone/deep/stack.yaml"), ""),
            (Some("stack.yaml"), "gone/deep"),
            (None, "gone/deep"),
            (None, "gone/deep/er"),
        ] {
            assert_eq!(found(named, from).as_ref(), Some(&place), "{named:?} from {from}");
        }
        for (named, from) in [(Some("gone/stack.yaml"), ""), (None, "gone"), (Some("../stack.yaml"), "gone/deep")] {
            assert_eq!(found(named, from), None, "{named:?} from {from}");
        }
    }
}
