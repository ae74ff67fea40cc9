//! What the engine asks of the keeper.

use orco_core::model::InstanceId;

use super::codec::{Malformed, Wire, wire_enum, wire_struct};

/// How the keeper kills trees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Backend {
    /// `Cgroup` where it works, else `Sweep`.
    #[default]
    Auto,
    /// By descent: stop all, kill all, until none is left.
    Sweep,
    /// By `cgroup.kill`, then as `Sweep` for what moved out of its group.
    Cgroup,
}

impl Backend {
    /// The name in arguments and in status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Sweep => "sweep",
            Self::Cgroup => "cgroup",
        }
    }

    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        [Self::Auto, Self::Sweep, Self::Cgroup].into_iter().find(|backend| backend.as_str().as_bytes() == name)
    }
}

impl Wire for Backend {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Auto => 0,
            Self::Sweep => 1,
            Self::Cgroup => 2,
        });
    }

    fn take(input: &mut &[u8]) -> Result<Self, Malformed> {
        match u8::take(input)? {
            0 => Ok(Self::Auto),
            1 => Ok(Self::Sweep),
            2 => Ok(Self::Cgroup),
            _ => Err(Malformed),
        }
    }
}

/// As whom a process runs. The keeper looks up no names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// A variable that is set, or, with `None`, removed.
pub type Change = (Box<[u8]>, Option<Box<[u8]>>);

/// A program to run, everything resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Launch {
    /// Whose stamp it carries; unique among everything that runs.
    pub id: InstanceId,
    /// The program's absolute path.
    pub program: Box<[u8]>,
    /// Its arguments, the name first.
    pub argv: Vec<Box<[u8]>>,
    /// Whether it gets the base environment of [`Config::env`](crate::Config::env).
    pub inherit: bool,
    /// What is different from it.
    pub env: Vec<Change>,
    /// The working directory, absolute.
    pub workdir: Box<[u8]>,
    /// As whom, if not as the engine's own user.
    pub credentials: Option<Credentials>,
}

/// An instance of a service to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spawn {
    /// The program.
    pub launch: Launch,
    /// What asks it to end when the engine is gone.
    pub stop_signal: i32,
    /// The directory of its log, absolute.
    pub log_dir: Box<[u8]>,
    /// The name of its segments there, up to `.N.log`.
    pub log_stem: Box<[u8]>,
}

/// A command to run beside an instance, its output captured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Exec {
    pub(crate) launch: Launch,
    pub(crate) timeout_ms: u64,
    /// What it reads; empty: nothing.
    pub(crate) stdin: Box<[u8]>,
}

/// A process of an earlier keeper to take over, with its output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Adopt {
    pub(crate) id: InstanceId,
    /// Which process it is; empty: whoever carries the stamp.
    pub(crate) token: Box<[u8]>,
    pub(crate) stop_signal: i32,
    pub(crate) log_dir: Box<[u8]>,
    pub(crate) log_stem: Box<[u8]>,
}

/// The first frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hello {
    pub(crate) version: u8,
    /// A segment is closed when it has this many bytes.
    pub(crate) segment_bytes: u64,
    /// Closed segments the engine has not acknowledged may amount to this before who writes them has to wait.
    pub(crate) unacknowledged_bytes: u64,
    /// The descriptor limit, soft and hard, that spawned processes get.
    pub(crate) nofile: (u64, u64),
    /// The base environment, `NAME=VALUE`.
    pub(crate) env: Vec<Box<[u8]>>,
}

/// What the engine asks of the keeper. Orders are carried out in turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Hello {
        hello: Hello,
    },
    /// Answered by `Spawned` or `NotSpawned`, later by `Exited`.
    Spawn {
        spawn: Spawn,
    },
    /// Answered by `ExecDone` or `NotSpawned`.
    Exec {
        exec: Exec,
    },
    /// To the process group; answered by `Done`.
    Stop {
        request: u64,
        id: InstanceId,
        signal: i32,
    },
    /// Ends the whole tree; answered by `Done`.
    Kill {
        request: u64,
        id: InstanceId,
    },
    /// To the main process alone; answered by `Done`.
    Signal {
        request: u64,
        id: InstanceId,
        signal: i32,
    },
    /// Asks once for `Grew` when more than `beyond` bytes have been written.
    Arm {
        id: InstanceId,
        beyond: u64,
    },
    /// The instance's segments are closed at this size from now on; and the one of this number now, if it is being
    /// written.
    Segments {
        id: InstanceId,
        bytes: u64,
        turn: Option<u32>,
    },
    /// The engine is done with the closed segments.
    Acknowledge {},
    /// Ends everything, then itself.
    Shutdown {},
    /// Answered by `Adopted` or `Gone`, later by `Exited`.
    Adopt {
        adopt: Adopt,
    },
    /// The engine has recorded the instance's end: the keeper may forget it.
    Recorded {
        id: InstanceId,
    },
    /// The engine has recovered and answers.
    Serving {},
    /// This engine is about to end: this program is to be started in its place.
    Succeed {
        program: Box<[u8]>,
    },
}

wire_struct!(Credentials { uid, gid, groups });
wire_struct!(Launch { id, program, argv, inherit, env, workdir, credentials });
wire_struct!(Spawn { launch, stop_signal, log_dir, log_stem });
wire_struct!(Exec { launch, timeout_ms, stdin });
wire_struct!(Adopt { id, token, stop_signal, log_dir, log_stem });
wire_struct!(Hello { version, segment_bytes, unacknowledged_bytes, nofile, env });
wire_enum!(Order {
    0 => Hello { hello },
    1 => Spawn { spawn },
    2 => Exec { exec },
    3 => Stop { request, id, signal },
    4 => Kill { request, id },
    5 => Signal { request, id, signal },
    6 => Arm { id, beyond },
    7 => Acknowledge {},
    8 => Shutdown {},
    9 => Adopt { adopt },
    10 => Recorded { id },
    11 => Serving {},
    12 => Succeed { program },
    13 => Segments { id, bytes, turn },
});
