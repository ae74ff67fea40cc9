//! Numbers for monitoring systems, as OpenMetrics text. Made when they are asked for, of what is known anyway.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use orco_core::{
    log::LogStats,
    model::{ServiceName, Snapshot},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{answer::Failure, app::App};
use crate::wire::Code;

/// The content type.
pub(super) const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one label of all of them.
type Labels = [(&'static str, String); 1];
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

pub(super) async fn serve(State(app): State<App>) -> Result<Response, Failure> {
    let status = app.engine.status().await.ok_or_else(Failure::ended)?;
    let logs = app.engine.log_stats().await;
    let text = text(&status.snapshot, logs.as_ref()).map_err(|e| Failure::new(Code::Internal, e.to_string()))?;
    Ok(([(header::CONTENT_TYPE, KIND), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// `logs`: what has printed anything; `None`: it could not be counted, and nothing is said of it.
fn text(snapshot: &Snapshot, logs: Option<&BTreeMap<ServiceName, LogStats>>) -> Result<String, std::fmt::Error> {
    let (lines, bytes, dropped, dropped_bytes) =
        (Counters::default(), Counters::default(), Counters::default(), Counters::default());
    let (disk, ready, restarts) = (Gauges::default(), Gauges::default(), Counters::default());
    let labels = |service: &ServiceName| [("service", service.to_string())];
    // One that is silent has printed nothing: its numbers begin with 0, so that rates see the first lines.
    let silent = snapshot.services.iter().map(|service| (&service.name, LogStats::default()));
    let printed: Option<BTreeMap<_, LogStats>> =
        logs.map(|logs| silent.chain(logs.iter().map(|(name, stats)| (name, *stats))).collect());
    for (service, stats) in printed.unwrap_or_default() {
        let of = labels(service);
        lines.get_or_create(&of).inc_by(stats.lines);
        bytes.get_or_create(&of).inc_by(stats.bytes);
        dropped.get_or_create(&of).inc_by(stats.dropped_lines);
        dropped_bytes.get_or_create(&of).inc_by(stats.dropped_bytes);
        disk.get_or_create(&of).set(i64::try_from(stats.disk_bytes).unwrap_or(i64::MAX));
    }
    for service in &snapshot.services {
        let of = labels(&service.name);
        ready.get_or_create(&of).set(i64::from(service.ready));
        restarts.get_or_create(&of).inc_by(service.restarts);
    }
    let mut registry = Registry::with_prefix("orco");
    registry.register("log_lines", "Lines that the service has printed", lines);
    registry.register_with_unit("log", "Output of the service", Unit::Bytes, bytes);
    registry.register("log_dropped_lines", "Lines that were deleted to keep the log within its limits", dropped);
    registry.register_with_unit(
        "log_dropped",
        "Output that was deleted to keep it within its limits",
        Unit::Bytes,
        dropped_bytes,
    );
    registry.register_with_unit("log_disk", "What the log takes on disk", Unit::Bytes, disk);
    registry.register("service_ready", "Whether the service is ready", ready);
    registry.register("service_restarts", "Restarts of the service", restarts);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
