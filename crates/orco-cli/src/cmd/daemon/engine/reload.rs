//! HUP: the stack file is read again, as `apply` does.

use std::path::Path;

use orco_core::{
    engine::Engine,
    spec::{Change, diff},
};

use super::life::{VARIABLES, as_json};
use crate::{
    cmd::stack,
    render::{self, Paint},
    terminal,
};

/// Makes the stack match its file. A file that is not valid changes nothing; what is wrong with it goes to the log.
/// Returns what a service manager is to show.
pub async fn reload(engine: &Engine, file: &Path) -> String {
    let taken = attempt(engine, file).await;
    let services = engine.stack().services().len();
    match taken {
        true => format!("{services} services"),
        false => format!("{services} services; the stack file was read again but not taken over, see the log"),
    }
}

/// Whether it was taken over.
async fn attempt(engine: &Engine, file: &Path) -> bool {
    let checked = stack::check(file);
    terminal::note(checked.text(Paint(false)));
    let summary = checked.summary(file);
    let Some(new) = checked.stack else {
        tracing::error!("SIGHUP: nothing is changed: {}", render::printable(summary.trim_end()));
        return false;
    };
    let old = engine.stack();
    if old.name() != new.name() {
        tracing::error!("SIGHUP: nothing is changed: `{}` needs `orco down` to be named `{}`", old.name(), new.name());
        return false;
    }
    if let Err(error) = engine.check(&new) {
        tracing::error!(%error, "SIGHUP: nothing is changed");
        return false;
    }
    let changes = diff(&old, &new).into_iter().filter(|(_, change)| *change != Change::Same).count();
    match engine.apply(new).await {
        Ok(_) => {
            engine.keep(VARIABLES, as_json(&checked.variables)).await;
            tracing::info!(changes, "SIGHUP: the stack file was read again");
            true
        }
        Err(error) => {
            tracing::error!(%error, "SIGHUP: the stack file was not taken over");
            false
        }
    }
}
