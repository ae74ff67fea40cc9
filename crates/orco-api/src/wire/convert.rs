//! From the engine's types to those of the wire.

use orco_core::{
    engine::{self, Engine},
    model::{InstanceView, Moment, ServiceView},
};

use super::{
    Event, Instance, Mode, Resources, Service, Status, Timestamp, Waiting, Why,
    status::{Wall, ended},
};

/// Counts from the moment of the status, back for what was and on for what will be.
fn wall_of(status: &engine::Status) -> impl Fn(Moment) -> Timestamp {
    let (here, now) = (status.snapshot.at, status.generated_at);
    let micros = |d: std::time::Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    move |moment| {
        let past = now.saturating_sub(micros(here.since(moment)));
        Timestamp::from_unix_micros(past.saturating_add(micros(moment.since(here))))
    }
}

impl Status {
    /// The engine's status; resources are left open.
    pub(crate) fn new(engine: &Engine, status: &engine::Status, mode: Mode) -> Self {
        let wall = wall_of(status);
        let services = status.snapshot.services.iter();
        Self {
            stack: engine.stack().name().to_string(),
            id: engine.id().to_string(),
            version: status.version,
            generated_at: Timestamp::from_unix_micros(status.generated_at),
            mode,
            kill_backend: engine.kill_backend().unwrap_or_default().to_owned(),
            services: services.map(|s| (s.name.to_string(), service(s, status, &wall))).collect(),
        }
    }
}

fn service(view: &ServiceView, status: &engine::Status, wall: Wall<'_>) -> Service {
    let now: Moment = status.snapshot.at;
    Service {
        name: view.name.to_string(),
        kind: view.kind.into(),
        state: view.state.into(),
        ready: view.ready,
        replicas: view.replicas,
        ready_replicas: view.ready_replicas,
        restarts: view.restarts,
        message: view.message.clone(),
        waiting: view.waiting.as_ref().map(|w| Waiting::new(w, now, wall)),
        revision: view.revision.to_string(),
        first_seen: wall(view.first_seen),
        last_event: wall(view.last_event),
        exit: ended(view.exit, wall),
        resources: Resources::default(),
        instances: view.instances.iter().map(|i| instance(i, status, wall)).collect(),
    }
}

fn instance(view: &InstanceView, status: &engine::Status, wall: Wall<'_>) -> Instance {
    let overlay = view.id.and_then(|id| status.overlays.get(&id));
    Instance {
        replica: view.replica,
        id: view.id.map(|id| id.to_string()),
        pid: overlay.and_then(|o| o.pid),
        container: overlay.and_then(|o| o.container.clone()),
        state: view.state.into(),
        ready: view.ready,
        started_at: view.started_at.map(wall),
        endpoint: overlay.and_then(|o| o.endpoint).map(|e| e.to_string()),
        endpoints: overlay
            .map(|o| o.endpoints.iter().map(|(target, at)| (target.to_string(), at.to_string())).collect())
            .unwrap_or_default(),
        restarts: view.restarts,
        exit: ended(view.exit, wall),
    }
}

impl From<&engine::Event> for Event {
    fn from(event: &engine::Event) -> Self {
        Self {
            ts: Timestamp::from_unix_micros(event.ts),
            seq: event.seq,
            kind: event.kind.as_str().to_owned(),
            service: event.service.as_ref().map(ToString::to_string),
            replica: event.replica,
            message: event.message.to_string(),
            reason: event.reason.as_ref().map(ToString::to_string),
            attempt: event.attempt,
            data: serde_json::from_str(&event.details()).unwrap_or_default(),
        }
    }
}

impl Why {
    /// The engine's chain; `status` knows the wall clock.
    pub(crate) fn new(why: engine::Why, status: &engine::Status) -> Self {
        let wall = wall_of(status);
        Self {
            service: why.service.to_string(),
            state: why.state.into(),
            ready: why.ready,
            message: why.message,
            exit: ended(why.exit, &wall),
            last_probe: why.last_probe.map(|(replica, verdict)| format!("{verdict} (replica {replica})")),
            log_tail: why.log.into_iter().map(Into::into).collect(),
            because: why.because.into_iter().map(|w| Self::new(w, status)).collect(),
        }
    }
}
