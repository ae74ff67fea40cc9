//! `--wait`: until all is ready, or it is known what is not.

use std::time::Duration;

use orco_api::{
    client::{Client, ClientError},
    place::{Lock, Place},
    wire::{State, Status},
};

use crate::{
    cmd::{Failure, change},
    exit::Exit,
    render, terminal,
};

/// How one looks at a status.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Verdict {
    Ready,
    /// This one has failed for good.
    Failed(String),
    /// Not yet; this is the first that is not.
    NotYet(String),
}

/// Waits until everything that is wanted is ready (oneshots: completed), and says meanwhile what it waits for.
///
/// # Errors
/// A service that failed, or is not ready in time, with the chain of causes.
pub async fn ready(place: &Place, limit: Option<Duration>) -> Result<(), Failure> {
    let client = Client::new(place)?;
    let mut last = None;
    let waited = {
        let all = change::with_news(&client, None, watch(place, &client, &mut last));
        match limit {
            Some(limit) => tokio::time::timeout(limit, all).await.ok(),
            None => Some(all.await),
        }
    };
    match waited {
        Some(Ok(Verdict::Ready)) => Ok(()),
        Some(Ok(Verdict::Failed(service) | Verdict::NotYet(service))) => Err(blame(&client, &service, "").await),
        Some(Err(error)) => Err(error.into()),
        None => Err(blame(&client, &last.unwrap_or_default(), " in time").await),
    }
}

/// Ends with `Ready` or `Failed`. An engine that is killed meanwhile is replaced by its keeper: the wait goes on.
async fn watch(place: &Place, client: &Client, last: &mut Option<String>) -> Result<Verdict, ClientError> {
    loop {
        let lost = match client.watch().await {
            Ok(mut updates) => loop {
                match updates.next().await {
                    Some(Ok(status)) => match verdict(&status) {
                        Verdict::NotYet(service) => *last = Some(service),
                        done => return Ok(done),
                    },
                    Some(Err(error)) => break error,
                    None => break ClientError::NotRunning { socket: client.socket().to_owned() },
                }
            },
            Err(error) => error,
        };
        if !Lock::is_held(place) {
            return Err(lost);
        }
        // Comes back when there is an engine again; where none comes up, nobody may wait for ever.
        if let Err(error @ ClientError::NoEngine { .. }) = client.brief_status().await {
            return Err(error);
        }
    }
}

fn verdict(status: &Status) -> Verdict {
    let wanted = || status.services.values().filter(|s| s.state != State::Stopped);
    if let Some(failed) = wanted().find(|s| s.state == State::Failed) {
        return Verdict::Failed(failed.name.clone());
    }
    match wanted().find(|s| !s.ready && s.state != State::Completed) {
        Some(service) => Verdict::NotYet(service.name.clone()),
        None => Verdict::Ready,
    }
}

/// Names the culprit, with its causes.
async fn blame(client: &Client, service: &str, when: &str) -> Failure {
    // Where it does not answer any more, its name is all there is.
    if let Ok(why) = client.why(service).await {
        terminal::note(render::why(&why, terminal::paint_err()));
    }
    Failure::new(Exit::FAILED, format!("{service} is not ready{when}"))
        .next(format!("the rest runs on; `orco logs {service}` tells more"))
}
