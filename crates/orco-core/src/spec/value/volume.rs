//! Mounts, and the other texts that go to a container engine.

use std::path::{Component, Path};

use super::Flaw;
use crate::spec::{Volume, VolumeSource, code};

const FORM: &str = "write `source:target`, with `:ro` behind it where the container may only read";

/// A mount as stack files say it. A relative source stays relative.
pub(crate) fn parse(text: &str) -> Result<Volume, Flaw> {
    let volume = Volume::read(text);
    let colon = match &volume.source {
        VolumeSource::Bind(path) => path.as_os_str().as_encoded_bytes().contains(&b':'),
        // A name with a colon is none, which is found below.
        VolumeSource::Named(_) | VolumeSource::Anonymous => false,
    };
    if colon && volume.target.starts_with('/') {
        let flaw = Flaw::new(code::BAD_VOLUME, format!("`{text}` has more than two paths"));
        return Err(flaw.help("where a path has a colon, write `{ source: …, target: … }`"));
    }
    check(&volume).map(|()| volume)
}

/// Whether an engine could mount it. A relative source is fine here.
pub(crate) fn check(volume: &Volume) -> Result<(), Flaw> {
    let flaw = |why: &str| Flaw::new(code::BAD_VOLUME, format!("`{}` is not a mount: {why}", shown(volume)));
    let target = Path::new(&volume.target);
    if !target.is_absolute() {
        let flaw = flaw("the target must be an absolute path inside the container");
        return Err(flaw.help(FORM));
    }
    if !target.components().any(|part| matches!(part, Component::Normal(_))) {
        return Err(flaw("nothing can be mounted over the root of a container"));
    }
    if target.components().any(|part| part == Component::ParentDir) || volume.target.contains([':', '\0']) {
        return Err(flaw("a target has no `..` and no colon"));
    }
    match &volume.source {
        VolumeSource::Anonymous => Ok(()),
        VolumeSource::Named(name) if name.is_empty() => Err(flaw("the source is missing").help(FORM)),
        VolumeSource::Named(name) if engine_name(name) => Ok(()),
        VolumeSource::Named(_) => Err(flaw("the source is no name of a volume")
            .help("a name has letters, digits, `.`, `_` and `-`; a path begins with `/`, `./` or `../`")),
        VolumeSource::Bind(path) if path.as_os_str().as_encoded_bytes().starts_with(b"~") => {
            Err(flaw("`~` is not expanded").help("write `${HOME}`, or a path relative to the stack's workdir"))
        }
        VolumeSource::Bind(path) => match path.to_str() {
            Some(text) if !text.contains('\0') => Ok(()),
            _ => Err(flaw("the engine takes only paths that are text")),
        },
    }
}

/// For messages, whatever it holds.
fn shown(volume: &Volume) -> String {
    volume.to_string().escape_debug().to_string()
}

/// What container engines take as the name of a volume or network.
fn engine_name(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.len() <= 128 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(rest)
}

/// `stack`, `host`, `none` or the name of a network.
pub(crate) fn check_network(text: &str) -> Result<(), Flaw> {
    match engine_name(text) {
        true => Ok(()),
        false => Err(Flaw::new(code::BAD_NAME, format!("`{}` is no name of a network", text.escape_debug()))
            .help("write `stack` (its own), `host`, `none`, or the name of a network that exists")),
    }
}

/// `os/architecture` or `os/architecture/variant`.
pub(crate) fn check_platform(text: &str) -> Result<(), Flaw> {
    let fine = |part: &str| {
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        !part.is_empty() && part.len() <= 32 && part.chars().all(sound)
    };
    let parts: Vec<&str> = text.split('/').collect();
    match matches!(parts.len(), 2 | 3) && parts.into_iter().all(fine) {
        true => Ok(()),
        false => Err(Flaw::new(code::BAD_PLATFORM, format!("`{}` is not a platform", text.escape_debug()))
            .help("write it as `linux/amd64`, `linux/arm64` or `linux/arm/v7`")),
    }
}
