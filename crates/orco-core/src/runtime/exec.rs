//! Commands beside or inside an instance.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use super::StartRequest;
use crate::model::{Exit, InstanceId};

/// A command to run beside a process or inside a container.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecRequest {
    /// The instance it concerns.
    pub instance: InstanceId,
    /// The arguments.
    pub argv: Vec<String>,
    /// Variables, as in [`StartRequest`].
    pub env: BTreeMap<String, Option<String>>,
    /// The working directory.
    pub workdir: PathBuf,
    /// As whom.
    pub user: Option<String>,
    /// Whether the engine's own variables are passed on.
    pub inherit_env: bool,
    /// After this long its whole tree is killed.
    pub timeout: Duration,
    /// What it reads as standard input; empty: nothing.
    pub stdin: Vec<u8>,
    /// The instance is not there: this is before its start or after its end (the hooks preStart and postStop). A
    /// runtime whose commands run inside the instance makes another place like it.
    pub beside: bool,
    /// What the instance was or will be started with.
    pub start: Arc<StartRequest>,
}

impl ExecRequest {
    /// A command with the instance's own variables and directory.
    pub fn new(start: &Arc<StartRequest>, argv: Vec<String>, timeout: Duration) -> Self {
        Self {
            instance: start.instance,
            argv,
            env: start.env.clone(),
            workdir: start.workdir.clone(),
            user: start.service.user.clone(),
            inherit_env: start.service.inherit_env,
            timeout,
            stdin: Vec::new(),
            beside: false,
            start: Arc::clone(start),
        }
    }
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExecResult {
    /// How it ended, or `None` if the timeout killed it.
    pub exit: Option<Exit>,
    /// Standard output and error together, the last 64 KiB.
    pub output: Vec<u8>,
    /// So many bytes came before that and were not kept.
    pub omitted: u64,
}

impl ExecResult {
    /// A result with the whole output.
    pub const fn new(exit: Option<Exit>, output: Vec<u8>) -> Self {
        Self { exit, output, omitted: 0 }
    }

    /// So many bytes of the output came before and were not kept.
    #[must_use]
    pub const fn with_omitted(mut self, bytes: u64) -> Self {
        self.omitted = bytes;
        self
    }
}
