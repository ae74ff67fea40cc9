//! Who the engine is.

use serde::Deserialize;

use super::version::{Range, Version};

/// What is known of the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EngineInfo {
    /// The engine's own version, `20.10.24`.
    pub(crate) server: String,
    /// Podman behind Docker's API.
    pub(crate) podman: bool,
    /// It runs without privileges, in a user namespace.
    pub(crate) rootless: bool,
    /// It runs on this machine.
    pub(crate) local: bool,
    /// The API versions it speaks.
    pub(crate) range: Range,
    /// The one that is spoken with it.
    pub(crate) agreed: Version,
}

/// `GET /version`, as far as we need it.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionAnswer {
    #[serde(default)]
    pub(super) version: String,
    pub(super) api_version: String,
    /// Absent in engines of long ago.
    #[serde(rename = "MinAPIVersion")]
    pub(super) min_api_version: Option<String>,
    #[serde(default)]
    pub(super) components: Option<Vec<Component>>,
}

/// A part of an engine.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Component {
    #[serde(default)]
    pub(super) name: String,
}

/// `GET /info`, as far as we need it.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InfoAnswer {
    #[serde(default)]
    pub(super) security_options: Option<Vec<String>>,
}

impl VersionAnswer {
    /// The API versions it speaks, if it says them understandably.
    pub(super) fn range(&self) -> Option<Range> {
        let max: Version = self.api_version.parse().ok()?;
        let min = match self.min_api_version.as_deref() {
            None | Some("") => Version::new(max.major, 0),
            Some(text) => text.parse().ok()?,
        };
        Some(Range { min, max })
    }

    /// Whether it is Podman.
    pub(super) fn is_podman(&self) -> bool {
        self.components.iter().flatten().any(|part| part.name.to_ascii_lowercase().contains("podman"))
    }
}

impl InfoAnswer {
    /// Whether it runs without privileges: `name=rootless` among its security options.
    pub(super) fn is_rootless(&self) -> bool {
        self.security_options.iter().flatten().any(|option| option.split(',').any(|part| part == "name=rootless"))
    }
}
