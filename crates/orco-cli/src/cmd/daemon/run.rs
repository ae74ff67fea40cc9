//! `daemon run`: the calling process becomes the keeper.

use super::{holder, start};
use crate::{
    args::{DaemonRun, StackArgs},
    cmd::{Failure, wait},
    exit::Exit,
};

pub fn run(args: DaemonRun, outer: &StackArgs) -> Result<Exit, Failure> {
    let wanted = start::Wanted::load(&args.stack.or(outer), Vec::new(), true, args.logging)?;
    let mut launch = None;
    // Its own little runtime: nothing of it may be left when this process becomes another.
    wait(async {
        let lock = holder::take(&wanted.place).await?;
        launch = Some(wanted.prepare(lock)?);
        Ok(Exit::DONE)
    })?;
    match launch {
        Some(launch) => Err(launch.stay()),
        None => Ok(Exit::INTERNAL),
    }
}
