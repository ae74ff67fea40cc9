//! Services of a daemon that was killed together with its keeper: they run on, and nobody looks after them.

use orco_api::{
    client::{Client, ClientError},
    place::{Lock, Meta, Place},
    wire::Down,
};
use orco_core::engine::{Durable, DurableError};

use super::{holder, launch::Launch};
use crate::{cmd::Failure, exit::Exit, terminal};

/// Whether services may still run although nobody runs the stack. The lock proves that the journal is nobody's.
///
/// # Errors
/// A journal that cannot be read, with what to do.
pub fn is_there(place: &Place, _lock: &Lock) -> Result<bool, Failure> {
    // A stack that was never under the daemon has none, and gets none by being looked at.
    if !Meta::read(place).ok().flatten().is_some_and(|meta| meta.mode == orco_api::wire::Mode::Detached) {
        return Ok(false);
    }
    Ok(Durable::open(place.dir()).map_err(damaged)?.live() > 0)
}

/// A journal that cannot be read says what to do.
pub fn damaged(error: DurableError) -> Failure {
    let remedy = match &error {
        DurableError::Journal(error) => Some(error.remedy()),
        _ => None,
    };
    let failure = Failure::new(Exit::INTERNAL, error);
    match remedy {
        Some(remedy) => failure.next(remedy),
        None => failure,
    }
}

/// Takes the services over by a daemon that does nothing else. Its stack is the one that was remembered: the file may
/// be broken or gone.
pub async fn take_over(place: &Place, lock: Lock) -> Result<(), Failure> {
    let meta = Meta::read(place)?;
    let (stack, file) = meta.map(|meta| (meta.stack, meta.file)).unwrap_or_default();
    Launch::prepare(place.clone(), lock, &stack, &file, None)?.detach().await.map(drop)
}

/// Before a new life of the stack in the foreground: what a killed daemon left is stopped in order. Gives the lock
/// back when that is done.
pub async fn stop_first(place: &Place, mut lock: Lock) -> Result<Lock, Failure> {
    // Again where that daemon was killed over it.
    while is_there(place, &lock)? {
        terminal::note("services of a killed daemon may still run: stopping them first\n");
        take_over(place, lock).await?;
        let life = holder::Life::of(place);
        match Client::new(place)?.down(&Down { wait: true, timeout: None }).await {
            // It was on its way down already when it was killed, and is gone by now.
            Ok(_) | Err(ClientError::Lost(_) | ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        holder::free(place, life).await?;
        lock = holder::take(place).await?;
    }
    Ok(lock)
}
