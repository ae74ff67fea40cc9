//! The engine behind Orco's back: what is there, and away with it.

use std::{os::unix::net::UnixStream, path::PathBuf};

use serde_json::Value;

use super::http::{PATIENCE, Reply, call};

/// An engine's socket.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
}

/// Removes images, with all tags of their repositories, when the test is over, however it ends.
#[derive(Debug)]
pub(crate) struct Images {
    engine: Engine,
    names: Vec<String>,
}

impl Engine {
    /// The engine that `DOCKER_HOST` names, else the one at the usual place, if it answers.
    pub(crate) fn find() -> Result<Self, String> {
        let host = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        let socket = match &host {
            Some(host) => host.strip_prefix("unix://").ok_or("DOCKER_HOST is not a unix socket")?,
            None => "/var/run/docker.sock",
        };
        let engine = Self { socket: PathBuf::from(socket) };
        let reply = engine.try_call("GET", "/_ping", &[]).map_err(|error| format!("{socket}: {error}"))?;
        if reply.status == 200 { Ok(engine) } else { Err(format!("{socket}: {}", reply.text())) }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &PathBuf {
        &self.socket
    }

    /// Images that go with the value.
    pub(crate) fn images<const N: usize>(&self, names: [&str; N]) -> Images {
        Images { engine: self.clone(), names: names.map(str::to_owned).to_vec() }
    }

    /// Whether it has the image.
    pub(crate) fn has(&self, image: &str) -> bool {
        self.call("GET", &format!("/images/{image}/json")).status == 200
    }

    /// Removes an image's name and what only it holds.
    pub(crate) fn remove(&self, image: &str) {
        self.call("DELETE", &format!("/images/{image}?force=true"));
    }

    /// Gives an image another name, `HOST/REPOSITORY:TAG`.
    pub(crate) fn tag(&self, image: &str, name: &str) {
        let (repository, tag) = name.rsplit_once(':').unwrap();
        let reply = self.call("POST", &format!("/images/{image}/tag?repo={repository}&tag={tag}"));
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    /// Pushes an image to the registry in its name, without a login.
    pub(crate) fn push(&self, name: &str) {
        let (repository, tag) = name.rsplit_once(':').unwrap();
        // `{}` in base64: engines want the header.
        let headers = [("X-Registry-Auth", "e30=")];
        let reply = self.try_call("POST", &format!("/images/{repository}/push?tag={tag}"), &headers).unwrap();
        assert!(reply.status == 200 && !reply.text().contains("errorDetail"), "{}", reply.text());
    }

    fn call(&self, method: &str, path: &str) -> Reply {
        self.try_call(method, path, &[]).unwrap()
    }

    fn try_call(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> std::io::Result<Reply> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        call(stream, "docker", method, path, headers, &[])
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        // What fails here is not a reason to fail, least of all while failing.
        let Ok(reply) = self.engine.try_call("GET", "/images/json", &[]) else { return };
        let images: Vec<Value> = serde_json::from_slice(&reply.body).unwrap_or_default();
        let mine = |name: &str| {
            let repository =
                |name: &str| name.split_once('@').map_or(name.rsplit_once(':'), Some).map(|(r, _)| r.to_owned());
            self.names.iter().any(|n| repository(n) == repository(name))
        };
        // By name and never by id: other names of an image are not ours.
        for key in ["RepoTags", "RepoDigests"] {
            let names = images.iter().flat_map(|image| image[key].as_array().into_iter().flatten());
            for name in names.filter_map(Value::as_str).filter(|name| mine(name)) {
                let _ = self.engine.try_call("DELETE", &format!("/images/{name}?force=true"), &[]);
            }
        }
    }
}
