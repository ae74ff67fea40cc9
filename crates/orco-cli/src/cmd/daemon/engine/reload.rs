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
pub async fn reload(engine: &Engine, file: &Path) {
    let checked = stack::check(file);
    terminal::note(checked.text(Paint(false)));
    let summary = checked.summary(file);
    let Some(new) = checked.stack else {
        tracing::error!("SIGHUP: nothing is changed: {}", render::printable(summary.trim_end()));
        return;
    };
    let old = engine.stack();
    if old.name() != new.name() {
        tracing::error!("SIGHUP: nothing is changed: `{}` needs `orco down` to be named `{}`", old.name(), new.name());
        return;
    }
    if let Err(error) = engine.check(&new) {
        tracing::error!(%error, "SIGHUP: nothing is changed");
        return;
    }
    let changes = diff(&old, &new).into_iter().filter(|(_, change)| *change != Change::Same).count();
    match engine.apply(new).await {
        Ok(_) => {
            engine.keep(VARIABLES, as_json(&checked.variables)).await;
            tracing::info!(changes, "SIGHUP: the stack file was read again");
        }
        Err(error) => tracing::error!(%error, "SIGHUP: the stack file was not taken over"),
    }
}
