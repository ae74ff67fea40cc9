//! `up`: runs the stack in the foreground and stays with it, or (`-d`) under a daemon.

mod detached;
mod face;
mod printer;
mod pump;
#[cfg(feature = "tui")]
mod screen;
mod session;

use orco_api::place::{self, Place, StateRoot};

use super::{
    Failure,
    daemon::{holder, leftover},
    stack, target,
};
use crate::{
    args::{StackArgs, Up},
    exit::Exit,
    signals::Signals,
};

pub fn up(args: Up, outer: &StackArgs) -> Result<Exit, Failure> {
    if args.detach {
        return super::wait(detached::up(args, outer));
    }
    super::wait(async move {
        // Before anything else: a signal during start-up is obeyed like any other.
        let signals = Signals::catch().map_err(|e| Failure::internal("cannot catch signals", e))?;
        let file = target::file(&args.stack.clone().or(outer))?;
        let logging = args.logging.clone().settle().map_err(|invalid| Failure::new(Exit::USAGE, invalid))?;
        let stack = stack::load(&file)?;
        let place = Place::new(&StateRoot::from_env()?, place::id_of(&file));
        place.create()?;
        let lock = leftover::stop_first(&place, holder::take(&place).await?).await?;
        #[cfg(feature = "tui")]
        let screen = screen::wanted(&args);
        #[cfg(not(feature = "tui"))]
        let screen = false;
        session::Session { args, file, stack, logging, place, lock, screen }.run(signals).await
    })
}
