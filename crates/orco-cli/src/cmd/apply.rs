//! `apply`: makes the running stack match its file.

use orco_api::wire::{Applied, Apply as ApplyBody};

use super::{Failure, change, logs, pretty, stack, target};
use crate::{
    args::{Apply, OutputFormat, StackArgs},
    exit::Exit,
    render, terminal,
};

pub async fn apply(args: Apply, outer: &StackArgs) -> Result<Exit, Failure> {
    let which = args.stack.or(outer);
    let file = target::file(&which)?;
    let (stack, variables) = stack::load_with_variables(&file)?;
    let client = target::client(&which)?;
    let body = ApplyBody::new(&stack, variables).map_err(|e| Failure::internal("cannot write the stack", e))?;
    let body = ApplyBody { dry_run: args.dry_run, wait: args.wait, timeout: args.timeout.map(logs::duration), ..body };
    let text = args.output.output == OutputFormat::Text;
    // Whoever waits wants to know for what.
    if text && body.wait && !body.dry_run {
        let first = ApplyBody { dry_run: true, ..body.clone() };
        terminal::print(render::plan(&client.apply(&first).await?.plan, terminal::paint()))?;
    }
    let applied = change::with_news(&client, None, client.apply(&body)).await?;
    match (text, body.wait && !body.dry_run) {
        (true, true) => {}
        (true, false) => terminal::print(render::plan(&applied.plan, terminal::paint()))?,
        (false, _) => terminal::print(pretty(&applied))?,
    }
    verdict(&applied, &body)
}

fn verdict(applied: &Applied, body: &ApplyBody) -> Result<Exit, Failure> {
    match &applied.outcome {
        Some(outcome) if body.wait && !outcome.done => {
            let why = outcome.why.clone().unwrap_or_else(|| "it was not done".to_owned());
            let failure = Failure::new(Exit::FAILED, why);
            Err(match &outcome.service {
                Some(service) => failure.next(format!("`orco why {service}` and `orco logs {service}` tell more")),
                None => failure,
            })
        }
        Some(_) => {
            let state = if body.wait { "all is as the file says" } else { "under way: `orco status` shows how far" };
            if !applied.plan.is_empty() {
                terminal::note(format!("{state}\n"));
            }
            Ok(Exit::DONE)
        }
        None => {
            terminal::note("a dry run: nothing was changed\n");
            Ok(Exit::DONE)
        }
    }
}
