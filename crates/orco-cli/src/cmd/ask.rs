//! `why`, `signal` and `exec`: one question to one service.

use orco_api::{
    client::ClientError,
    wire::{Bytes, Exec as ExecBody, STDIN_LIMIT, Signal as SignalBody},
};
use tokio::io::AsyncReadExt as _;

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
    let stdin = if args.interactive { read_stdin().await? } else { Vec::new() };
    let body = ExecBody { argv: args.argv, replica: args.replica, stdin: Bytes(stdin) };
    let replies = client.exec(&args.service, &body).await.map_err(not_run)?;
    match args.output.output {
        OutputFormat::Json => terminal::print(pretty(&replies))?,
        OutputFormat::Text => {
            for reply in &replies {
                match &reply.bytes {
                    Some(bytes) if !terminal::is_terminal() => terminal::print(&bytes.0)?,
                    _ => terminal::print(shown(&reply.output))?,
                }
                if reply.omitted > 0 {
                    let kept = "only the last 64 KiB of the output are kept";
                    terminal::note(format!(
                        "{}/{}: {kept}, {} bytes are not\n",
                        args.service, reply.replica, reply.omitted
                    ));
                }
            }
        }
    }
    let mut exit = Exit::DONE;
    for reply in &replies {
        let ended = reply.exit.map(orco_api::wire::Exit::to_core);
        if ended != Some(orco_core::model::Exit::Code(0)) {
            let how = ended.map_or_else(|| "its time ran out".to_owned(), |e| e.to_string());
            terminal::note(format!("{}/{}: {how}\n", args.service, reply.replica));
            if exit.is_done() {
                exit = ended.map_or(Exit::FAILED, Exit::of_command);
            }
        }
    }
    Ok(exit)
}

/// A command that could not be run ends as a shell would say.
fn not_run(error: ClientError) -> Failure {
    let code = match &error {
        ClientError::Api(body) => body.details.get("shellCode").and_then(serde_json::Value::as_u64),
        _ => None,
    };
    let failure = Failure::from(error);
    match code.and_then(|code| u8::try_from(code).ok()) {
        Some(code) => failure.exit(Exit::not_run(code)),
        None => failure,
    }
}

/// All of our own input, which is to be passed on as a whole.
async fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(STDIN_LIMIT).unwrap_or(u64::MAX);
    let read = tokio::io::stdin().take(most + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| Failure::internal("cannot read the standard input", error))?;
    if bytes.len() > STDIN_LIMIT {
        let text = format!("there are more than {} MiB to read", STDIN_LIMIT >> 20);
        return Err(Failure::new(Exit::USAGE, text).next("put it into a file that the command can read"));
    }
    Ok(bytes)
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
