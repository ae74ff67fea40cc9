//! What the keeper tells the engine.

use orco_core::model::InstanceId;

use super::{
    codec::{Malformed, Wire, wire_enum},
    order::Backend,
};

/// How a main process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Code {
        code: i32,
    },
    Signal {
        signal: i32,
    },
    /// An adopted process has ended, and this kernel does not say how.
    Unknown {},
}

/// At which step a start failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stage {
    /// Making the pipes or preparing the arguments.
    Prepare = 0,
    /// Making the control group.
    Cgroup = 1,
    /// Making the process.
    Fork = 2,
    /// Giving it its descriptors, session and limits.
    Setup = 3,
    /// Becoming the user.
    User = 4,
    /// Entering the working directory.
    Workdir = 5,
    /// Executing the program.
    Program = 6,
}

impl Stage {
    const ALL: [Self; 7] =
        [Self::Prepare, Self::Cgroup, Self::Fork, Self::Setup, Self::User, Self::Workdir, Self::Program];

    pub(crate) fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage as u8 == number)
    }
}

impl Wire for Stage {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn take(input: &mut &[u8]) -> Result<Self, Malformed> {
        Self::from_u8(u8::take(input)?).ok_or(Malformed)
    }
}

/// What the keeper tells the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// The first frame. `refused`: why the asked-for backend does not work (an errno); nothing follows then.
    Ready { version: u8, pid: u32, backend: Backend, refused: Option<i32> },
    /// The program has been executed.
    Spawned { id: InstanceId, pid: u32 },
    /// Nothing runs.
    NotSpawned { id: InstanceId, stage: Stage, errno: i32 },
    /// A signal was delivered (0) or not (an errno).
    Done { request: u64, errno: i32 },
    /// The instance is over, its output of that many bytes is in the log.
    Exited { id: InstanceId, ending: Ending, bytes: u64 },
    /// A command is over; `None`: it ran into its timeout.
    /// `omitted`: so many bytes of its output came before.
    ExecDone { id: InstanceId, ending: Option<Ending>, output: Box<[u8]>, omitted: u64 },
    /// So many bytes have been written.
    Grew { id: InstanceId, total: u64 },
    /// This segment is closed.
    Rotated { id: InstanceId, segment: u32 },
    /// The keeper has this instance already: told to each engine that attaches, after `Ready`. `ending` and the final
    /// number of bytes once it is over.
    Held { id: InstanceId, pid: u32, ending: Option<Ending>, bytes: u64, log_dir: Box<[u8]>, log_stem: Box<[u8]> },
    /// All `Held` have been said.
    HeldAll {},
    /// The process to adopt runs, and is the keeper's now.
    Adopted { id: InstanceId, pid: u32 },
    /// The process to adopt does not run, or is another by now.
    Gone { id: InstanceId },
    /// This signal came to the keeper; it is meant for the engine.
    Asked { signal: i32 },
    /// What another keeper needs to adopt this instance; told before `Spawned`, `Adopted` and `Held`.
    Token { id: InstanceId, token: Box<[u8]>, stop_signal: i32 },
}

wire_enum!(Ending {
    0 => Code { code },
    1 => Signal { signal },
    2 => Unknown {},
});
wire_enum!(Report {
    0 => Ready { version, pid, backend, refused },
    1 => Spawned { id, pid },
    2 => NotSpawned { id, stage, errno },
    3 => Done { request, errno },
    4 => Exited { id, ending, bytes },
    5 => ExecDone { id, ending, output, omitted },
    6 => Grew { id, total },
    7 => Rotated { id, segment },
    8 => Held { id, pid, ending, bytes, log_dir, log_stem },
    9 => HeldAll {},
    10 => Adopted { id, pid },
    11 => Gone { id },
    12 => Asked { signal },
    13 => Token { id, token, stop_signal },
});
