//! Exit codes: documented constants.

use std::process::ExitCode;

use orco_core::model::Exit as Ended;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit(u8);

impl Exit {
    /// Done.
    pub const DONE: Self = Self(0);
    /// A service failed or did not become ready.
    pub const FAILED: Self = Self(1);
    /// Usage, or an invalid stack file.
    pub const USAGE: Self = Self(2);
    /// No such running stack, or it cannot be reached.
    pub const NOT_RUNNING: Self = Self(3);
    /// The stack already runs.
    pub const ALREADY_RUNS: Self = Self(4);
    /// An internal error.
    pub const INTERNAL: Self = Self(5);
    /// Interrupted.
    pub const INTERRUPTED: Self = Self(130);

    /// What a shell says of a command that was run by hand and ended like this.
    pub const fn of_command(ended: Ended) -> Self {
        match ended {
            // The system knows no other codes.
            Ended::Code(code) => Self((code & 0xff) as u8),
            Ended::Signal(number) => Self((128 + (number & 0x7f)) as u8),
            Ended::Oom => Self(128 + 9),
            _ => Self::FAILED,
        }
    }

    /// One that a shell gives for a command that could not be run: 126 or 127.
    pub const fn not_run(code: u8) -> Self {
        Self(code)
    }

    /// Whether all is well.
    pub const fn is_done(self) -> bool {
        self.0 == 0
    }

    /// What an engine's exit status means to whoever has started it.
    pub const fn of_engine(status: i32) -> Self {
        match status {
            1 => Self::FAILED,
            2 => Self::USAGE,
            3 => Self::NOT_RUNNING,
            4 => Self::ALREADY_RUNS,
            _ => Self::INTERNAL,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// The table at the end of the help.
pub const HELP: &str = "Exit codes:
  0    done
  1    a service failed or did not become ready
  2    usage, or an invalid stack file
  3    no such running stack, or it cannot be reached
  4    the stack already runs
  5    an internal error
  130  interrupted
`orco exec` ends as its command does; 126, 127: it cannot be run; 128 + N: killed by signal N";
