//! Who holds the lock of a stack.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use orco_api::{
    place::{Lock, LockError, Meta, Place},
    wire::{Mode, Timestamp},
};

use crate::{cmd::Failure, exit::Exit};

/// How long a holder that nobody can name may hold it: an `up` that was killed leaves the lock to its keeper for the
/// moment that it needs to clean up (some seconds where there are many containers), and a new holder has not written
/// down who it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a stack that is down may take to give its lock back: it waits twice ten seconds for a container engine that
/// is away.
const FAREWELL: Duration = Duration::from_secs(40);

/// Takes the lock.
///
/// # Errors
/// [`LockError::Held`] with a holder that lives; without one only after some seconds.
pub async fn take(place: &Place) -> Result<Lock, LockError> {
    take_with(place, PATIENCE, || tokio::time::sleep(Duration::from_millis(10))).await
}

async fn take_with<F: Future<Output = ()>>(
    place: &Place,
    patience: Duration,
    pause: impl Fn() -> F,
) -> Result<Lock, LockError> {
    let give_up = Instant::now() + patience;
    loop {
        match Lock::take(place) {
            // Somebody who only looks holds it for a moment too; the holder's name is then an old one.
            Err(LockError::Held { holder }) if !holder.as_deref().is_some_and(holds) && Instant::now() < give_up => {
                pause().await;
            }
            taken => return taken,
        }
    }
}

/// Who runs the stack, and goes on being the same where an engine or a keeper is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life(Option<Timestamp>);

impl Life {
    /// That of whoever holds the stack now.
    pub fn of(place: &Place) -> Self {
        Self(Meta::read(place).ok().flatten().map(|meta| meta.since))
    }
}

/// Waits until this life does not hold the lock any more. Nobody needs to see it free: who waits to start the stack again
/// takes it at once.
///
/// # Errors
/// When that takes too long.
pub async fn free(place: &Place, life: Life) -> Result<(), Failure> {
    let free = async {
        while Lock::is_held(place) && Life::of(place) == life {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(FAREWELL, free).await {
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::new(Exit::FAILED, "everything is down, but the `orco` of the stack has not ended")),
    }
}

/// Whether one who can hold it for long lives: the process that runs the stack, or a keeper that starts another.
fn holds(meta: &Meta) -> bool {
    let keeper = meta.keeper_pid.filter(|_| meta.mode == Mode::Detached);
    [meta.pid, keeper].into_iter().flatten().any(alive)
}

/// Whether a process of this number exists.
pub fn alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// Whether a daemon ended here without saying good-bye, so that services may still run: the lock is free, and who ran
/// the stack is still written down.
pub fn may_have_left_services(place: &Place) -> bool {
    let detached = |meta: &Meta| meta.mode == Mode::Detached && meta.pid.is_some();
    Meta::read(place).ok().flatten().as_ref().is_some_and(detached) && !Lock::is_held(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use orco_api::place::StateRoot;
    use orco_core::model::StackId;

    use super::*;

    fn meta(place: &Place, mode: Mode, pid: Option<u32>, keeper_pid: Option<u32>) -> Meta {
        Meta {
            stack: "demo".into(),
            id: place.id().to_string(),
            dir: "/srv".into(),
            file: "/srv/stack.yaml".into(),
            pid,
            keeper_pid,
            mode,
            since: Timestamp::from_unix_micros(0),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_it_at_once_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
        place.create().unwrap();
        let ended = meta(&place, Mode::Detached, None, None);
        ended.write(&place).unwrap();
        let life = Life::of(&place);
        assert!(free(&place, life).await.is_ok(), "nobody holds it");
        let held = Lock::take(&place).unwrap();
        assert!(free(&place, life).await.is_err(), "it goes on");
        // Engines and keepers come and go in one life.
        Meta { pid: Some(1), keeper_pid: Some(2), ..ended.clone() }.write(&place).unwrap();
        assert!(free(&place, life).await.is_err());
        Meta { since: Timestamp::from_unix_micros(1), ..ended }.write(&place).unwrap();
        assert!(free(&place, life).await.is_ok());
        drop(held);
    }

    #[tokio::test]
    async fn waits_for_who_is_about_to_go_or_to_say_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
        place.create().unwrap();
        let me = Some(std::process::id());
        // No process has the largest number.
        let nobody = Some(i32::MAX.cast_unsigned());
        let held = Lock::take(&place).unwrap();
        for (mode, pid, keeper, waits) in [
            (Mode::Foreground, me, None, false),
            (Mode::Foreground, nobody, me, true),
            (Mode::Foreground, None, None, true),
            (Mode::Detached, me, nobody, false),
            (Mode::Detached, nobody, me, false),
            (Mode::Detached, nobody, nobody, true),
        ] {
            meta(&place, mode, pid, keeper).write(&place).unwrap();
            let waited = std::cell::Cell::new(false);
            let pause = || {
                waited.set(true);
                tokio::time::sleep(Duration::from_millis(1))
            };
            let taken = take_with(&place, Duration::from_millis(10), pause).await;
            assert!(matches!(taken, Err(LockError::Held { holder: Some(_) })), "{mode:?} {pid:?} {keeper:?}");
            assert_eq!(waited.get(), waits, "{mode:?} {pid:?} {keeper:?}");
        }
        assert!(!may_have_left_services(&place));
        drop(held);
        assert!(may_have_left_services(&place));
        meta(&place, Mode::Detached, None, None).write(&place).unwrap();
        assert!(!may_have_left_services(&place));
        take(&place).await.unwrap();
    }
}
