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
    Ok(place::find_stack_file(args.file.as_deref(), &here(args)?)?)
}

/// Where relative paths and the search upwards begin. Whoever names a whole path may stand in a folder that is gone.
fn here(args: &StackArgs) -> Result<PathBuf, Failure> {
    match std::env::current_dir() {
        Err(_) if args.file.as_ref().is_some_and(|file| file.is_absolute()) => Ok(PathBuf::from("/")),
        other => other.map_err(|e| {
            Failure::internal("cannot tell the current folder", e)
                .next("go to one that is there, or name the stack with `--stack NAME`")
        }),
    }
}

/// The place of the stack that is meant. `ended`: one that does not run any more will do too.
pub fn place(args: &StackArgs, ended: bool) -> Result<Place, Failure> {
    let root = StateRoot::from_env()?;
    if let Some(name) = &args.stack {
        return Ok(place::find_by_name(&root, name, ended)?.place);
    }
    // Only the path is needed: the file may be broken. And where there is no file, no stack of it runs.
    match file(args) {
        Ok(file) => Ok(Place::new(&root, place::id_of(&file))),
        // But for one whose file or folder was moved away or removed: it is known by where that was.
        Err(failure) => match here(args).ok().and_then(|here| place::find_lost(&root, args.file.as_deref(), &here)) {
            Some(found) => Ok(found.place),
            None => Err(failure.exit(Exit::NOT_RUNNING)),
        },
    }
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
