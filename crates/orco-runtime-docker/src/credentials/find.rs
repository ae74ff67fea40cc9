//! Where logins are looked for, and in which order.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{config::Config, keychain, secret::Login};
use crate::reference::Reference;

/// A file of logins is not larger.
const MOST: u64 = 1024 * 1024;

/// The files in which logins are looked for, read anew for each pull: somebody may log in meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    files: Vec<PathBuf>,
    /// Where helpers are looked for; `None`: as this program's own `PATH` says.
    path: Option<OsString>,
}

/// What was found for a registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// The login; `None`: ask without one.
    pub(crate) login: Option<Login>,
    /// What was wrong with a file or a helper. The pull is tried all the same.
    pub(crate) trouble: Option<String>,
}

impl Credentials {
    /// The usual files: those of `docker login`, for Podman also those of `podman login`. `var` reads a variable of
    /// the environment.
    pub(crate) fn usual(podman: bool, var: impl Fn(&str) -> Option<OsString>) -> Self {
        let var = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = var("HOME");
        let mut files = Vec::new();
        if podman {
            files.extend(var("REGISTRY_AUTH_FILE"));
            files.extend(var("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")));
            let config = var("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
            files.extend(config.map(|dir| dir.join("containers/auth.json")));
        }
        let docker = var("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
        files.extend(docker.map(|dir| dir.join("config.json")));
        Self { files, path: None }
    }

    /// These files alone, the first one first.
    #[cfg(test)]
    pub(crate) const fn in_files(files: Vec<PathBuf>) -> Self {
        Self { files, path: None }
    }

    /// Helpers are looked for in these folders, as in `PATH`.
    #[must_use]
    #[cfg(test)]
    pub(crate) fn with_helpers_in(mut self, path: impl Into<OsString>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The login for the image's registry. Cancel-safe.
    pub(crate) async fn find(&self, image: &Reference) -> Answer {
        let mut answer = Answer::default();
        let (Some(registry), Some(path)) = (image.registry(), image.path()) else { return answer };
        for file in &self.files {
            match self.look(file, registry, path).await {
                Ok(None) => {}
                Ok(Some(login)) => {
                    answer.login = Some(login);
                    return answer;
                }
                Err(why) => {
                    let why = format!("{}: {why}", file.display());
                    tracing::warn!(registry, "cannot use registry credentials: {why}");
                    answer.trouble.get_or_insert(why);
                }
            }
        }
        answer
    }

    async fn look(&self, file: &Path, registry: &str, path: &str) -> Result<Option<Login>, String> {
        let owned = file.to_owned();
        // A home directory may be on a slow file system.
        let bytes = tokio::task::spawn_blocking(move || read(&owned)).await.map_err(|e| e.to_string())?;
        let Some(bytes) = bytes.map_err(|e| e.to_string())? else { return Ok(None) };
        let config = Config::read(&bytes).map_err(|e| e.to_string())?;
        let mut failed = None;
        if let Some(name) = config.helper(registry) {
            match keychain::ask(name, registry, self.path.as_ref()).await {
                Ok(Some(login)) => return Ok(Some(login)),
                Ok(None) => {}
                Err(why) => failed = Some(why),
            }
        }
        match (config.login(registry, path).map_err(|e| e.to_string())?, failed) {
            (None, Some(why)) => Err(why),
            (login, _) => Ok(login),
        }
    }
}

/// The file's content; `None` if there is none.
fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let about = match fs::metadata(file) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        about => about?,
    };
    // Reading a pipe would never end.
    if !about.is_file() || about.len() > MOST {
        return Err(io::Error::other("not a file of at most 1 MiB"));
    }
    fs::read(file).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Instant;

    use super::*;
    use crate::credentials::Secret;

    fn image() -> Reference {
        Reference::parse("r.example:5000/acme/api:1").unwrap()
    }

    fn login(user: &str, password: &str) -> Option<Login> {
        Some(Login::Password { user: user.into(), password: Secret::new(password) })
    }

    /// A helper that does what `script` says.
    fn helper(dir: &Path, name: &str, script: &str) {
        let path = dir.join(format!("docker-credential-{name}"));
        // Written by another process: a file that this one has open for writing, if only in a child that another test
        // is just starting, cannot be executed.
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#;
        let status = std::process::Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status().unwrap();
        assert!(status.success());
    }

    fn with(dir: &Path, config: &str) -> Credentials {
        let file = dir.join("config.json");
        fs::write(&file, config).unwrap();
        let path = format!("{}:/usr/bin:/bin", dir.display());
        Credentials::in_files(vec![file]).with_helpers_in(path)
    }

    #[test]
    fn where_it_looks() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        };
        let paths = |podman, pairs| {
            let found = Credentials::usual(podman, env(pairs)).files;
            found.iter().map(|p| p.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(paths(false, &[("HOME", "/h")]), ["/h/.docker/config.json"]);
        assert_eq!(paths(false, &[("HOME", "/h"), ("DOCKER_CONFIG", "/d")]), ["/d/config.json"]);
        assert_eq!(paths(false, &[]), Vec::<String>::new());
        assert_eq!(
            paths(true, &[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r"), ("REGISTRY_AUTH_FILE", "/f")]),
            ["/f", "/r/containers/auth.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"]
        );
    }

    #[tokio::test]
    async fn a_helper_is_asked_by_its_registry() {
        let dir = tempfile::tempdir().unwrap();
        helper(
            dir.path(),
            "ok",
            "read -r key || true; echo \"{\\\"ServerURL\\\":\\\"$key\\\",\\\"Username\\\":\\\"$1\\\",\\\"Secret\\\":\\\"for $key\\\"}\"",
        );
        let found = with(dir.path(), r#"{"credsStore": "ok"}"#).find(&image()).await;
        assert_eq!((found.login, found.trouble), (login("get", "for r.example:5000"), None));
        let hub = Reference::parse("redis").unwrap();
        let found = with(dir.path(), r#"{"credHelpers": {"docker.io": "ok"}}"#).find(&hub).await;
        assert_eq!(found.login, login("get", "for https://index.docker.io/v1/"));
        helper(dir.path(), "token", r#"cat >/dev/null; echo '{"ServerURL":"","Username":"<token>","Secret":"tok"}'"#);
        let found = with(dir.path(), r#"{"credHelpers": {"r.example:5000": "token"}}"#).find(&image()).await;
        assert_eq!(found.login, Some(Login::IdentityToken(Secret::new("tok"))));
    }

    #[tokio::test]
    async fn a_bad_helper_is_named_and_its_words_are_not() {
        let dir = tempfile::tempdir().unwrap();
        helper(dir.path(), "none", "echo 'credentials not found in native keychain'; exit 1");
        helper(dir.path(), "fails", "echo hunter2; exit 3");
        helper(dir.path(), "talks", "echo hunter2");
        helper(dir.path(), "floods", "yes hunter2");
        let table = [
            ("none", None),
            ("fails", Some("exit status: 3")),
            ("talks", Some("should")),
            ("floods", Some("docker-credential-floods")),
            ("absent", Some("cannot be started")),
            ("../../bin/sh", Some("no name of a credential helper")),
            ("a b;c", Some("no name of a credential helper")),
        ];
        for (name, why) in table {
            let found = with(dir.path(), &format!(r#"{{"credsStore": "{name}"}}"#)).find(&image()).await;
            assert_eq!(found.login, None, "{name}");
            match (&found.trouble, why) {
                (None, None) => {}
                (Some(is), Some(why)) => assert!(is.contains(why) && !is.contains("hunter2"), "{name}: {is}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        let both = r#"{"credsStore": "fails", "auths": {"r.example:5000": {"auth": "YWxpY2U6c2VjcmV0"}}}"#;
        assert_eq!(with(dir.path(), both).find(&image()).await.login, login("alice", "secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_helper_that_hangs_is_left() {
        let dir = tempfile::tempdir().unwrap();
        helper(dir.path(), "hangs", "exec sleep 600");
        let begun = Instant::now();
        let found = with(dir.path(), r#"{"credsStore": "hangs"}"#).find(&image()).await;
        assert!(found.trouble.as_ref().is_some_and(|t| t.contains("has not answered for 10 s")), "{found:?}");
        assert!(begun.elapsed().as_secs() < 60);
    }

    #[tokio::test]
    async fn a_broken_file_is_told_and_the_next_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (bad, good) = (dir.path().join("bad"), dir.path().join("good"));
        fs::write(&bad, "{\"auths\": \"hunter2\"}").unwrap();
        fs::write(&good, r#"{"auths": {"r.example:5000": {"auth": "YWxpY2U6c2VjcmV0"}}}"#).unwrap();
        let absent = dir.path().join("absent");
        let found = Credentials::in_files(vec![absent, bad.clone(), good]).find(&image()).await;
        assert_eq!(found.login, login("alice", "secret"));
        assert!(found.trouble.is_some());
        let found = Credentials::in_files(vec![bad, dir.path().to_owned()]).find(&image()).await;
        let trouble = format!("{found:?}");
        assert!(found.login.is_none() && trouble.contains("bad: ") && !trouble.contains("hunter2"), "{trouble}");
    }

    #[test]
    fn nothing_prints_a_secret() {
        let answer = Answer { login: login("alice", "hunter2"), trouble: None };
        assert!(!format!("{answer:?}{:?}", Secret::new("hunter2")).contains("hunter2"));
        assert_eq!(Secret::new("hunter2").hide_in("a hunter2 b"), "a *** b");
    }
}
