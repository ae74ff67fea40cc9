//! Asks `docker-credential-NAME` for a login.

use std::{ffi::OsString, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::secret::{Login, Secret};
use crate::reference::DEFAULT_REGISTRY;

/// It may ask a key ring, not a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// So much it may answer.
const MOST: u64 = 64 * 1024;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// The login that the helper has for the registry, if it has one. What it prints is never in the error: it may be a
/// secret. Cancel-safe: dropping ends the helper.
pub(super) async fn ask(name: &str, registry: &str, path: Option<&OsString>) -> Result<Option<Login>, String> {
    // The file says which program runs: at least only ones that are meant for this.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(format!("`{}` is no name of a credential helper", name.escape_debug()));
    }
    let program = format!("docker-credential-{name}");
    match tokio::time::timeout(PATIENCE, talk(&program, registry, path)).await {
        Ok(answer) => answer.map_err(|why| format!("{program}: {why}")),
        Err(_) => Err(format!("{program} has not answered for {} s", PATIENCE.as_secs())),
    }
}

async fn talk(program: &str, registry: &str, path: Option<&OsString>) -> Result<Option<Login>, String> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let mut child = command.spawn().map_err(|error| format!("cannot be started ({error})"))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("has no pipes".to_owned());
    };
    let key = if registry == DEFAULT_REGISTRY { "https://index.docker.io/v1/" } else { registry };
    // One that answers without reading has closed its end: what it says counts.
    let _ = stdin.write_all(key.as_bytes()).await;
    drop(stdin);
    let mut said = Vec::new();
    stdout.take(MOST).read_to_end(&mut said).await.map_err(|error| format!("cannot be read ({error})"))?;
    let status = child.wait().await.map_err(|error| format!("cannot be waited for ({error})"))?;
    if !status.success() {
        let absent = String::from_utf8_lossy(&said).to_lowercase().contains("credentials not found");
        return if absent { Ok(None) } else { Err(format!("has failed ({status})")) };
    }
    let Ok(Answer { user, secret }) = serde_json::from_slice(&said) else {
        return Err("does not answer what a credential helper should".to_owned());
    };
    Ok(Some(match user.as_str() {
        "<token>" => Login::IdentityToken(Secret::new(secret)),
        _ => Login::Password { user, password: Secret::new(secret) },
    }))
}
