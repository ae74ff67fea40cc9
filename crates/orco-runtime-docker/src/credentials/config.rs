//! The format of `config.json` and `auth.json`. No I/O.

use std::{collections::BTreeMap, fmt};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use super::secret::{Login, Secret};
use crate::reference::DEFAULT_REGISTRY;

/// Written with padding, and now and then without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What concerns registries in the file. No `Debug`: it holds secrets.
#[derive(Deserialize)]
pub(super) struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// Why a file is of no use. It never quotes the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Broken(pub(super) String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Config {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Broken> {
        // The parser's own words would quote the value that it did not like: a secret.
        serde_json::from_slice(bytes).map_err(|error| {
            let what = if error.is_data() { "not what it should say" } else { "no JSON" };
            Broken(format!("{what} at line {}, column {}", error.line(), error.column()))
        })
    }

    /// The helper program for this registry, and whether it is for this one alone.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self.helpers.iter().flatten().find(|(key, name)| host(key) == registry && !name.is_empty());
        own.map(|(_, name)| name.as_str()).or_else(|| self.store.as_deref().filter(|name| !name.is_empty()))
    }

    /// What stands in the file itself. The key that names most of `registry/path` wins: Podman's may name a part of
    /// a registry.
    pub(super) fn login(&self, registry: &str, path: &str) -> Result<Option<Login>, Broken> {
        let entries = self.auths.iter().flatten().filter_map(|(key, entry)| {
            let entry = entry.as_ref()?;
            let below = below(key, registry, path)?;
            Some((below, key, entry))
        });
        let mut best: Vec<_> = entries.collect();
        best.sort_by_key(|(below, ..)| std::cmp::Reverse(*below));
        for (_, key, entry) in best {
            if let Some(login) = entry.login().map_err(|why| Broken(format!("`auths` for {key}: {why}")))? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Login::IdentityToken(Secret::new(token))));
        }
        if let Some(auth) = filled(&self.auth) {
            let bytes = BASE64.decode(auth.trim()).map_err(|_| "`auth` is no base64")?;
            let text = String::from_utf8(bytes).map_err(|_| "`auth` is no text")?;
            let (user, password) = text.split_once(':').ok_or("`auth` is not USER:PASSWORD")?;
            // Docker has written such endings.
            let password = password.trim_end_matches('\0');
            return Ok(Some(Login::Password { user: user.to_owned(), password: Secret::new(password) }));
        }
        match (filled(&self.username), filled(&self.password)) {
            (Some(user), Some(password)) => Ok(Some(Login::Password { user, password: Secret::new(password) })),
            // An entry without anything says only that a helper has it.
            _ => Ok(None),
        }
    }
}

/// The registry of a key: `https://index.docker.io/v1/` is Docker's odd way to write its own.
fn host(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = rest.split('/').next().unwrap_or(rest);
    if matches!(host, "index.docker.io" | "registry-1.docker.io") { DEFAULT_REGISTRY } else { host }
}

/// How much of the path the key names, if it is for this registry and a part of it that has the path.
fn below(key: &str, registry: &str, path: &str) -> Option<usize> {
    if host(key) != registry {
        return None;
    }
    // A path in an address is the registry's interface (`/v1/`), not a part of its content.
    if key.contains("://") {
        return Some(0);
    }
    let part = key.split_once('/').map_or("", |(_, part)| part).trim_end_matches('/');
    let inside = part.is_empty()
        || matches!(part, "v1" | "v2")
        || path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    inside.then_some(if matches!(part, "v1" | "v2") { 0 } else { part.len() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn password(user: &str, password: &str) -> Option<Login> {
        Some(Login::Password { user: user.into(), password: Secret::new(password) })
    }

    #[test]
    fn whose_login_is_it() {
        // alice:secret, bob:a:b, carol:pass?>
        let file = br#"{
            "auths": {
                "https://index.docker.io/v1/": {"auth": "YWxpY2U6c2VjcmV0"},
                "localhost:5000": {"auth": "Ym9iOmE6Yg"},
                "http://plain.example/v2/": {"username": "u", "password": "pp"},
                "token.example": {"auth": "YWxpY2U6c2VjcmV0", "identitytoken": "tok"},
                "quay.io": {"auth": "YWxpY2U6c2VjcmV0"},
                "quay.io/acme": {"auth": "Ym9iOmE6Yg=="},
                "quay.io/acme/api": {"auth": "Y2Fyb2w6cGFzcz8+"},
                "empty.example": {},
                "null.example": null
            },
            "HttpHeaders": {"User-Agent": "x"}
        }"#;
        let config = Config::read(file).unwrap();
        let table = [
            ("docker.io", "library/redis", password("alice", "secret")),
            ("localhost:5000", "a", password("bob", "a:b")),
            ("localhost", "a", None),
            ("localhost:5001", "a", None),
            ("plain.example", "a/b", password("u", "pp")),
            ("token.example", "a", Some(Login::IdentityToken(Secret::new("tok")))),
            ("quay.io", "other/api", password("alice", "secret")),
            ("quay.io", "acme/web", password("bob", "a:b")),
            ("quay.io", "acme/api", password("carol", "pass?>")),
            ("quay.io", "acmeapi", password("alice", "secret")),
            ("empty.example", "a", None),
            ("null.example", "a", None),
        ];
        for (registry, path, login) in table {
            assert_eq!(config.login(registry, path), Ok(login), "{registry}/{path}");
        }
    }

    #[test]
    fn which_helper() {
        let config = Config::read(
            br#"{"credsStore": "secretservice", "credHelpers": {"ghcr.io": "gh", "https://index.docker.io/v1/": "hub"}}"#,
        )
        .unwrap();
        let of = |registry| config.helper(registry);
        assert_eq!((of("ghcr.io"), of("docker.io"), of("quay.io")), (Some("gh"), Some("hub"), Some("secretservice")));
        assert_eq!(Config::read(br#"{"credsStore": ""}"#).unwrap().helper("a.example"), None);
    }

    #[test]
    fn what_is_broken_is_named_and_never_quoted() {
        for file in [
            &b"{"[..],
            b"",
            b"[]",
            br#"{"auths": "hunter2"}"#,
            br#"{"auths": {"r.example": {"auth": 7, "password": "hunter2"}}}"#,
            br#"{"auths": {"r.example": "hunter2"}}"#,
        ] {
            let Broken(why) = Config::read(file).err().unwrap();
            assert!(why.contains("line") && !why.contains("hunter2"), "{why}");
        }
        for auth in ["!hunter2", "aHVudGVyMg==", "/w=="] {
            let config =
                Config::read(format!(r#"{{"auths": {{"r.example": {{"auth": "{auth}"}}}}}}"#).as_bytes()).unwrap();
            let Broken(why) = config.login("r.example", "a").unwrap_err();
            assert!(why.contains("r.example") && !why.contains("hunter2"), "{why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_file_is_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            if let Ok(config) = Config::read(&bytes) {
                let _ = config.login("docker.io", "library/redis");
            }
        }
    }
}
