//! `apply`: another stack for the running engine.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    routing::{MethodRouter, post},
};
use orco_core::{
    engine::{CommandError, Engine, Ticket},
    model::{ServiceName, ServiceView, State as ServiceState},
    spec::{Diagnostic, Plan, Severity, Stack},
};
use serde_json::{Value, json};

use super::{
    answer::Failure,
    app::App,
    body::Body,
    commands::{led, not_going_down},
};
use crate::wire::{self, Code, Outcome, parse_duration};

/// The largest stack: ten thousand services with large environments.
const BODY_LIMIT: usize = 256 << 20;

/// A stack that was applied, and what it was resolved with: what a later reading of its file needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// The stack.
    pub stack: Stack,
    /// The variables that were used.
    pub variables: BTreeMap<String, String>,
}

pub(super) fn route() -> MethodRouter<App> {
    post(apply).layer(DefaultBodyLimit::max(BODY_LIMIT))
}

async fn apply(State(app): State<App>, Body(body): Body<wire::Apply>) -> Result<Json<wire::Applied>, Failure> {
    let limit = body.timeout.as_deref().map(parse_duration).transpose();
    let limit = limit.map_err(|e| Failure::new(Code::BadRequest, e.to_string()))?;
    let stack = Stack::read_resolved(body.stack.get().as_bytes(), &app.engine.known())
        .map_err(|invalid| refused(invalid.to_string(), &invalid.diagnostics))?;
    app.engine.check(&stack).map_err(unfit)?;
    not_going_down(&app.engine).await?;
    // One after the other: each plan tells of the stack that the one before has left.
    let turn = app.applying.lock().await;
    let running = app.engine.stack();
    if stack.name() != running.name() {
        let message = format!("the running stack is `{}`, not `{}`", running.name(), stack.name());
        return Err(refused(format!("{message}: a new name needs `orco down` first"), &[]));
    }
    let plan = wire::Plan::from(&Plan::new(&running, &stack, &replicas(&app.engine).await?));
    if body.dry_run {
        return Ok(Json(wire::Applied { plan, outcome: None }));
    }
    let ticket = app.engine.apply(stack.clone()).await.map_err(unfit)?;
    app.accepted.send_replace(Some(Arc::new(Accepted { stack, variables: body.variables })));
    drop(turn);
    let outcome = if body.wait { led(&app, wait(&app.engine, ticket, limit)).await } else { Outcome::TAKEN };
    Ok(Json(wire::Applied { plan, outcome: Some(outcome) }))
}

/// How many replicas each service has now, also where somebody scaled it.
async fn replicas(engine: &Engine) -> Result<BTreeMap<ServiceName, u32>, Failure> {
    let status = engine.status().await.ok_or_else(Failure::ended)?;
    Ok(status.snapshot.services.iter().map(|s| (s.name.clone(), s.replicas)).collect())
}

async fn wait(engine: &Engine, ticket: Ticket, limit: Option<Duration>) -> Outcome {
    let Some(limit) = limit else { return ticket.done().await.into() };
    match tokio::time::timeout(limit, ticket.done()).await {
        Ok(done) => done.into(),
        Err(_) => late(engine).await,
    }
}

/// Who is not where it should be when the time is over.
async fn late(engine: &Engine) -> Outcome {
    let status = engine.status().await;
    let behind = status.as_deref().and_then(|status| {
        let waits = |s: &&ServiceView| s.wanted && !s.ready && s.state != ServiceState::Completed;
        let services = || status.snapshot.services.iter();
        services().find(waits).or_else(|| services().find(|s| s.changing || (!s.wanted && !s.instances.is_empty())))
    });
    let why = match behind {
        Some(service) if !service.message.is_empty() => {
            format!("not done in time: {}: {}", service.name, service.message)
        }
        Some(service) => format!("not done in time: {} is {}", service.name, service.state),
        None => "not done in time".to_owned(),
    };
    Outcome { done: false, service: behind.map(|s| s.name.to_string()), why: Some(why) }
}

fn unfit(error: CommandError) -> Failure {
    match &error {
        CommandError::Unfit(found) => refused(error.to_string(), found),
        _ => error.into(),
    }
}

fn refused(message: String, found: &[Diagnostic]) -> Failure {
    let one = |found: &Diagnostic| {
        let severity = match found.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        json!({ "severity": severity, "code": found.code, "message": found.message, "path": found.path, "help": found.help })
    };
    let mut failure = Failure::new(Code::InvalidStack, message);
    failure.0.details = Value::Array(found.iter().map(one).collect());
    failure
}
