//! The places where an engine may listen, in the order in which they are tried.

use std::{fmt, path::PathBuf};

use super::{context, host::Host, surroundings::Surroundings};

/// Whose engine. Both speak the same language; they differ in where they listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    /// Docker's.
    Docker,
    /// Podman's, over its Docker-compatible socket.
    Podman,
}

impl Flavour {
    /// The name under which stack files ask for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which engine is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Find {
    /// Whose.
    pub(crate) flavour: Flavour,
    /// Its address, where the program says it; then nothing else is looked at.
    pub(crate) host: Option<String>,
}

/// One place to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Who names it, for people: `DOCKER_HOST`, ``context `remote` ``.
    pub(crate) from: String,
    /// The address, or why there is none.
    pub(crate) host: Result<Host, String>,
}

/// All places to try, the best first. What somebody has chosen (an explicit address, a variable, a context) is the
/// only place: another engine than the chosen one would be worse than none.
pub(crate) fn places(find: &Find, around: &Surroundings) -> Vec<Place> {
    if let Some(host) = &find.host {
        return vec![Place { from: "the configured address".to_owned(), host: Host::parse(host) }];
    }
    match find.flavour {
        Flavour::Docker => of_docker(around),
        Flavour::Podman => of_podman(around),
    }
}

fn of_docker(around: &Surroundings) -> Vec<Place> {
    if let Some(text) = around.var("DOCKER_HOST") {
        return vec![Place { from: "DOCKER_HOST".to_owned(), host: from_variable(text, around) }];
    }
    let mut found = Vec::new();
    let folder = around.docker_config();
    // As in the Docker command: the variable wins over the file, and `default` in it means no context.
    let chosen = match (around.var("DOCKER_CONTEXT"), &folder) {
        (Some(name), _) => context::named(name),
        (None, Some(folder)) => context::current(folder).unwrap_or_else(|why| {
            found.push(Place { from: "the current context".to_owned(), host: Err(why) });
            None
        }),
        (None, None) => None,
    };
    if let Some(name) = chosen {
        let host = folder.ok_or_else(|| "neither HOME nor DOCKER_CONFIG is set".to_owned());
        let host = host.and_then(|folder| context::host(&folder, &name));
        return vec![Place { from: format!("context `{name}`"), host }];
    }
    let rootless = around.runtime_dir.as_ref().map(|dir| dir.join("docker.sock"));
    let of_desktop = around.home.as_ref().map(|home| home.join(".docker/run/docker.sock"));
    found.extend(rootless.map(|path| socket("rootless socket", path)));
    found.extend(of_desktop.map(|path| socket("socket of Docker Desktop", path)));
    found.push(socket("system socket", around.root.join("var/run/docker.sock")));
    found
}

fn of_podman(around: &Surroundings) -> Vec<Place> {
    if let Some(text) = around.var("CONTAINER_HOST") {
        return vec![Place { from: "CONTAINER_HOST".to_owned(), host: Host::parse(text) }];
    }
    let rootless = around.runtime_dir.as_ref().map(|dir| dir.join("podman/podman.sock"));
    let mut found: Vec<Place> = rootless.map(|path| socket("rootless socket", path)).into_iter().collect();
    found.push(socket("system socket", around.root.join("run/podman/podman.sock")));
    found
}

fn from_variable(text: &str, around: &Surroundings) -> Result<Host, String> {
    let host = Host::parse(text)?;
    if matches!(host, Host::Tcp(_)) && around.var("DOCKER_TLS_VERIFY").is_some() {
        return Err(format!("{host} with DOCKER_TLS_VERIFY: TLS is not supported; use a unix socket or plain tcp"));
    }
    Ok(host)
}

fn socket(from: &str, path: PathBuf) -> Place {
    Place { from: from.to_owned(), host: Ok(Host::Unix(path)) }
}
