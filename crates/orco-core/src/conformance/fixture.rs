//! What the kit must be told about a runtime.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{model::InstanceId, runtime::Runtime, spec::ServiceBuilder};

/// The variable that the kit sets for every instance and command, to the instance's id: by it a
/// fixture can find what is left of one.
pub const MARK: &str = "ORCO_CONFORMANCE";

/// What a service of the kit does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Behaviour {
    /// Ends by itself with this code.
    Exits(i32),
    /// This signal kills it, by its own doing.
    DiesOf(i32),
    /// Prints the line `ready` and runs until the stop signal (TERM) ends it.
    Runs,
    /// Prints the line `ready` once the stop signal does not end it, and runs.
    IgnoresStop,
    /// Prints the numbers from 0 to below this one, a line each, on stdout and then on stderr, at last
    /// `end` without an end of line on stdout, and exits with 0.
    Prints(u32),
    /// Starts children in sessions of their own that ignore the stop signal, prints the line `ready`, and runs until the
    /// stop signal ends it.
    Spawns,
    /// The same children, but then it exits with 0 by itself.
    LeavesChildren,
    /// Cannot be started at all.
    FailsToStart,
}

/// Children that ignore TERM, one of them in a session of its own.
const CHILDREN: &str = "(trap '' TERM; setsid sleep 1000 & sleep 1000 &)";

impl Behaviour {
    /// The behaviour as a script for `/bin/sh -c`, for runtimes whose instances have a POSIX shell and `setsid`.
    /// `None` where no script behaves so: what starts a shell has started.
    pub fn script(self) -> Option<String> {
        Some(match self {
            Self::Exits(code) => format!("exit {code}"),
            Self::DiesOf(signal) => format!("kill -{signal} $$"),
            Self::Runs => "echo ready; exec sleep 1000".to_owned(),
            Self::IgnoresStop => "trap '' TERM; echo ready; while :; do sleep 1000; done".to_owned(),
            Self::Prints(lines) => {
                let numbers = format!("i=0; while [ $i -lt {lines} ]; do echo $i; i=$((i+1)); done");
                format!("{numbers}; {{ {numbers}; }} >&2; printf end")
            }
            Self::Spawns => format!("{CHILDREN}; echo ready; exec sleep 1000"),
            Self::LeavesChildren => CHILDREN.to_owned(),
            Self::FailsToStart => return None,
        })
    }
}

/// What a command of the kit does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Exec {
    /// Prints `hello` and exits with this code.
    Exits(i32),
    /// Starts a child, and both run for ever.
    Hangs,
    /// Cannot be started.
    Fails,
}

/// What the kit must be told about a runtime.
pub trait Fixture: Send + Sync {
    /// The runtime.
    fn runtime(&self) -> Arc<dyn Runtime>;

    /// Another client of the same runtime, as the next engine would make it: it knows only what `list` is told and
    /// what the world says. `None` if a second one cannot find anything.
    fn again(&self) -> Option<Arc<dyn Runtime>> {
        None
    }

    /// A service of this behaviour; `None` if the runtime cannot have one.
    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder>;

    /// A directory for logs.
    fn scratch(&self) -> PathBuf;

    /// A command for [`Runtime::exec`].
    fn command(&self, exec: Exec) -> Option<Vec<String>> {
        let _ = exec;
        None
    }

    /// How many processes (or whatever there is) carry [`MARK`] with this id; `None` if nobody can tell.
    fn alive(&self, instance: InstanceId) -> Option<usize> {
        let _ = instance;
        None
    }

    /// No call may take longer.
    fn bound(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// How many instances to start at once.
    fn many(&self) -> usize {
        50
    }
}
