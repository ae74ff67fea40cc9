//! `start`, `stop`, `restart`, `scale` and `down`: commands that take time, and say what they wait for.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    time::Duration,
};

use futures::future;
use orco_api::{
    client::{Client, ClientError},
    place::Place,
    wire::{Code, Down as DownBody, Outcome, Scale as ScaleBody, Wait},
};
use serde::Serialize;

use super::{
    Failure,
    daemon::{holder, leftover},
    pretty, target,
};
use crate::{
    args::{Down, OutputFormat, Scale, Services, StackArgs},
    exit::Exit,
    render, terminal,
};

/// After this long a command begins to say what it waits for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Which command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// `start`.
    Start,
    /// `stop`.
    Stop,
    /// `restart`.
    Restart,
}

impl Verb {
    const fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Restart => "restarted",
        }
    }
}

/// What `-o json` prints for each service.
#[derive(Serialize)]
struct Report<'a> {
    service: &'a str,
    done: bool,
    why: Option<&'a str>,
}

pub async fn services(verb: Verb, mut args: Services, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    // Once is enough: `restart a a` would replace it twice.
    let mut seen = BTreeSet::new();
    args.services.retain(|name| seen.insert(name.clone()));
    known(&client, &args.services).await?;
    let body = Wait { wait: true };
    let calls = args.services.iter().map(|name| async {
        match verb {
            Verb::Start => client.start(name, &body).await,
            Verb::Stop => client.stop(name, &body).await,
            Verb::Restart => client.restart(name, &body).await,
        }
    });
    let outcomes = with_news(&client, Some(&args.services), future::try_join_all(calls)).await?;
    report(&args.services, &outcomes, verb.done(), args.output.output)
}

pub async fn scale(args: Scale, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&args.stack.or(outer))?;
    let names: Vec<_> = args.targets.iter().map(|t| t.service.clone()).collect();
    known(&client, &names).await?;
    let calls = args.targets.iter().map(|target| {
        let body = ScaleBody { replicas: target.replicas, wait: true };
        let client = &client;
        async move { client.scale(&target.service, &body).await }
    });
    let outcomes = with_news(&client, Some(&names), future::try_join_all(calls)).await?;
    report(&names, &outcomes, "scaled", args.output.output)
}

/// Nothing is done if one of the names is wrong.
async fn known(client: &Client, names: &[String]) -> Result<(), Failure> {
    if names.len() > 1 {
        for name in names {
            client.service(name).await?;
        }
    }
    Ok(())
}

fn report(names: &[String], outcomes: &[Outcome], done: &str, format: OutputFormat) -> Result<Exit, Failure> {
    let reports: Vec<_> = names
        .iter()
        .zip(outcomes)
        .map(|(service, o)| Report { service, done: o.done, why: o.why.as_deref() })
        .collect();
    match format {
        OutputFormat::Json => terminal::print(pretty(&reports))?,
        OutputFormat::Text => {
            for r in reports.iter().filter(|r| r.done) {
                terminal::note(format!("{} {done}\n", r.service));
            }
        }
    }
    match reports.iter().find(|r| !r.done) {
        None => Ok(Exit::DONE),
        Some(r) => {
            let why = r.why.unwrap_or("it was not done").to_owned();
            Err(Failure::new(Exit::FAILED, why)
                .next(format!("`orco why {0}` and `orco logs {0}` tell more", r.service)))
        }
    }
}

pub async fn down(args: Down, outer: &StackArgs) -> Result<Exit, Failure> {
    let place = target::place(&args.stack.or(outer), false)?;
    let body = DownBody { wait: true, timeout: args.timeout.map(super::logs::duration) };
    let outcome = loop {
        take_back(&place).await?;
        let asked = ask_down(&place, &body).await;
        match asked {
            // Somebody saw that everything was down.
            Ok(Ended::Told(outcome)) => break outcome,
            // Engine and keeper may have been killed over it, and then services run on.
            Ok(Ended::Gone) if !is_left(&place).await? => break Outcome::DONE,
            Err(failure) if !is_left(&place).await? => return Err(failure),
            Ok(Ended::Gone) | Err(_) => {}
        }
    };
    match args.output.output {
        OutputFormat::Json => terminal::print(pretty(&outcome))?,
        OutputFormat::Text => terminal::note("everything is down\n"),
    }
    Ok(Exit::DONE)
}

/// How a stack that was asked down ended.
enum Ended {
    /// It said so.
    Told(Outcome),
    /// It took the command and is gone, or had nothing left to end: what else could one want.
    Gone,
}

async fn ask_down(place: &Place, body: &DownBody) -> Result<Ended, Failure> {
    let client = Client::new(place)?;
    let life = holder::Life::of(place);
    let ended = match with_news(&client, None, client.down(body)).await {
        Ok(outcome) => Ended::Told(outcome),
        Err(ClientError::Lost(_)) => Ended::Gone,
        Err(ClientError::Api(error)) if error.code == Code::ShuttingDown => Ended::Gone,
        Err(error @ ClientError::NotRunning { .. }) => {
            // One that was killed gives its socket back before its lock.
            let _ = holder::free(place, life).await;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    // Whoever comes next can start it again at once.
    holder::free(place, life).await?;
    Ok(ended)
}

/// Whether nobody runs the stack any more, and services may.
async fn is_left(place: &Place) -> Result<bool, Failure> {
    if !holder::may_have_left_services(place) {
        return Ok(false);
    }
    match holder::take(place).await {
        Ok(lock) => leftover::is_there(place, &lock),
        // Somebody runs it again.
        Err(_) => Ok(false),
    }
}

/// A daemon that was killed has left services, and they are to end in order: that takes a daemon.
async fn take_back(place: &Place) -> Result<(), Failure> {
    if !holder::may_have_left_services(place) {
        return Ok(());
    }
    // Somebody else may have been faster: then there is one.
    if let Ok(lock) = holder::take(place).await
        && leftover::is_there(place, &lock)?
    {
        terminal::note("the stack's daemon was killed: taking its services over to stop them\n");
        leftover::take_over(place, lock).await?;
    }
    Ok(())
}

/// Waits, and after a moment says on stderr what the services wait for, whenever that changes.
pub(super) async fn with_news<T>(
    client: &Client,
    names: Option<&[String]>,
    command: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let mut command = std::pin::pin!(command);
    if let Ok(result) = tokio::time::timeout(PATIENCE, command.as_mut()).await {
        return result;
    }
    tokio::select! {
        result = command.as_mut() => return result,
        () = news(client, names) => {}
    }
    command.await
}

/// Ends only when there is no news to be had any more.
async fn news(client: &Client, names: Option<&[String]>) {
    let Ok(mut updates) = client.watch().await else { return };
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    while let Some(Ok(status)) = updates.next().await {
        for (name, service) in &status.services {
            let Some(waiting) = &service.waiting else { continue };
            // What a stopped or failed service says is no wait of this command.
            let idle = matches!(waiting.reason.as_str(), "down" | "halted");
            if idle || names.is_some_and(|names| !names.contains(name)) {
                continue;
            }
            // A message counts down; only another cause is news.
            let cause = format!("{} {}", waiting.reason, waiting.on.join(" "));
            if said.get(name) != Some(&cause) {
                terminal::note(format!("{name}: {}\n", render::printable(&waiting.message)));
                said.insert(name.clone(), cause);
            }
        }
    }
}
