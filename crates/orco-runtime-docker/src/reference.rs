//! What an image's name says: registry, path, tag, digest.

use std::fmt;

/// The registry of names that name none.
pub(crate) const DEFAULT_REGISTRY: &str = "docker.io";

/// A parsed image reference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Reference {
    written: String,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    /// The id of an image that the engine has; no registry knows it.
    Id,
    Named(Named),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Named {
    /// As written, without tag and digest: the engine reads it by rules of its own, the same for a pull and a start.
    name: String,
    registry: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is no image reference.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{image}` is no image reference: {why}")]
pub(crate) struct ReferenceError {
    image: String,
    why: &'static str,
}

impl Reference {
    /// Reads `redis`, `redis:7`, `ghcr.io/acme/api@sha256:…`, `localhost:5000/api`, or an id `sha256:…`.
    ///
    /// # Errors
    /// When an engine would not take it either.
    pub(crate) fn parse(image: &str) -> Result<Self, ReferenceError> {
        let kind = read(image).map_err(|why| ReferenceError { image: image.chars().take(300).collect(), why })?;
        Ok(Self { written: image.to_owned(), kind })
    }

    /// As it was written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The registry with its port, `docker.io` if none is named; `None` for an id.
    pub(crate) fn registry(&self) -> Option<&str> {
        self.named().map(|n| n.registry.as_str())
    }

    /// The repository below the registry; `None` for an id.
    pub(crate) fn path(&self) -> Option<&str> {
        self.named().map(|n| n.path.as_str())
    }

    /// The name under which the engine has it: with its tag, or with its digest alone.
    pub(crate) fn local(&self) -> String {
        match &self.kind {
            Kind::Id => self.written.clone(),
            Kind::Named(n) => match &n.digest {
                Some(digest) => format!("{}@{digest}", n.name),
                None => format!("{}:{}", n.name, n.tag()),
            },
        }
    }

    /// The name to pull and its tag or digest; `None` for an id.
    pub(crate) fn remote(&self) -> Option<(&str, &str)> {
        self.named().map(|n| (n.name.as_str(), n.digest.as_deref().unwrap_or_else(|| n.tag())))
    }

    const fn named(&self) -> Option<&Named> {
        match &self.kind {
            Kind::Id => None,
            Kind::Named(n) => Some(n),
        }
    }
}

impl Named {
    fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }
}

/// In full, with registry and tag.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(n) = self.named() else { return f.write_str(&self.written) };
        write!(f, "{}/{}", n.registry, n.path)?;
        if n.tag.is_some() || n.digest.is_none() {
            write!(f, ":{}", n.tag())?;
        }
        n.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

fn read(image: &str) -> Result<Kind, &'static str> {
    if image.is_empty() {
        return Err("it is empty");
    }
    if image.contains("://") {
        return Err("it is written without `http://` or `https://`");
    }
    let hex = image.strip_prefix("sha256:").unwrap_or(image);
    if hex.len() == 64 && hex.bytes().all(lower_hex) {
        return Ok(Kind::Id);
    }
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        // A colon before the last slash belongs to a port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if digest.is_some_and(|d| !digest_ok(d)) {
        return Err("its digest is not like `sha256:` and 64 hexadecimal digits");
    }
    if tag.is_some_and(|t| !tag_ok(t)) {
        return Err("its tag has other characters than letters, digits, `_`, `.` and `-`, or more than 128");
    }
    if name.len() > 255 {
        return Err("its name is longer than 255 characters");
    }
    let (registry, path) = split(name);
    if !host_ok(registry) {
        return Err("its registry is not like `host` or `host:port`");
    }
    path_ok(path)?;
    let (registry, path) = match (registry, path.contains('/')) {
        ("index.docker.io" | DEFAULT_REGISTRY, true) => (DEFAULT_REGISTRY, path.to_owned()),
        ("index.docker.io" | DEFAULT_REGISTRY, false) => (DEFAULT_REGISTRY, format!("library/{path}")),
        (other, _) => (other, path.to_owned()),
    };
    Ok(Kind::Named(Named {
        name: name.to_owned(),
        registry: registry.to_owned(),
        path,
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    }))
}

/// The part before the first slash is a registry only if it looks like a host.
fn split(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn host_ok(registry: &str) -> bool {
    if let Some(rest) = registry.strip_prefix('[') {
        let Some((ip, port)) = rest.split_once(']') else { return false };
        return ip.parse::<std::net::Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(port_ok));
    }
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    port.is_none_or(port_ok)
        && host.split('.').all(|part| {
            part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

fn port_ok(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
}

fn path_ok(path: &str) -> Result<(), &'static str> {
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("its name must be in lower case");
    }
    if path.split('/').all(component_ok) {
        Ok(())
    } else {
        Err("its name has parts that are not lower-case letters and digits, joined by `.`, `_`, `__` or `-`")
    }
}

/// Letters and digits, joined by a dot, one or two underscores, or any number of hyphens.
fn component_ok(part: &str) -> bool {
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (Some(first), Some(last)) = (part.as_bytes().first(), part.as_bytes().last()) else { return false };
    word(first)
        && word(last)
        && part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn tag_ok(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && !tag.starts_with(['.', '-'])
}

fn digest_ok(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(lower_hex)
}

const fn lower_hex(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn what_a_name_means() {
        let digest = format!("sha256:{HEX}");
        let d = |before: &str| format!("{before}@{digest}");
        // (written, in full, the engine's name, what is pulled)
        let table = [
            ("redis".into(), "docker.io/library/redis:latest".into(), "redis:latest".into(), ("redis", "latest")),
            ("redis:7".into(), "docker.io/library/redis:7".into(), "redis:7".into(), ("redis", "7")),
            ("acme/api:1".into(), "docker.io/acme/api:1".into(), "acme/api:1".into(), ("acme/api", "1")),
            (
                "docker.io/redis".into(),
                "docker.io/library/redis:latest".into(),
                "docker.io/redis:latest".into(),
                ("docker.io/redis", "latest"),
            ),
            (
                "index.docker.io/a/b".into(),
                "docker.io/a/b:latest".into(),
                "index.docker.io/a/b:latest".into(),
                ("index.docker.io/a/b", "latest"),
            ),
            (
                "localhost/api".into(),
                "localhost/api:latest".into(),
                "localhost/api:latest".into(),
                ("localhost/api", "latest"),
            ),
            (
                "localhost:5000/api:x".into(),
                "localhost:5000/api:x".into(),
                "localhost:5000/api:x".into(),
                ("localhost:5000/api", "x"),
            ),
            (
                "host:5000/api".into(),
                "host:5000/api:latest".into(),
                "host:5000/api:latest".into(),
                ("host:5000/api", "latest"),
            ),
            ("ghcr.io/a/b/c__d-.x--y".into(), "".into(), "".into(), ("", "")),
            (
                "ghcr.io/a/b/c__d.x--y".into(),
                "ghcr.io/a/b/c__d.x--y:latest".into(),
                "ghcr.io/a/b/c__d.x--y:latest".into(),
                ("ghcr.io/a/b/c__d.x--y", "latest"),
            ),
            (d("redis"), d("docker.io/library/redis"), d("redis"), ("redis", digest.as_str())),
            (d("redis:7"), d("docker.io/library/redis:7"), d("redis"), ("redis", digest.as_str())),
            (d("h.example:1/a:7"), d("h.example:1/a:7"), d("h.example:1/a"), ("h.example:1/a", digest.as_str())),
            (
                "[::1]:5000/a".into(),
                "[::1]:5000/a:latest".into(),
                "[::1]:5000/a:latest".into(),
                ("[::1]:5000/a", "latest"),
            ),
        ];
        for (written, full, local, remote) in table as [(String, String, String, (&str, &str)); 14] {
            if full.is_empty() {
                assert!(Reference::parse(&written).is_err(), "{written}");
                continue;
            }
            let parsed = Reference::parse(&written).unwrap();
            assert_eq!((parsed.to_string(), parsed.local(), parsed.remote()), (full, local, Some(remote)), "{written}");
        }
    }

    #[test]
    fn an_id_is_of_no_registry() {
        for id in [HEX.to_owned(), format!("sha256:{HEX}")] {
            let parsed = Reference::parse(&id).unwrap();
            assert_eq!((parsed.registry(), parsed.remote(), parsed.local()), (None, None, id));
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        let long = "a".repeat(256);
        let long_tag = format!("a:{}", "t".repeat(129));
        let table = [
            ("", "empty"),
            ("https://ghcr.io/a", "without"),
            ("Redis", "lower case"),
            ("redis:", "tag"),
            ("redis:-a", "tag"),
            ("redis:a b", "tag"),
            (&long_tag, "tag"),
            ("redis@sha256:12", "digest"),
            ("redis@", "digest"),
            ("a//b", "parts"),
            ("/a", "parts"),
            ("a/", "parts"),
            ("a___b", "parts"),
            ("a b", "parts"),
            ("a.", "parts"),
            ("../etc", "registry"),
            ("h:0/a", "registry"),
            ("h:x/a", "registry"),
            ("h:99999/a", "registry"),
            ("-h.example/a", "registry"),
            ("[::1/a", "registry"),
            ("ä", "parts"),
            (&long, "255"),
        ];
        for (text, why) in table {
            let error = Reference::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            if let Ok(parsed) = Reference::parse(&text) {
                prop_assert!(text.is_ascii());
                prop_assert!(!parsed.local().contains(['?', '#', '%', ' ', '\\']), "goes into a path");
            }
        }

        #[test]
        fn in_full_means_the_same(
            host in prop::option::of("[a-z][a-z0-9]{0,8}(\\.[a-z]{2,5}){1,2}(:[1-9][0-9]{0,3})?"),
            // Without a dot in its first part, which would make that a host.
            path in "[a-z0-9]{1,8}((_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,8}(\\.[a-z0-9]{1,4})?){0,2}",
            tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digest in prop::option::of("sha256:[0-9a-f]{64}"),
        ) {
            let mut text = host.map(|h| h + "/").unwrap_or_default() + &path;
            if let Some(tag) = tag { text = format!("{text}:{tag}"); }
            if let Some(digest) = digest { text = format!("{text}@{digest}"); }
            let parsed = Reference::parse(&text).unwrap();
            let full = Reference::parse(&parsed.to_string()).unwrap();
            prop_assert_eq!(full.to_string(), parsed.to_string());
            prop_assert_eq!((full.registry(), full.path()), (parsed.registry(), parsed.path()));
        }
    }
}
