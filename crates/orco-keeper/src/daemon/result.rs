//! How the start of a detached keeper went.

use std::{
    io::{ErrorKind, Read},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// The first byte of the keeper's word: an engine serves. The keeper's pid follows.
pub(crate) const SERVING: u8 = 0;
/// The first byte of the keeper's word: nothing runs. The status, a line break and a text follow.
pub(crate) const FAILED: u8 = 1;

/// A keeper that was started, and has not said yet how it went.
#[derive(Debug)]
pub struct Started {
    socket: UnixStream,
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The engine serves.
    Serving {
        /// The keeper's pid.
        keeper_pid: u32,
    },
    /// The engine ended before it served, and the keeper with it.
    Failed {
        /// The engine's exit status; 128 and the number for a signal.
        status: i32,
        /// What happened, in lower case.
        text: String,
    },
    /// The keeper was killed before it could say. An engine that had begun by then has started another keeper.
    Lost,
    /// Nothing was said in time. The keeper goes on.
    Silent,
}

impl Started {
    pub(super) const fn new(socket: UnixStream) -> Self {
        Self { socket }
    }

    /// Waits for the keeper's word, blocking, at most this long.
    pub fn result(self, patience: Duration) -> Outcome {
        let until = Instant::now() + patience;
        let mut word = Vec::new();
        let mut piece = [0; 1024];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.socket.set_read_timeout(Some(left)).is_err() {
                return Outcome::Silent;
            }
            match (&self.socket).read(&mut piece) {
                Ok(0) => return parse(&word),
                Ok(count) => word.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Outcome::Silent,
                Err(_) => return parse(&word),
            }
        }
    }
}

fn parse(word: &[u8]) -> Outcome {
    let Some((first, rest)) = word.split_first() else { return Outcome::Lost };
    let rest = String::from_utf8_lossy(rest);
    match *first {
        SERVING => rest.parse().map_or(Outcome::Lost, |keeper_pid| Outcome::Serving { keeper_pid }),
        FAILED => match rest.split_once('\n') {
            Some((status, text)) => Outcome::Failed { status: status.parse().unwrap_or(1), text: text.to_owned() },
            None => Outcome::Lost,
        },
        _ => Outcome::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_word_counts() {
        assert_eq!(parse(b"\x0012"), Outcome::Serving { keeper_pid: 12 });
        assert_eq!(parse(b"\x013\nexit code 3"), Outcome::Failed { status: 3, text: "exit code 3".to_owned() });
        for word in [&b""[..], b"\x00", b"\x00x", b"\x013", b"\x02"] {
            assert_eq!(parse(word), Outcome::Lost, "{word:?}");
        }
    }
}
