//! What lies on the socket before an engine of a detached keeper begins to speak.

use super::{
    VERSION,
    codec::{Malformed, Wire, wire_struct},
};

/// What the keeper knows from its own birth and its engines must know for services and for another keeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Welcome {
    pub(crate) version: u8,
    pub(crate) keeper_pid: u32,
    /// The descriptor limit before the keeper raised it.
    pub(crate) nofile: (u64, u64),
    /// The file mode mask of services.
    pub(crate) umask: u32,
    /// What services' `oom_score_adj` is, if the keeper's own is another.
    pub(crate) oom: Option<i32>,
}

impl Welcome {
    /// The longest frame of any version.
    pub(crate) const LONGEST: usize = 64 << 10;

    /// Of the body of a frame; of another version only that number is known.
    pub(crate) fn of(body: &[u8]) -> Result<Self, Malformed> {
        let mut input = body;
        match body.first() {
            Some(&VERSION) => Self::take(&mut input),
            Some(&version) => Ok(Self { version, keeper_pid: 0, nofile: (0, 0), umask: 0o022, oom: None }),
            None => Err(Malformed),
        }
    }
}

wire_struct!(Welcome { version, keeper_pid, nofile, umask, oom });
