//! Commands. Each is given to the engine at once; only the answer may wait.

use std::time::Duration;

use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    routing::{MethodRouter, post},
};
use nix::sys::signal::Signal as Known;
use orco_core::engine::{CommandError, Engine, Standing, Ticket};

use super::{
    answer::Failure,
    app::{App, BODY_LIMIT},
    body::Body,
};
use crate::wire::{
    Bytes, Code, Down, Exec, ExecReply, Exit, Outcome, STDIN_LIMIT, Scale, Signal, Upgrade, Upgrading, Wait,
    parse_duration,
};

type Answer<T> = Result<Json<T>, Failure>;

/// A command run by hand has no deadline of its own: it ends with the call that waits for it. This one only keeps
/// a forgotten call from lasting for ever.
const EXEC_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// All that a command may be given to read, in Base64, with everything around it.
const EXEC_BODY_LIMIT: usize = STDIN_LIMIT / 3 * 4 + BODY_LIMIT;

/// Whoever asked for everything to go down waits for that: nothing is started meanwhile.
pub(super) async fn not_going_down(engine: &Engine) -> Result<(), Failure> {
    match engine.standing().await.map(|standing| standing.latest()) {
        Some(Standing::GoingDown) => Err(Failure::new(Code::ShuttingDown, "the stack is on its way down")),
        Some(Standing::Wanted | Standing::Down) => Ok(()),
        None => Err(Failure::ended()),
    }
}

async fn outcome(app: &App, ticket: Result<Ticket, CommandError>, wait: bool) -> Answer<Outcome> {
    let ticket = ticket?;
    Ok(Json(if wait { led(app, async { ticket.done().await.into() }).await } else { Outcome::TAKEN }))
}

/// The end of a command that was taken, or the time when another engine has to be asked for it.
pub(super) async fn led(app: &App, end: impl Future<Output = Outcome>) -> Outcome {
    // Both are cancel-safe: an end is in the status, and the next engine shows it.
    tokio::select! {
        biased;
        outcome = end => outcome,
        () = app.cutting.cancelled() => Outcome::TAKEN,
    }
}

pub(super) async fn start(State(app): State<App>, Path(name): Path<String>, Body(body): Body<Wait>) -> Answer<Outcome> {
    not_going_down(&app.engine).await?;
    outcome(&app, app.engine.start(&name).await, body.wait).await
}

pub(super) async fn stop(State(app): State<App>, Path(name): Path<String>, Body(body): Body<Wait>) -> Answer<Outcome> {
    outcome(&app, app.engine.stop(&name).await, body.wait).await
}

pub(super) async fn restart(
    State(app): State<App>,
    Path(name): Path<String>,
    Body(body): Body<Wait>,
) -> Answer<Outcome> {
    not_going_down(&app.engine).await?;
    outcome(&app, app.engine.restart(&name).await, body.wait).await
}

pub(super) async fn scale(
    State(app): State<App>,
    Path(name): Path<String>,
    Body(body): Body<Scale>,
) -> Answer<Outcome> {
    not_going_down(&app.engine).await?;
    outcome(&app, app.engine.scale(&name, body.replicas).await, body.wait).await
}

pub(super) async fn signal(
    State(app): State<App>,
    Path(name): Path<String>,
    Body(body): Body<Signal>,
) -> Answer<Outcome> {
    let number = signal_number(&body.signal)?;
    app.engine.signal(&name, body.replica, number).await?;
    Ok(Json(Outcome::DONE))
}

/// `SIGHUP`, `HUP`, `hup` or `1`.
fn signal_number(text: &str) -> Result<i32, Failure> {
    let known = match text.parse::<i32>() {
        Ok(number) => Known::try_from(number).ok(),
        Err(_) => {
            let upper = text.to_ascii_uppercase();
            let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
            name.parse().ok()
        }
    };
    let wrong = || Failure::new(Code::BadRequest, format!("`{text}` is not a signal: write `SIGHUP`, `HUP` or `1`"));
    known.map(|s| s as i32).ok_or_else(wrong)
}

pub(super) fn exec_route() -> MethodRouter<App> {
    post(exec).layer(DefaultBodyLimit::max(EXEC_BODY_LIMIT))
}

async fn exec(State(app): State<App>, Path(name): Path<String>, Body(body): Body<Exec>) -> Answer<Vec<ExecReply>> {
    if body.argv.is_empty() {
        return Err(Failure::new(Code::BadRequest, "`argv` is empty"));
    }
    if body.stdin.0.len() > STDIN_LIMIT {
        return Err(Failure::new(Code::TooLarge, format!("`stdin` is longer than {} MiB", STDIN_LIMIT >> 20)));
    }
    let done = app.engine.exec(&name, body.replica, body.argv, body.stdin.0, EXEC_LIMIT).await?;
    let reply = |(replica, result): (u32, orco_core::runtime::ExecResult)| ExecReply {
        replica,
        exit: result.exit.map(|exit| Exit::new(exit, None)),
        output: String::from_utf8_lossy(&result.output).into_owned(),
        omitted: result.omitted,
        bytes: std::str::from_utf8(&result.output).is_err().then_some(Bytes(result.output)),
    };
    Ok(Json(done.into_iter().map(reply).collect()))
}

pub(super) async fn down(State(app): State<App>, Body(body): Body<Down>) -> Answer<Outcome> {
    let limit = body.timeout.as_deref().map(parse_duration).transpose();
    let limit = limit.map_err(|e| Failure::new(Code::BadRequest, e.to_string()))?;
    let ticket = app.engine.down().await?;
    let engine = app.engine.clone();
    // In a task of its own: the time limit holds although the caller may hang up.
    let finish = tokio::spawn(async move {
        let Some(limit) = limit else { return ticket.done().await };
        let mut done = std::pin::pin!(ticket.done());
        match tokio::time::timeout(limit, done.as_mut()).await {
            Ok(done) => done,
            Err(_) => {
                // An engine that has ended has nothing left to kill.
                let _ = engine.kill().await;
                done.await
            }
        }
    });
    if !body.wait {
        return Ok(Json(Outcome::TAKEN));
    }
    // Cancel-safe: the task goes on.
    let finished = tokio::select! {
        biased;
        finished = finish => finished,
        () = app.cutting.cancelled() => return Ok(Json(Outcome::TAKEN)),
    };
    match finished {
        Ok(done) => Ok(Json(done.into())),
        Err(e) => Err(Failure::new(Code::Internal, e.to_string())),
    }
}

pub(super) async fn upgrade(State(app): State<App>, Body(Upgrade {}): Body<Upgrade>) -> Answer<Upgrading> {
    let Some(upgrades) = app.upgrades else {
        return Err(Failure::new(Code::Refused, "only a stack under the daemon can be upgraded"));
    };
    // Who asked before is answered before: then this server closes, and the program that takes over is theirs.
    let answer = tokio::select! {
        biased;
        answer = upgrades.ask() => answer,
        () = app.cutting.cancelled() => {
            return Err(Failure::new(Code::ShuttingDown, "another upgrade is under way"));
        }
    };
    match answer {
        Some(Ok(upgrading)) => Ok(Json(upgrading)),
        Some(Err(why)) => Err(Failure(why)),
        None => Err(Failure::ended()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals() {
        for text in ["SIGHUP", "hup", "HUP", "1"] {
            assert_eq!(signal_number(text).ok(), Some(1), "{text}");
        }
        for bad in ["", "0", "-9", "SIGSIG", "99"] {
            assert!(signal_number(bad).is_err(), "{bad}");
        }
    }
}
