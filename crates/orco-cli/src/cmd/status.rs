//! `status`.

use std::time::Duration;

use orco_api::{
    client::{ClientError, Resuming, StatusPosition},
    wire::{Status, Timestamp},
};

use super::{Failure, target};
use crate::{
    args::{OutputFormat, StackArgs, Status as Args},
    exit::Exit,
    render, terminal,
};

pub async fn status(args: Args, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    let format = args.output.output;
    if args.watch {
        return watch(client.follow_status().await?, format).await;
    }
    match format {
        OutputFormat::Text => terminal::print(table(&client.brief_status().await?))?,
        OutputFormat::Json => terminal::print(super::pretty(&client.status().await?))?,
    }
    Ok(Exit::DONE)
}

fn table(status: &Status) -> String {
    render::status_table(status, Timestamp::now(), terminal::paint(), terminal::fit())
}

/// Until the stack ends. On a terminal the table stays in place, and ages go on without a change.
async fn watch(mut updates: Resuming<StatusPosition>, format: OutputFormat) -> Result<Exit, Failure> {
    let redraw = format == OutputFormat::Text && terminal::is_terminal();
    let mut latest: Option<Status> = None;
    loop {
        let next = next(&mut updates, redraw && latest.is_some()).await;
        match next {
            Next::Update(Some(Ok(status))) => {
                // Between two tables in a file there is an empty line.
                let gap = if latest.is_some() { "\n" } else { "" };
                match format {
                    OutputFormat::Json => terminal::print(super::line(&status))?,
                    OutputFormat::Text if redraw => {}
                    OutputFormat::Text => terminal::print(format!("{gap}{}", table(&status)))?,
                }
                latest = Some(status);
            }
            Next::Update(Some(Err(error))) => return Err(error.into()),
            Next::Update(None) => return Ok(Exit::DONE),
            Next::Tick => {}
        }
        if let Some(status) = latest.as_ref().filter(|_| redraw) {
            terminal::print(format!("\x1b[H\x1b[2J{}", table(status)))?;
        }
    }
}

enum Next {
    Update(Option<Result<Status, ClientError>>),
    Tick,
}

async fn next(updates: &mut Resuming<StatusPosition>, tick: bool) -> Next {
    if !tick {
        return Next::Update(updates.next().await);
    }
    // `next` is cancel-safe.
    match tokio::time::timeout(Duration::from_secs(1), updates.next()).await {
        Ok(update) => Next::Update(update),
        Err(_) => Next::Tick,
    }
}
