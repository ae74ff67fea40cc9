//! The directory that holds one directory per stack.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where the state of all stacks of this user is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateRoot(PathBuf);

/// Why there is no state root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateRootError {
    /// Nothing says where it could be.
    #[error("no place for state: set `ORCO_STATE_DIR` (neither it, `XDG_STATE_HOME` nor `HOME` is an absolute path)")]
    Nowhere,
}

impl StateRoot {
    /// `$ORCO_STATE_DIR`, else `$XDG_STATE_HOME/orco`, else `/var/lib/orco` for root, else `~/.local/state/orco`.
    ///
    /// # Errors
    /// Where none of these is there.
    pub fn from_env() -> Result<Self, StateRootError> {
        Self::from_vars(|name| std::env::var_os(name), nix::unistd::geteuid().is_root())
    }

    fn from_vars(var: impl Fn(&str) -> Option<OsString>, root: bool) -> Result<Self, StateRootError> {
        // An empty or (for XDG) relative value means the same as none.
        let set = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let absolute = |name: &str| set(name).filter(|p| p.is_absolute());
        if let Some(dir) = set("ORCO_STATE_DIR") {
            let dir = std::path::absolute(&dir).unwrap_or(dir);
            return Ok(Self(dir));
        }
        if let Some(dir) = absolute("XDG_STATE_HOME") {
            return Ok(Self(dir.join("orco")));
        }
        if root {
            return Ok(Self(PathBuf::from("/var/lib/orco")));
        }
        absolute("HOME").map(|home| Self(home.join(".local/state/orco"))).ok_or(StateRootError::Nowhere)
    }

    /// An explicit directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn precedence() {
        let root = |vars: &[(&str, &str)], is_root| {
            let get = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
            StateRoot::from_vars(get, is_root).ok().map(|r| r.0.to_string_lossy().into_owned())
        };
        let all = [("ORCO_STATE_DIR", "/o"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(root(&all, false).unwrap(), "/o");
        assert_eq!(root(&all[1..], true).unwrap(), "/x/orco");
        assert_eq!(root(&all[2..], true).unwrap(), "/var/lib/orco");
        assert_eq!(root(&all[2..], false).unwrap(), "/h/.local/state/orco");
        assert_eq!(root(&[("XDG_STATE_HOME", "rel"), ("HOME", "/h")], false).unwrap(), "/h/.local/state/orco");
        assert_eq!(root(&[("ORCO_STATE_DIR", ""), ("HOME", "")], false), None);
    }
}
