//! Waiting while this program runs.
//!
//! Nobody tells a program that it was stopped, suspended with its machine, or left without a processor; a timer that
//! fires much too late does. So whoever waits for an answer waits in slices: what one of them takes longer than it
//! should is time in which nobody could have heard the answer, and does not count.

use std::{pin::pin, time::Duration};

use tokio::time::timeout;

use crate::engine::clock::Clock;

/// Slices of a limit. A pause that is over before its slice is costs the question no more than that.
const SLICES: u32 = 10;
/// Timers are that exact.
const EXACT: Duration = Duration::from_millis(3);

/// What came of a question.
pub(super) struct Heard<T> {
    /// `None`: nothing in time.
    pub(super) answer: Option<T>,
    /// So long nobody could have heard it.
    pub(super) held_up: Duration,
}

/// Waits for an answer for `limit + grace` of the time in which this program runs. Cancel-safe if `question` is.
pub(super) async fn awake<T>(
    clock: Clock,
    limit: Duration,
    grace: Duration,
    question: impl Future<Output = T>,
) -> Heard<T> {
    let mut question = pin!(question);
    let slice = (limit / SLICES).max(Duration::from_millis(1));
    let (begun, mut held_up) = (clock.now(), Duration::ZERO);
    loop {
        let before = clock.now();
        let step = (limit + grace).saturating_sub(before.since(begun).saturating_sub(held_up)).min(slice);
        if step.is_zero() {
            return Heard { answer: None, held_up };
        }
        // Cancel-safe: the question is only polled on.
        let answer = timeout(step, &mut question).await.ok();
        let late = clock.now().since(before).saturating_sub(step);
        if late > EXACT {
            held_up += late;
        }
        if answer.is_some() {
            return Heard { answer, held_up };
        }
    }
}
