//! What is to be cleaned up, and where.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

use crate::wire::{Malformed, Wire};

/// So many may be registered at a time.
pub(crate) const MAX_CLEAN_UPS: usize = 16;

/// Where a container engine listens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum EngineHost {
    /// At this socket, an absolute path.
    Unix(PathBuf),
    /// At this `host:port`, without TLS.
    Tcp(String),
}

/// What is to be removed when the program that has made it is gone: all containers (with their anonymous volumes) and
/// networks with a label.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CleanUp {
    /// The container engine.
    pub host: EngineHost,
    /// `name=value`, neither empty.
    pub label: String,
    /// Named volumes with the label go too.
    pub volumes: bool,
}

impl CleanUp {
    /// Containers and networks with this label (`name=value`); named volumes stay.
    pub fn new(host: EngineHost, label: impl Into<String>) -> Self {
        Self { host, label: label.into(), volumes: false }
    }

    /// Named volumes with the label go too.
    #[must_use]
    pub const fn with_volumes(mut self) -> Self {
        self.volumes = true;
        self
    }
}

/// What there is one clean-up for.
pub(crate) fn key(clean_up: &CleanUp) -> (&EngineHost, &str) {
    (&clean_up.host, &clean_up.label)
}

fn text(input: &mut &[u8]) -> Result<String, Malformed> {
    String::from_utf8(Box::<[u8]>::take(input)?.into()).map_err(|_| Malformed)
}

impl Wire for EngineHost {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Unix(path) => {
                out.push(0);
                Box::<[u8]>::from(path.as_os_str().as_bytes()).put(out);
            }
            Self::Tcp(address) => {
                out.push(1);
                Box::<[u8]>::from(address.as_bytes()).put(out);
            }
        }
    }

    fn take(input: &mut &[u8]) -> Result<Self, Malformed> {
        match u8::take(input)? {
            0 => Ok(Self::Unix(OsString::from_vec(Box::<[u8]>::take(input)?.into()).into())),
            1 => text(input).map(Self::Tcp),
            _ => Err(Malformed),
        }
    }
}

impl Wire for CleanUp {
    fn put(&self, out: &mut Vec<u8>) {
        self.host.put(out);
        Box::<[u8]>::from(self.label.as_bytes()).put(out);
        self.volumes.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, Malformed> {
        let (host, label) = (EngineHost::take(input)?, text(input)?);
        Ok(Self { host, label, volumes: bool::take(input)? })
    }
}
