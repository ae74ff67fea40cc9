//! `up -d`: under a daemon that outlives this command.

use std::time::{Duration, Instant};

use orco_api::{
    client::{Client, ClientError},
    place::{Lock, LockError, Meta},
    wire::{Apply, Change, Code, Mode, State, Wait},
};
use orco_core::model::ServiceName;

use crate::{
    args::{OutputFormat, StackArgs, Up},
    cmd::{
        Failure,
        daemon::{holder, start::Wanted, wait},
        ls, pretty,
    },
    exit::Exit,
    terminal,
};

/// How long nobody may answer although somebody holds the lock: engines are replaced much faster, and a keeper that
/// cannot start one hangs up.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn up(args: Up, outer: &StackArgs) -> Result<Exit, Failure> {
    let wanted = Wanted::load(&args.stack.or(outer), args.services, !args.no_deps, args.logging)?;
    loop {
        match holder::take(&wanted.place).await {
            Ok(lock) => {
                let keeper = wanted.prepare(lock)?.detach().await?;
                terminal::note(said(&wanted, keeper));
            }
            Err(LockError::Held { holder: Some(holder) }) if holder.mode == Mode::Detached => {
                match runs_already(&wanted, *holder).await? {
                    Answer::Same => {}
                    // It has ended since: ours now.
                    Answer::Gone => continue,
                }
            }
            Err(error) => return Err(error.into()),
        }
        break;
    }
    // Who gives a limit wants to know whether it was met.
    if args.wait || args.timeout.is_some() {
        wait::ready(&wanted.place, args.timeout).await?;
    }
    if args.output.output == OutputFormat::Json {
        terminal::print(pretty(&ls::one(&wanted.place).await))?;
    }
    Ok(Exit::DONE)
}

fn said(wanted: &Wanted, keeper: u32) -> String {
    let engine = Meta::read(&wanted.place).ok().flatten().and_then(|meta| meta.pid);
    let engine = engine.map(|pid| format!("pid {pid}, ")).unwrap_or_default();
    let (name, log) = (wanted.incoming.stack.name(), wanted.place.daemon_log());
    format!(
        "{name} runs under the daemon ({engine}keeper {keeper}); `orco logs` shows its output, {} is the daemon's\n",
        log.display()
    )
}

enum Answer {
    /// It runs what the file says.
    Same,
    /// Nobody runs it any more.
    Gone,
}

/// A daemon that runs already is asked what our file would change.
async fn runs_already(wanted: &Wanted, holder: Meta) -> Result<Answer, Failure> {
    let client = Client::new(&wanted.place)?;
    let question = Apply::new(&wanted.incoming.stack, wanted.incoming.variables.clone())
        .map(|body| Apply { dry_run: true, ..body })
        .map_err(|e| Failure::internal("cannot write the stack", e))?;
    let give_up = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        match client.apply(&question).await {
            Ok(answer) if answer.plan.is_empty() => match start_again(&client, wanted, &holder).await {
                Ok(()) => return Ok(Answer::Same),
                // All was stopped, and the engine ended between the two questions: asked once more it says so.
                Err(error) if is_over(&error) => {}
                Err(error) => return Err(error.into()),
            },
            // The same revision, under other rules or in another number (somebody scaled it by hand).
            Ok(answer) if answer.plan.services.iter().all(|s| matches!(s.change, Change::Same | Change::Changed)) => {
                let plan_fields: Vec<_> = answer.plan.stack.iter().map(String::as_str).collect();
                let differ = answer.plan.services.iter().filter(|s| s.change == Change::Changed);
                let names: Vec<_> = plan_fields.iter().copied().chain(differ.map(|s| s.service.as_str())).collect();
                match start_again(&client, wanted, &holder).await {
                    Ok(()) => {
                        terminal::note(format!(
                            "not as the file says, `orco apply` makes it so: {}\n",
                            names.join(", ")
                        ));
                        return Ok(Answer::Same);
                    }
                    Err(error) if is_over(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(_) => {
                let other = LockError::Held { holder: Some(Box::new(holder)) };
                return Err(Failure::new(
                    Exit::ALREADY_RUNS,
                    format!("{other}, with other services than the file says"),
                )
                .next("`orco apply` makes it match the file, `orco apply --dry-run` shows what that changes"));
            }
            // It will be ours when it is down.
            Err(ClientError::Api(error)) if error.code == Code::ShuttingDown => {
                if !std::mem::replace(&mut told, true) {
                    terminal::note(format!("{} is on its way down: waiting for that\n", holder.stack));
                }
                if !Lock::is_held(&wanted.place) {
                    return Ok(Answer::Gone);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            // Between the lock and the socket, or while an engine is replaced, nobody answers for a moment.
            Err(error @ (ClientError::NotRunning { .. } | ClientError::Lost(_)))
                if Instant::now() > give_up && Lock::is_held(&wanted.place) =>
            {
                let keeper = holder.keeper_pid.map(|pid| format!(" (keeper {pid})")).unwrap_or_default();
                let what = format!("the daemon of `{}`{keeper} does not answer", holder.stack);
                let log = wanted.place.daemon_log();
                return Err(Failure::internal(&what, error).next(format!("`{}` tells more", log.display())));
            }
            Err(ClientError::NotRunning { .. } | ClientError::Lost(_)) if Lock::is_held(&wanted.place) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(ClientError::NotRunning { .. } | ClientError::Lost(_)) => return Ok(Answer::Gone),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether who answered a moment ago is not there any more.
fn is_over(error: &ClientError) -> bool {
    match error {
        ClientError::Api(error) => error.code == Code::ShuttingDown,
        ClientError::NotRunning { .. } | ClientError::Lost(_) => true,
        _ => false,
    }
}

/// What is asked for and was stopped, never started, or given up is started: `up` means that it is up afterwards. What
/// has completed stays so.
async fn start_again(client: &Client, wanted: &Wanted, holder: &Meta) -> Result<(), ClientError> {
    let status = client.brief_status().await?;
    let idle = |name: &str| {
        status.services.get(name).is_some_and(|service| matches!(service.state, State::Stopped | State::Failed))
    };
    let asked = wanted.services();
    let again: Vec<_> = asked.iter().map(ServiceName::as_str).filter(|name| idle(name)).collect();
    let runs = format!("{} runs already (pid {})", holder.stack, holder.pid.unwrap_or_default());
    if again.is_empty() {
        terminal::note(format!("{runs}\n"));
        return Ok(());
    }
    for name in &again {
        client.start(name, &Wait { wait: false }).await?;
    }
    terminal::note(format!("{runs}; started: {}\n", again.join(", ")));
    Ok(())
}
