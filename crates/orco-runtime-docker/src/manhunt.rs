//! How a command inside a container is ended with all it has started: engines have no call for that.
//!
//! Each command bears a stamp in its environment, which its children inherit. Where the container's processes can be
//! seen from here (an engine on this machine, enough rights), they are found by the stamp and by descent, and killed
//! through their pidfds. Elsewhere a second command, a line for a shell, does the same inside. What stays impossible: a
//! process that has cleaned its environment and lost its parent, and an image without `sh`, `tr` and `grep` where we may
//! not look; both end with their container.

use std::{collections::BTreeSet, fs, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    docker::Inner,
    engine::{
        EngineError,
        execs::{self, ExecSpec},
    },
};

/// The variable that marks what belongs to a command.
pub(crate) const STAMP: &str = "ORCO_EXEC";
/// Whoever is not ended by then stays.
const BOUND: Duration = Duration::from_secs(10);
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// A command to be ended.
#[derive(Clone, Debug)]
pub(crate) struct Prey {
    pub(crate) container: String,
    /// The engine's id of it.
    pub(crate) command: String,
    pub(crate) stamp: String,
}

/// Ends it; returns when nothing of it was found twice, or nothing more can be done.
pub(crate) async fn end(inner: &Inner, prey: &Prey) {
    let began = Instant::now();
    let mut pause = PAUSES.0;
    let mut quiet = 0;
    let mut asked_inside = false;
    while began.elapsed() < BOUND {
        let stamp = prey.stamp.clone();
        let killed = tokio::task::spawn_blocking(move || kill_from_here(&stamp)).await.unwrap_or_default();
        match execs::inspect(&inner.client, &prey.command).await {
            // Forgotten with its container.
            Ok(None) => return,
            Ok(Some(state)) => {
                let over = !state.running && (state.code.is_some() || state.pid.is_none() && quiet > 8);
                quiet = if over && killed == 0 {
                    quiet + 1
                } else if state.running {
                    0
                } else {
                    quiet + 1
                };
                if over && killed == 0 && quiet >= 2 && (asked_inside || seen_from_here(inner).await) {
                    return;
                }
                // It runs, and from here nothing is to be seen of it.
                let hidden = killed == 0 && state.running && began.elapsed() > PAUSES.1;
                if hidden || (over && !asked_inside && !seen_from_here(inner).await) {
                    asked_inside = kill_inside(inner, prey).await.is_ok();
                }
            }
            Err(error) => tracing::debug!(%error, "cannot ask for a command that is to be ended"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
    tracing::warn!(container = %prey.container, "a command inside a container could not be ended");
}

/// Whether the container's processes are processes of this machine that we may look into.
async fn seen_from_here(inner: &Inner) -> bool {
    inner.client.info().await.is_ok_and(|info| info.local && !info.rootless)
}

/// Kills all that bears the stamp or descends from one that does. Returns how many there were. Reads `/proc`.
fn kill_from_here(stamp: &str) -> usize {
    let mark = format!("{STAMP}={stamp}").into_bytes();
    let is_marked = |pid: u32| {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|&b| b == 0).any(|variable| variable == mark)
    };
    let all: Vec<(u32, Option<u32>)> = pids().map(|pid| (pid, parent(pid))).collect();
    let mut found: BTreeSet<u32> = all.iter().map(|(pid, _)| *pid).filter(|pid| is_marked(*pid)).collect();
    loop {
        let child = |(pid, parent): &(u32, Option<u32>)| parent.filter(|p| found.contains(p)).map(|_| *pid);
        let more: BTreeSet<u32> = all.iter().filter_map(child).filter(|pid| !found.contains(pid)).collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    for pid in &found {
        // Looked at again once it is held: the number may be another's by now.
        let same = || is_marked(*pid) || parent(*pid).is_some_and(|parent| found.contains(&parent));
        if let Err(error) = orco_keeper::kill_if(*pid, same) {
            tracing::debug!(%error, pid, "cannot kill a process of a container");
        }
    }
    found.len()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The parent; none of a process that is dead already.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    let alive = rest.next()? != "Z";
    rest.next()?.parse().ok().filter(|_| alive)
}

/// The same inside, for whoever has a shell there.
async fn kill_inside(inner: &Inner, prey: &Prey) -> Result<(), EngineError> {
    // The stamp is letters, digits and dots.
    let script = format!(
        "for p in /proc/[0-9]*; do if tr '\\0' '\\n' <$p/environ 2>/dev/null | grep -qxF '{STAMP}={}'; \
         then kill -9 ${{p#/proc/}}; fi; done",
        prey.stamp
    );
    let spec = ExecSpec {
        argv: vec!["sh".to_owned(), "-c".to_owned(), script],
        env: Vec::new(),
        user: Some("0".to_owned()),
        workdir: Some("/".to_owned()),
        stdin: false,
    };
    let command = execs::create(&inner.client, &prey.container, &spec).await?;
    let attached = execs::start(&inner.client, &command).await?;
    let mut said = crate::tail::Tail::default();
    let talked = tokio::time::timeout(BOUND / 5, crate::exec::talk(attached, &[], &mut said)).await;
    if talked.is_err() {
        tracing::debug!(container = %prey.container, "a shell inside a container hangs");
    }
    Ok(())
}
