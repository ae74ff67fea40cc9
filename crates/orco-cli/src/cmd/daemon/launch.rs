//! Starting a keeper for a stack whose lock we have.

use std::{fs, path::Path, time::Duration};

use orco_api::{
    client::Client,
    place::{Lock, Meta, Place},
    server::Listener,
    wire::{Mode, Timestamp},
};
use orco_keeper::{
    Backend,
    daemon::{self, Charter, Outcome},
};

use super::{incoming::Incoming, log_file};
use crate::{cmd::Failure, exit::Exit, terminal};

/// How long an engine may take until it serves: with thousands of services it has much to read.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that is about to begin.
#[derive(Debug)]
pub struct Launch {
    place: Place,
    lock: Lock,
    listener: Listener,
    /// What was written down before.
    before: Option<Meta>,
}

impl Launch {
    /// Settles everything that the engine will find: who runs the stack, the socket, and what is to be done first
    /// (nothing: only to go on where the last one stopped).
    pub fn prepare(
        place: Place,
        lock: Lock,
        stack: &str,
        file: &Path,
        incoming: Option<&Incoming>,
    ) -> Result<Self, Failure> {
        // A damaged one is replaced.
        let before = Meta::read(&place).ok().flatten();
        let meta = Meta {
            stack: stack.to_owned(),
            id: place.id().to_string(),
            dir: file.parent().map(Path::to_path_buf).unwrap_or_default(),
            file: file.to_owned(),
            pid: Some(std::process::id()),
            keeper_pid: None,
            mode: Mode::Detached,
            since: Timestamp::now(),
        };
        // At once, so that whoever comes second learns who was first.
        meta.write(&place)?;
        let listener =
            Listener::bind(&place, &lock).map_err(|e| Failure::internal("cannot open the control socket", e))?;
        match incoming {
            Some(incoming) => incoming.write(&place),
            None => Incoming::remove(&place),
        }
        .map_err(|e| Failure::new(Exit::INTERNAL, e))?;
        Ok(Self { place, lock, listener, before })
    }

    /// The calling process becomes the keeper. Returns only where it cannot.
    pub fn stay(self) -> Failure {
        match self.charter() {
            Ok(charter) => Failure::internal("cannot become the keeper", daemon::become_keeper(charter)),
            Err(failure) => failure,
        }
    }

    /// Starts a keeper that outlives us; returns, with its pid, when the engine serves.
    pub async fn detach(self) -> Result<u32, Failure> {
        let log = log_file::open(&self.place).map_err(|e| Failure::internal("cannot open `daemon.log`", e))?;
        let said_before = log.metadata().map_or(0, |meta| meta.len());
        let started = daemon::start(self.charter()?, log);
        let started = started.map_err(|e| Failure::internal("cannot start the keeper", e))?;
        // From here on they belong to the keeper alone: when it ends, they are free.
        drop((self.lock, self.listener));
        let log = self.place.daemon_log();
        let look = format!("`{}` tells more", log.display());
        let outcome = match started.result(PATIENCE) {
            Outcome::Lost => survived(&self.place).await,
            said => said,
        };
        match outcome {
            Outcome::Serving { keeper_pid } => Ok(keeper_pid),
            // What was written down stays: services may have been started, and whoever comes next has to look.
            Outcome::Lost => Err(Failure::new(Exit::FAILED, "the daemon was killed at its start")
                .next("`orco up -d` goes on, `orco down` ends what was started")),
            Outcome::Failed { status, text } => {
                put_back(&self.place, self.before);
                let exit = Exit::of_engine(status);
                match last_words(&log, said_before) {
                    // With what to do next.
                    Some(words) => {
                        terminal::note(words);
                        Err(Failure::silent(exit))
                    }
                    None => Err(Failure::new(exit, format!("the daemon ended at its start: {text}")).next(look)),
                }
            }
            Outcome::Silent => Err(Failure::new(Exit::INTERNAL, "the daemon does not answer").next(look)),
        }
    }

    fn charter(&self) -> Result<Charter, Failure> {
        let program = std::env::current_exe().map_err(|e| Failure::internal("cannot tell where this program is", e))?;
        let share = |e| Failure::internal("cannot pass on what the daemon needs", e);
        let arguments = ["daemon".as_ref(), "engine".as_ref(), self.place.dir().as_os_str()];
        let look_at = ["--program".as_ref(), program.as_os_str()];
        Ok(Charter {
            engine_arguments: arguments.into_iter().chain(look_at).map(ToOwned::to_owned).collect(),
            backend: Backend::Auto,
            lock: self.lock.share().map_err(share)?,
            listener: self.listener.share().map_err(share)?,
        })
    }
}

/// The keeper was killed. Waits for what its engine does, if there was one: it serves, under another keeper.
async fn survived(place: &Place) -> Outcome {
    let serves = async {
        let Ok(client) = Client::new(place) else { return Outcome::Lost };
        while Lock::is_held(place) {
            if client.brief_status().await.is_ok()
                && let Some(keeper_pid) = Meta::read(place).ok().flatten().and_then(|meta| meta.keeper_pid)
            {
                return Outcome::Serving { keeper_pid };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Outcome::Lost
    };
    tokio::time::timeout(PATIENCE, serves).await.unwrap_or(Outcome::Silent)
}

/// Nothing has begun: what was written down before still holds.
fn put_back(place: &Place, before: Option<Meta>) {
    let meta =
        before.or_else(|| Meta::read(place).ok().flatten().map(|meta| Meta { pid: None, keeper_pid: None, ..meta }));
    if let Some(meta) = meta {
        // At worst the next one learns of a process that is gone.
        let _ = meta.write(place);
    }
}

/// The error that the engine reported last, if it reported one since.
fn last_words(log: &Path, since: u64) -> Option<String> {
    let text = String::from_utf8_lossy(fs::read(log).ok()?.get(usize::try_from(since).ok()?..)?).into_owned();
    let lines = text.split_inclusive('\n');
    let words: String = lines.skip_while(|line| !line.starts_with("error")).filter(|line| !is_record(line)).collect();
    (!words.is_empty()).then_some(words)
}

/// Whether the line is one of the log's own, which begin with the time.
fn is_record(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_last_words_are_those_since() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("daemon.log");
        let old = "error: an old one\n";
        let text = "2026-01-01T00:00:00Z  INFO orco: begins\nerror: no good\nnext: do better\n2026-01-01T00:00:01Z x\n";
        fs::write(&log, format!("{old}{text}")).unwrap();
        assert_eq!(last_words(&log, 18).unwrap(), "error: no good\nnext: do better\n");
        fs::write(&log, "2026 ends\n").unwrap();
        assert_eq!(last_words(&log, 0), None);
        assert_eq!(last_words(&log, 99), None);
        assert_eq!(last_words(&dir.path().join("gone"), 0), None);
    }
}
