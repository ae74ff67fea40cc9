//! Why something did not work.

use std::io;

use crate::wire::Stage;

/// Why there is no keeper.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// This program cannot be its own keeper.
    #[error(
        "this program cannot run as its own keeper: link `orco_keeper` into the executable and call \
         `orco_keeper::hook_active()` in its `main`, or name an `orco` binary as the keeper program"
    )]
    NoHook,
    /// It could not be started.
    #[error("cannot start the keeper `{program}`")]
    Launch {
        /// What was to be run.
        program: String,
        /// Why it was not.
        #[source]
        source: std::sync::Arc<io::Error>,
    },
    /// It was started and did not answer as a keeper does.
    #[error("`{program}` does not answer as a keeper{}", remark(.said))]
    NoAnswer {
        /// What was run.
        program: String,
        /// What it wrote to its standard error.
        said: String,
    },
    /// It is a keeper of another version.
    #[error("`{program}` is a keeper of protocol {theirs}, this program needs {ours}")]
    Version {
        /// What was run.
        program: String,
        /// Its version.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// The keeper was shut down for good.
    #[error("the keeper has been shut down")]
    ShutDown,
    /// The asked-for way to kill trees does not work here.
    #[error("control groups were asked for, but do not work here")]
    Backend(#[source] std::sync::Arc<io::Error>),
}

/// Why nothing would be cleaned up after the engine's death.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CleanUpError {
    /// It is not `name=value`, or one of them is empty.
    #[error("`{0}` is no label of a single stack")]
    Label(String),
    /// It is no absolute path or no `host:port`, or too long.
    #[error("`{0}` is no place where a container engine listens")]
    Host(String),
    /// Of a detached stack containers outlive the engine.
    #[error("a detached stack outlives its engine")]
    Detached,
    /// It could not be written down.
    #[error("cannot register what is to be cleaned up")]
    Ledger(#[source] std::sync::Arc<io::Error>),
    /// There is no keeper to do it.
    #[error("there is no keeper to clean up")]
    NoKeeper(#[source] StartError),
}

fn remark(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Why a program was not started. Nothing of it runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SpawnError {
    kind: Refusal,
}

/// What kept a program from being started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The kernel refused, at this step.
    #[error("{}", describe(*.stage, *.errno))]
    System {
        /// The step.
        stage: Stage,
        /// The error's number.
        errno: i32,
    },
    /// Arguments and environment are too big for any system.
    #[error("arguments and environment are too long")]
    TooLong,
    /// The keeper died meanwhile, and what it held has been ended.
    #[error("the keeper was lost")]
    KeeperLost,
    /// There is no keeper.
    #[error("{0}")]
    NoKeeper(String),
}

impl SpawnError {
    pub(super) const fn new(kind: Refusal) -> Self {
        Self { kind }
    }

    /// What kept it from being started.
    pub const fn kind(&self) -> &Refusal {
        &self.kind
    }
}

/// The system's own words, lower-case, without the number.
fn describe(stage: Stage, errno: i32) -> String {
    let text = errno_text(errno);
    match stage {
        Stage::Prepare => format!("cannot prepare the start: {text}"),
        Stage::Cgroup => format!("cannot make a control group: {text}"),
        // clone(2): this error means a limit, and to try again is no cure.
        Stage::Fork if errno == libc::EAGAIN => "cannot make a process: the limit of processes is reached".to_owned(),
        Stage::Fork => format!("cannot make a process: {text}"),
        Stage::Setup => format!("cannot set up the process: {text}"),
        Stage::User => format!("cannot become the user: {text}"),
        Stage::Workdir => format!("cannot enter the working directory: {text}"),
        Stage::Program => format!("cannot run the program: {text}"),
    }
}

fn errno_text(errno: i32) -> String {
    nix::errno::Errno::from_raw(errno).desc().to_lowercase()
}
