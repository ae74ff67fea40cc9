//! `up`: runs the stack in the foreground and stays with it.

mod plugins;
mod printer;
mod pump;
mod session;

use orco_api::place::{self, Lock, LockError, Place, StateRoot};

use super::{Failure, later, stack, target};
use crate::{
    args::{StackArgs, Up},
    exit::Exit,
    signals::Signals,
};

pub use plugins::names;

pub fn up(args: Up, outer: &StackArgs) -> Result<Exit, Failure> {
    if args.detach {
        return Err(later::later("up -d", "the daemon"));
    }
    super::wait(async move {
        // Before anything else: a signal during start-up is obeyed like any other.
        let signals = Signals::catch().map_err(|e| Failure::internal("cannot catch signals", e))?;
        let file = target::file(&args.stack.clone().or(outer))?;
        let stack = stack::load(&file)?;
        let place = Place::new(&StateRoot::from_env()?, place::id_of(&file));
        place.create()?;
        let lock = take(&place).await?;
        session::Session { args, file, stack, place, lock }.run(signals).await
    })
}

/// Takes the lock. An `up` that was killed leaves it to its keeper for the moment that it needs to clean up.
async fn take(place: &Place) -> Result<Lock, Failure> {
    let patience = std::time::Duration::from_secs(3);
    let give_up = tokio::time::Instant::now() + patience;
    loop {
        match Lock::take(place) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Held { holder: Some(meta) })
                if !meta.pid.is_some_and(alive) && tokio::time::Instant::now() < give_up =>
            {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a process of this number exists.
fn alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    !matches!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None), Err(nix::errno::Errno::ESRCH))
}
