//! `daemon upgrade`.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use orco_api::{
    client::{Client, ClientError},
    place::{Meta, Place},
    wire::{Code, Mode, Upgrading},
};

use crate::{
    args::{DaemonUpgrade, StackArgs},
    cmd::{Failure, target},
    exit::Exit,
    terminal,
};

/// How long the new engine, or the old one again, may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn upgrade(args: DaemonUpgrade, outer: &StackArgs) -> Result<Exit, Failure> {
    let place = target::running(&args.stack.or(outer))?;
    let client = Client::new(&place)?;
    let upgrading = client.upgrade().await.map_err(|error| refused(error, &place))?;
    let Upgrading { pid: old, from, to, program } = upgrading;
    let next = next(&place, &client, old, Path::new(&program));
    let Ok((pid, is_it)) = tokio::time::timeout(PATIENCE, next).await else {
        return Err(failed("no engine answers since", &place));
    };
    if is_it {
        terminal::note(format!("orco {from} -> {to}: engine {old} -> {pid}; no service was touched\n"));
        Ok(Exit::DONE)
    } else {
        Err(failed(&format!("the engine of orco {to} did not come up; that of orco {from} goes on"), &place))
    }
}

/// Nothing has been touched yet.
fn refused(error: ClientError, place: &Place) -> Failure {
    let under_daemon = Meta::read(place).ok().flatten().is_some_and(|meta| meta.mode == Mode::Detached);
    // In the foreground no program would do.
    let not_taken = under_daemon && matches!(&error, ClientError::Api(body) if body.code == Code::Refused);
    let failure = Failure::from(error);
    if not_taken {
        failure.next("the running engine goes on; put a working `orco` there, then `orco daemon upgrade` again")
    } else {
        failure
    }
}

fn failed(why: &str, place: &Place) -> Failure {
    let look = format!("`{}` tells more", place.daemon_log().display());
    Failure::new(Exit::FAILED, why.to_owned()).next(look)
}

/// The pid of the next engine that stays, and whether it is this program. One that was replaced in its turn, by another
/// upgrade, says nothing.
async fn next(place: &Place, client: &Client, mut old: u32, program: &Path) -> (u32, bool) {
    loop {
        let pid = another(place, client, old).await;
        if let Some(is_it) = runs(pid, program) {
            return (pid, is_it);
        }
        old = pid;
    }
}

/// The pid of an engine that answers and is not this one.
async fn another(place: &Place, client: &Client, old: u32) -> u32 {
    loop {
        let pid = Meta::read(place).ok().flatten().and_then(|meta| meta.pid).filter(|pid| *pid != old);
        if let Some(pid) = pid
            && client.brief_status().await.is_ok()
            // It may have been one that died before it answered.
            && Meta::read(place).ok().flatten().is_some_and(|meta| meta.pid == Some(pid))
        {
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether the process runs the file that lies there now. The kernel knows it, also where both have the same version.
/// `None`: there is no such process.
fn runs(pid: u32, program: &Path) -> Option<bool> {
    let which = |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    let running = which(Path::new(&format!("/proc/{pid}/exe")))?;
    Some(which(program) == Some(running))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_copy_is_another_program() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        assert_eq!(runs(std::process::id(), &own), Some(true));
        let copy = dir.path().join("copy");
        fs::copy(&own, &copy).unwrap();
        assert_eq!(runs(std::process::id(), &copy), Some(false));
        assert_eq!(runs(std::process::id(), &dir.path().join("gone")), Some(false));
        // Beyond the highest pid that Linux gives.
        assert_eq!(runs(5_000_000, &own), None);
    }
}
