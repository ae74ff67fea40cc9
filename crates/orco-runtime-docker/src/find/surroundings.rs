//! What finding reads of the world: a few variables and folders.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt, path::PathBuf};

/// The variables that finding looks at.
const VARIABLES: &[&str] =
    &["CONTAINER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "XDG_RUNTIME_DIR"];

/// The environment of a search, as data, so that tests are tables.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Variables that are set and not empty.
    pub(crate) vars: BTreeMap<String, String>,
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
    /// The user's folder for sockets.
    pub(crate) runtime_dir: Option<PathBuf>,
    /// `/`, below which the system's sockets are.
    pub(crate) root: PathBuf,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let set = |name: &&str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some(((*name).to_owned(), value))
        };
        let vars: BTreeMap<String, String> = VARIABLES.iter().filter_map(set).collect();
        let of_session = vars.get("XDG_RUNTIME_DIR").map(PathBuf::from);
        // Programs that were not started in a login session (cron, su) lack the variable, not the folder.
        let of_user = || std::fs::metadata("/proc/self").ok().map(|me| format!("/run/user/{}", me.uid()).into());
        Self { runtime_dir: of_session.or_else(of_user), vars, home: std::env::home_dir(), root: PathBuf::from("/") }
    }

    pub(super) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// Where the Docker command keeps its configuration.
    pub(crate) fn docker_config(&self) -> Option<PathBuf> {
        self.var("DOCKER_CONFIG").map(PathBuf::from).or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
    }
}
