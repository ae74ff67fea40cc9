//! `why`, `signal` and `exec`: one question to one service.

use orco_api::wire::{Exec as ExecBody, Signal as SignalBody};

use super::{Failure, pretty, target};
use crate::{
    args::{Exec, OutputFormat, Signal, StackArgs, Why},
    exit::Exit,
    render, terminal,
};

pub async fn why(args: Why, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    let why = client.why(&args.service).await?;
    match args.output.output {
        OutputFormat::Text => terminal::print(render::why(&why, terminal::paint()))?,
        OutputFormat::Json => terminal::print(pretty(&why))?,
    }
    Ok(Exit::DONE)
}

pub async fn signal(args: Signal, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    let body = SignalBody { signal: args.signal, replica: args.replica };
    let outcome = client.signal(&args.service, &body).await?;
    if args.output.output == OutputFormat::Json {
        terminal::print(pretty(&outcome))?;
    }
    Ok(Exit::DONE)
}

pub async fn exec(args: Exec, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    let replies = client.exec(&args.service, &ExecBody { argv: args.argv, replica: args.replica }).await?;
    match args.output.output {
        OutputFormat::Json => terminal::print(pretty(&replies))?,
        OutputFormat::Text => {
            for reply in &replies {
                terminal::print(shown(&reply.output))?;
            }
        }
    }
    let mut exit = Exit::DONE;
    for reply in &replies {
        let ended = reply.exit.map(orco_api::wire::Exit::to_core);
        if ended != Some(orco_core::model::Exit::Code(0)) {
            let how = ended.map_or_else(|| "its time ran out".to_owned(), |e| e.to_string());
            terminal::note(format!("{}/{}: {how}\n", args.service, reply.replica));
            exit = Exit::FAILED;
        }
    }
    Ok(exit)
}

/// On a terminal, output of strangers is shown, not obeyed; elsewhere it is passed on as it is.
fn shown(output: &str) -> String {
    if !terminal::is_terminal() {
        return output.to_owned();
    }
    let mut text: String = output.lines().map(|l| format!("{}\n", render::printable(l))).collect();
    if !output.ends_with('\n') {
        text.truncate(text.trim_end_matches('\n').len());
        text.push('\n');
    }
    text
}
