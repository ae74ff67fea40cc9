//! Contexts of the Docker command: named engines in its configuration.

use std::{fmt::Write as _, fs, io, path::Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::host::Host;

/// The context that stands for "no context".
const DEFAULT: &str = "default";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    current_context: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(default)]
    host: String,
}

/// The context that the configuration in `folder` has chosen, if it is not the default one.
///
/// # Errors
/// Why the configuration cannot be read; that there is none is no error.
pub(super) fn current(folder: &Path) -> Result<Option<String>, String> {
    let file = folder.join("config.json");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", file.display())),
    };
    let config: Config = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(named(&config.current_context))
}

/// The context's name, if it is not the default one.
pub(super) fn named(name: &str) -> Option<String> {
    (!name.is_empty() && name != DEFAULT).then(|| name.to_owned())
}

/// Where the context's engine listens.
///
/// # Errors
/// Why that is not known, or not supported.
pub(super) fn host(folder: &Path, name: &str) -> Result<Host, String> {
    let id = Sha256::digest(name.as_bytes()).iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    });
    let file = folder.join("contexts/meta").join(&id).join("meta.json");
    let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such context: {} does not exist", file.display()),
        _ => format!("{}: {error}", file.display()),
    })?;
    let meta: Meta = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let address = meta.endpoints.docker.map(|docker| docker.host).filter(|host| !host.is_empty());
    let host = Host::parse(&address.ok_or_else(|| format!("{}: it names no Docker engine", file.display()))?)?;
    if matches!(host, Host::Tcp(_)) && folder.join("contexts/tls").join(&id).exists() {
        return Err(format!("{host} with TLS is not supported; use a unix socket or plain tcp"));
    }
    Ok(host)
}
