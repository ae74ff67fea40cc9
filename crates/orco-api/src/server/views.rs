//! Documents about the stack as it is.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use futures::stream;
use orco_core::{engine, model::InstanceId, runtime::Usage};

use super::{
    answer::Failure,
    app::App,
    body::Params,
    streams::{self, line},
};
use crate::wire::{Code, Graph, Service, Status, StatusQuery, Why};

impl App {
    async fn now(&self) -> Result<Arc<engine::Status>, Failure> {
        self.engine.status().await.ok_or_else(Failure::ended)
    }

    fn document(&self, status: &engine::Status) -> Status {
        Status::new(&self.engine, status, self.mode)
    }
}

pub(super) async fn status(State(app): State<App>, Params(query): Params<StatusQuery>, head: HeaderMap) -> Response {
    if !query.watch {
        return match full_status(&app, query.brief).await {
            Ok(status) => Json(status).into_response(),
            Err(failure) => failure.into_response(),
        };
    }
    let Some(watch) = app.engine.watch().await else { return Failure::ended().into_response() };
    let document = app.clone();
    let updates = stream::unfold((watch, true), move |(mut watch, first)| {
        let app = document.clone();
        async move {
            // The latest wins: a slow reader skips what it has missed.
            let status = if first { app.engine.status().await? } else { watch.changed().await? };
            Some((line(&app.document(&status)), (watch, false)))
        }
    });
    streams::answer(&app, &head, updates)
}

async fn full_status(app: &App, brief: bool) -> Result<Status, Failure> {
    let status = app.now().await?;
    let mut document = app.document(&status);
    if brief {
        return Ok(document);
    }
    let usage = app.engine.usage().await.unwrap_or_default();
    for service in document.services.values_mut() {
        add_usage(&usage, service);
    }
    Ok(document)
}

/// What the live instances use; stays null where nothing lives or nobody knows.
fn add_usage(usage: &BTreeMap<InstanceId, Usage>, service: &mut Service) {
    let ids = service.instances.iter().filter_map(|i| InstanceId::parse(i.id.as_deref()?));
    let used: Vec<&Usage> = ids.filter_map(|id| usage.get(&id)).collect();
    if !used.is_empty() {
        service.resources.cpu = Some(used.iter().map(|u| u.cpu.as_secs_f64()).sum());
        service.resources.memory = Some(used.iter().map(|u| u.memory).sum());
    }
}

pub(super) async fn graph(State(app): State<App>) -> Result<Json<Graph>, Failure> {
    let status = app.document(&*app.now().await?);
    Ok(Json(Graph::of(&app.engine.stack()).with_status(&status)))
}

fn unknown(name: &str) -> Failure {
    Failure::new(Code::UnknownService, format!("no service `{name}`"))
}

pub(super) async fn service(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Service>, Failure> {
    let mut status = app.document(&*app.now().await?);
    let mut service = status.services.shift_remove(&name).ok_or_else(|| unknown(&name))?;
    add_usage(&app.engine.usage().await.unwrap_or_default(), &mut service);
    Ok(Json(service))
}

pub(super) async fn why(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Why>, Failure> {
    let status = app.now().await?;
    let why = app.engine.why(&name).await.ok_or_else(|| unknown(&name))?;
    Ok(Json(Why::new(why, &status)))
}
