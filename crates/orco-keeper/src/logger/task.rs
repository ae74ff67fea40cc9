//! What the main thread and the logger say to each other.

use std::os::fd::OwnedFd;

use orco_core::model::InstanceId;

/// What the logger is to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Take over the read ends of an instance's standard output and error.
    Open { id: InstanceId, pipes: [OwnedFd; 2], dir: Box<[u8]>, stem: Box<[u8]> },
    /// Take over the output of an instance of another keeper, as far as its pipes are known, and its segments.
    Resume { id: InstanceId, pipes: [Option<OwnedFd>; 2], dir: Box<[u8]>, stem: Box<[u8]> },
    /// Nobody writes any more: move what is left, close, and say so.
    Finish { id: InstanceId },
    /// Say once when more than `beyond` bytes have been written.
    Arm { id: InstanceId, beyond: u64 },
    /// The instance's segments are closed at this size; and the one of this number now, if it is being written.
    Segments { id: InstanceId, bytes: u64, turn: Option<u32> },
    /// The engine is done with the closed segments.
    Acknowledge,
    /// Other sizes from now on.
    Limits(Limits),
    /// Finish all and end.
    Close,
}

/// What the logger has to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogReport {
    Finished { id: InstanceId, total: u64 },
    Grew { id: InstanceId, total: u64 },
    Rotated { id: InstanceId, segment: u32 },
}

/// Sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A segment is closed when it has this many bytes.
    pub(crate) segment: u64,
    /// Closed, unacknowledged bytes of the whole stack, before who closes another segment has to wait.
    pub(crate) unacknowledged: u64,
}

impl Limits {
    /// A segment has at least a byte.
    pub(crate) fn new(segment: u64, unacknowledged: u64) -> Self {
        Self { segment: segment.max(1), unacknowledged }
    }
}
