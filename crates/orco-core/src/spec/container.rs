//! What only services that run in containers have.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Service, file, value};

/// The runtime that makes processes of this machine.
const PROCESS: &str = "process";

impl Service {
    /// Whether its instances are containers: the runtime is `docker` or `podman`, or another one (but `process`) and
    /// there is an image.
    pub fn is_container(&self) -> bool {
        match self.runtime.as_str() {
            PROCESS => false,
            "docker" | "podman" => true,
            _ => self.image.is_some(),
        }
    }

    /// Whether its instances are processes of this machine.
    pub(crate) fn is_process(&self) -> bool {
        self.runtime == PROCESS
    }
}

/// Where the files of a mount come from.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum VolumeSource {
    /// A path of the host; absolute in a valid stack.
    Bind(PathBuf),
    /// A volume of the stack, by the name that the stack file gives it.
    Named(String),
    /// A volume that goes with its container.
    Anonymous,
}

/// A mount of a container. As a text `source:target`, or `target` alone, with `:ro` behind it where it is read-only.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub struct Volume {
    /// Where the files come from.
    pub source: VolumeSource,
    /// The directory or file inside the container, absolute.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// A text that is no mount.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoVolume(String);

impl Volume {
    /// A mount that may be written.
    pub fn new(source: VolumeSource, target: impl Into<String>) -> Self {
        Self { source, target: target.into(), read_only: false }
    }

    /// The same, read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Any text as a mount; whether it can be one, the rules say. The target is what follows the last colon.
    pub(crate) fn read(text: &str) -> Self {
        let (mount, read_only) = match text.strip_suffix(":ro") {
            Some(mount) => (mount, true),
            None => (text.strip_suffix(":rw").unwrap_or(text), false),
        };
        let (source, target) = match mount.rsplit_once(':') {
            Some((source, target)) => (Self::source_of(source), target),
            None => (VolumeSource::Anonymous, mount),
        };
        Self { source, target: target.to_owned(), read_only }
    }

    /// What has a slash or is `.` or `..` is a path, anything else the name of a volume.
    pub(crate) fn source_of(text: &str) -> VolumeSource {
        match text.contains('/') || matches!(text, "." | ".." | "~") {
            true => VolumeSource::Bind(text.into()),
            false => VolumeSource::Named(text.to_owned()),
        }
    }

    /// The same with a relative source seen from this folder, and the target without needless slashes.
    #[must_use]
    pub(crate) fn seen_from(mut self, folder: &Path) -> Self {
        if let VolumeSource::Bind(path) = &mut self.source {
            *path = file::join(folder, &*path);
        }
        let parts: Vec<_> = self.target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        self.target = format!("/{}", parts.join("/"));
        self
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            VolumeSource::Bind(path) => write!(f, "{}:", path.display())?,
            VolumeSource::Named(name) => write!(f, "{name}:")?,
            VolumeSource::Anonymous => {}
        }
        write!(f, "{}{}", self.target, if self.read_only { ":ro" } else { "" })
    }
}

impl FromStr for Volume {
    type Err = NoVolume;

    /// A relative source stays relative.
    fn from_str(text: &str) -> Result<Self, NoVolume> {
        let volume = Self::read(text);
        value::check_volume(&volume).map_err(|flaw| NoVolume(flaw.message))?;
        Ok(volume)
    }
}

impl Serialize for Volume {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Volume {
    /// Takes every text: earlier versions kept mounts as they were written, and a journal must stay readable.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::read(&text))
    }
}

/// The network of a service's containers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Network {
    /// The stack's own: services reach each other by name.
    #[default]
    Stack,
    /// The host's.
    Host,
    /// None at all.
    None,
    /// One of the container engine's that exists already.
    Named(String),
}

impl Network {
    /// The word in stack files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stack => "stack",
            Self::Host => "host",
            Self::None => "none",
            Self::Named(name) => name,
        }
    }
}

impl From<String> for Network {
    fn from(text: String) -> Self {
        match text.as_str() {
            "stack" => Self::Stack,
            "host" => Self::Host,
            "none" => Self::None,
            _ => Self::Named(text),
        }
    }
}

impl From<&str> for Network {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.as_str().to_owned()
    }
}

/// When an image is pulled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PullPolicy {
    /// Where the engine does not have it.
    #[default]
    Missing,
    /// Before every start.
    Always,
    /// Not at all: without it the start fails.
    Never,
}

impl PullPolicy {
    /// The word in stack files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}
