//! Where a daemon's keeper holds the stack and no engine answers: why not?

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use super::ClientError;
use crate::{
    place::{Lock, Meta, Place},
    wire::Mode,
};

/// So much of the daemon's log is looked at.
const TAIL: u64 = 16 << 10;

/// Says so, where a call got no answer because there is no engine.
pub(super) fn explained(error: ClientError, place: &Place) -> ClientError {
    match error {
        ClientError::Lost(_) | ClientError::Unreachable { .. } => without_engine(place).unwrap_or(error),
        other => other,
    }
}

fn without_engine(place: &Place) -> Option<ClientError> {
    let meta = Meta::read(place).ok().flatten().filter(|meta| meta.mode == Mode::Detached)?;
    // Without its keeper somebody else holds it, who takes over what a killed daemon left.
    let kept = meta.keeper_pid.is_some_and(is_alive);
    if !Lock::is_held(place) || !kept || meta.pid.is_some_and(is_alive) {
        return None;
    }
    let log = place.daemon_log();
    let why = last_error(&log).unwrap_or_else(|| "it does not come up".to_owned());
    Some(ClientError::NoEngine { why, log, keeper_pid: meta.keeper_pid })
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // proc_pid_stat(5): the state stands behind the name in parentheses, which may hold anything.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

/// What an engine said last before it ended with an error.
fn last_error(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().rev().find_map(|line| line.strip_prefix("error: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io;

    use orco_core::model::StackId;

    use super::*;
    use crate::{place::StateRoot, wire::Timestamp};

    #[test]
    fn only_a_held_stack_of_a_dead_engine_has_none() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(temp.path()), StackId::from_bits(7));
        place.create().unwrap();
        let lost = || ClientError::lost(io::Error::from(io::ErrorKind::ConnectionReset));
        let of = |pid: u32, keeper: u32| Meta {
            stack: "demo".into(),
            id: place.id().to_string(),
            dir: "/srv".into(),
            file: "/srv/stack.yaml".into(),
            pid: Some(pid),
            keeper_pid: Some(keeper),
            mode: Mode::Detached,
            since: Timestamp::from_unix_micros(0),
        };
        assert!(matches!(explained(lost(), &place), ClientError::Lost(_)), "no meta.json");
        // Beyond the highest pid that Linux gives.
        let (nobody, somebody) = (5_000_000, std::process::id());
        of(nobody, somebody).write(&place).unwrap();
        assert!(matches!(explained(lost(), &place), ClientError::Lost(_)), "nobody holds it");
        let lock = Lock::take(&place).unwrap();
        fs::write(place.daemon_log(), "error: old\nnext: x\nerror: the disk is gone\nnext: get it back\n").unwrap();
        let error = explained(lost(), &place);
        assert_eq!(error.to_string(), "the stack's daemon has no engine: the disk is gone");
        of(somebody, somebody).write(&place).unwrap();
        assert!(matches!(explained(lost(), &place), ClientError::Lost(_)), "it lives");
        of(nobody, nobody).write(&place).unwrap();
        assert!(matches!(explained(lost(), &place), ClientError::Lost(_)), "both were killed, and somebody takes over");
        drop(lock);
    }
}
