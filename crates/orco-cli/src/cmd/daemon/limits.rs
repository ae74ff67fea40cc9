//! Limits of the engine's process.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// As many descriptors as the system lets us have; gives what services are to get: the limit as it was.
pub fn raise_descriptors() -> Option<(u64, u64)> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // Where it cannot be raised, large stacks find out by a start that fails and says why.
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    Some((soft, hard))
}

/// No core files: variables with secrets would lie in them. Services are children of the keeper and keep their limit;
/// the hard one stays, so that whatever we start can have it back.
pub fn no_core() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
}
