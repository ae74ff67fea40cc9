//! Asking again where an engine was lost before it answered.

use std::{
    future::Future,
    io,
    path::Path,
    time::{Duration, Instant},
};

use super::ClientError;

/// How long an engine may be away before a call gives up.
const AWAY: Duration = Duration::from_secs(5);
/// The longest a question may take. Connections wait in the listener's queue while no engine is there.
const ANSWER: Duration = Duration::from_secs(10);
/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(25);

/// Calls until something else comes than a lost connection.
pub(super) async fn again<T, F>(mut call: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let mut since: Option<Instant> = None;
    let mut lost = None;
    loop {
        let begun = Instant::now();
        match call().await {
            Err(error @ ClientError::Lost(_)) => {
                // What was lost after a long time of waiting is an outage of its own.
                let start = since.filter(|_| begun.elapsed() < AWAY).unwrap_or_else(Instant::now);
                if start.elapsed() >= AWAY {
                    return Err(error);
                }
                (since, lost) = (Some(start), Some(error));
                tokio::time::sleep(PAUSE).await;
            }
            // It was there a moment ago: lost is what it is.
            Err(error @ ClientError::NotRunning { .. }) => return Err(lost.unwrap_or(error)),
            other => return other,
        }
    }
}

/// Not for ever.
pub(super) async fn in_time<T>(
    socket: &Path,
    call: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let late = || ClientError::Unreachable {
        socket: socket.to_owned(),
        source: io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 s"),
    };
    tokio::time::timeout(ANSWER, call).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{cell::Cell, future};

    use super::*;

    fn lost() -> ClientError {
        ClientError::lost(io::Error::from(io::ErrorKind::ConnectionReset))
    }

    fn not_running() -> ClientError {
        ClientError::NotRunning { socket: "x".into() }
    }

    #[tokio::test]
    async fn only_what_was_lost_is_asked_again() {
        let times = Cell::new(0);
        let third = || {
            times.set(times.get() + 1);
            future::ready(if times.get() < 3 { Err(lost()) } else { Ok(times.get()) })
        };
        assert_eq!(again(third).await.unwrap(), 3);
        times.set(0);
        let gone = || {
            times.set(times.get() + 1);
            future::ready(Err::<(), _>(if times.get() < 2 { lost() } else { not_running() }))
        };
        assert!(matches!(again(gone).await, Err(ClientError::Lost(_))));
        assert_eq!(times.get(), 2);
        let never = || future::ready(Err::<(), _>(not_running()));
        assert!(matches!(again(never).await, Err(ClientError::NotRunning { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_given_up_in_time() {
        let answer = in_time(Path::new("x"), future::pending::<Result<(), ClientError>>()).await;
        assert!(matches!(answer, Err(ClientError::Unreachable { .. })));
    }
}
