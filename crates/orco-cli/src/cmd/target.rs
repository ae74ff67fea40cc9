//! From `-f FILE` or `--stack NAME` to a place on this machine.

use std::path::PathBuf;

use orco_api::{
    client::Client,
    place::{self, Place, StateRoot},
};

use super::{Failure, daemon::holder};
use crate::{args::StackArgs, exit::Exit};

/// The stack file that is meant.
pub fn file(args: &StackArgs) -> Result<PathBuf, Failure> {
    if let Some(name) = &args.stack {
        return Ok(place::find_by_name(&StateRoot::from_env()?, name, true)?.meta.file);
    }
    let here = std::env::current_dir().map_err(|e| Failure::internal("cannot tell the current folder", e))?;
    Ok(place::find_stack_file(args.file.as_deref(), &here)?)
}

/// The place of the stack that is meant. `ended`: one that does not run any more will do too.
pub fn place(args: &StackArgs, ended: bool) -> Result<Place, Failure> {
    let root = StateRoot::from_env()?;
    if let Some(name) = &args.stack {
        return Ok(place::find_by_name(&root, name, ended)?.place);
    }
    // Only the path is needed: the file may be broken. And where there is no file, no stack of it runs.
    let file = file(args).map_err(|failure| failure.exit(Exit::NOT_RUNNING))?;
    Ok(Place::new(&root, place::id_of(&file)))
}

/// The place of the stack that is meant, if somebody runs it.
pub fn running(args: &StackArgs) -> Result<Place, Failure> {
    let place = place(args, false)?;
    if holder::may_have_left_services(&place) {
        return Err(Failure::new(Exit::NOT_RUNNING, "no such running stack: its daemon was killed")
            .next("its services may still run: `orco up -d` takes them over, `orco down` stops them"));
    }
    Ok(place)
}

/// A client of the running stack that is meant.
pub fn client(args: &StackArgs) -> Result<Client, Failure> {
    Ok(Client::new(&running(args)?)?)
}
