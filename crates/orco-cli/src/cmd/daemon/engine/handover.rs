//! Replacing this engine by the program on disk.

use std::path::PathBuf;

use orco_api::{server::Asked, wire::Upgrading};
use orco_core::crash;
use tokio::sync::mpsc;

use super::birth::Daemon;
use crate::{
    cmd::{
        Failure,
        daemon::preflight::{self, Abilities},
    },
    exit::Exit,
};

/// A program that was looked at because somebody asked.
pub struct Looked {
    asked: Asked,
    program: PathBuf,
    found: Result<Abilities, String>,
}

/// Looks at the program beside everything else: it may take its time.
pub fn look(asked: Asked, program: PathBuf, tell: mpsc::Sender<Looked>) {
    tokio::task::spawn_blocking(move || {
        let found = preflight::look_at(&program);
        // It can only fail when the daemon ends.
        let _ = tell.blocking_send(Looked { asked, program, found });
    });
}

impl Looked {
    /// Answers who asked. The program, if it shall take over.
    pub fn answer(self, stopping: bool) -> Option<PathBuf> {
        crash::point("succeed.looked");
        if stopping {
            tracing::info!("no upgrade: the stack is on its way down");
            self.asked.too_late();
            return None;
        }
        match self.found {
            Ok(theirs) => {
                tracing::info!(program = %self.program.display(), version = theirs.orco, "another engine takes over");
                self.asked.answer(Ok(Upgrading {
                    pid: std::process::id(),
                    from: env!("CARGO_PKG_VERSION").to_owned(),
                    to: theirs.orco,
                    program: self.program.display().to_string(),
                }));
                Some(self.program)
            }
            Err(why) => {
                tracing::warn!(why, "no upgrade");
                self.asked.answer(Err(why));
                None
            }
        }
    }
}

impl Daemon {
    /// Ends this engine so that the keeper starts the program instead. Services do not notice; who connects
    /// meanwhile waits in the control socket's queue.
    pub(super) async fn hand_over(self, program: PathBuf) -> Result<Exit, Failure> {
        crash::point("succeed.answered");
        // The answer to whoever asked goes out here, like every other under way.
        self.server.close().await;
        crash::point("succeed.server-closed");
        self.plugins.succeed(&program);
        crash::point("succeed.told");
        // What is only sent dies with this process.
        self.plugins.heard().await;
        crash::point("succeed.heard");
        // If the state cannot be written, the next engine finds what was written before.
        if let Err(error) = self.engine.leave().await {
            tracing::error!(%error, "the state was not closed in order");
        }
        crash::point("succeed.left");
        tracing::info!("this engine ends");
        Ok(Exit::DONE)
    }
}
