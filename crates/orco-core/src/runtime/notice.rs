//! What a runtime tells of itself.

use std::time::Duration;

/// What an instance uses.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Usage {
    /// CPU time used since its start.
    pub cpu: Duration,
    /// Resident bytes.
    pub memory: u64,
}

impl Usage {
    /// A reading.
    pub const fn new(cpu: Duration, memory: u64) -> Self {
        Self { cpu, memory }
    }
}

/// Something the runtime wants everybody to know.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The keeper died; what it held has ended, or another one has taken it over, as the words say. What has ended is
    /// told by [`Runtime::wait`](super::Runtime::wait).
    KeeperLost(String),
    /// A log segment is full: the engine counts its lines, deletes the oldest ones over the limit, and
    /// then calls [`Runtime::tidied`](super::Runtime::tidied).
    SegmentFull,
    /// Something that takes long goes on: a pull.
    Progress(Progress),
}

/// How far something is that instances wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// What: an image's reference.
    pub subject: String,
    /// How far.
    pub stage: Stage,
}

impl Progress {
    /// A report.
    pub fn new(subject: impl Into<String>, stage: Stage) -> Self {
        Self { subject: subject.into(), stage }
    }
}

/// How far something is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// So many bytes of so many, as far as the total is known.
    Running {
        /// Bytes that are there.
        done: u64,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// It failed, and is tried again after a pause.
    Waiting {
        /// Why.
        why: String,
    },
    /// It is there.
    Done,
    /// It failed for good.
    Failed {
        /// Why.
        why: String,
    },
}
