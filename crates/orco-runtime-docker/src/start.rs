//! How an instance comes to be. A start may be repeated: the container's name is unique, and one that exists already with
//! our label is our own earlier try.

use std::sync::Arc;

use orco_core::{
    model::InstanceId,
    runtime::{Handle, RuntimeError, StartRequest},
    spec::Network,
};

use crate::{
    create,
    docker::Inner,
    engine::{
        Certainty, EngineError, Kind, containers,
        looks::{self, Status},
        port_taken,
        spec::ContainerSpec,
    },
    flights::Flight,
    labels, removal, stack,
    watch::Watch,
};

/// Starts an instance, in a task of its own: what was begun is finished or taken back, also if the caller goes.
pub(crate) async fn start(inner: &Arc<Inner>, request: StartRequest) -> Result<Handle, RuntimeError> {
    let instance = request.instance;
    let flight = inner.flights.begin(instance).await;
    let task = inner.tasks.spawn({
        let (inner, flight) = (Arc::clone(inner), flight.clone());
        async move {
            // Dropped with the runtime's tasks, or panicking, it is no more under way either.
            let _landing = Landing { inner: &inner, instance };
            let done = carry_out(&inner, &request, &flight).await;
            if done.is_err() {
                inner.register.forget(instance);
            }
            done
        }
    });
    let caller = flight.unwanted.clone().drop_guard();
    let done = task.await;
    caller.disarm();
    done.unwrap_or_else(|error| Err(RuntimeError::unknown("the start broke off").because(error)))
}

struct Landing<'a> {
    inner: &'a Inner,
    instance: InstanceId,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.inner.flights.end(self.instance);
    }
}

async fn carry_out(inner: &Arc<Inner>, request: &StartRequest, flight: &Flight) -> Result<Handle, RuntimeError> {
    let instance = request.instance;
    let unwanted = || RuntimeError::refused("nobody wants it any more");
    // Known before it exists, and before it is out of doubt: what this process starts is nobody's leftover.
    inner.enter(instance, request.stack);
    inner.watch.trust(instance).await;
    stack::ready(inner, request).await?;
    let manners = inner.client.manners().await.map_err(EngineError::into_runtime_repeatable)?;
    let mut spec = create::instance(request, manners);
    spec.hosts.extend(create::host(&inner.client, request).await);
    if flight.unwanted.is_cancelled() {
        return Err(unwanted());
    }
    let container = create(inner, request, &spec).await?;
    inner.register.enter_container(instance, &container.id);
    if flight.unwanted.is_cancelled() {
        take_back(inner, request, &container.id).await;
        return Err(unwanted());
    }
    if container.fresh {
        run(inner, request, &container.id).await?;
    }
    let handle = Handle::new(instance, container.id.clone()).with_container(container.id.clone());
    // Its pid is a comfort, not a condition.
    let look = match looks::inspect(&inner.client, &container.id).await {
        // A sweep that had begun before this start has taken it for what an earlier one left: the next try makes another.
        Ok(None) => return Err(RuntimeError::unavailable("the container was removed at once")),
        look => look.ok().flatten(),
    };
    let pid = look.as_ref().and_then(|look| look.pid);
    if let Some(look) = look {
        inner.register.seen(instance, look);
    }
    if flight.unwanted.is_cancelled() {
        take_back(inner, request, &container.id).await;
        return Err(unwanted());
    }
    Ok(pid.map_or(handle.clone(), |pid| handle.with_pid(pid)))
}

/// A container of ours.
struct Created {
    id: String,
    /// It was not started yet.
    fresh: bool,
}

async fn create(inner: &Arc<Inner>, request: &StartRequest, spec: &ContainerSpec) -> Result<Created, RuntimeError> {
    let error = match containers::create(&inner.client, spec).await {
        Ok(id) => return Ok(Created { id, fresh: true }),
        Err(error) => error,
    };
    if error.status() == Some(409) || error.kind() == Some(Kind::NameTaken) {
        return taken(inner, request, &spec.name, &error).await;
    }
    Err(no_network(inner, request, &error).unwrap_or_else(|| failed(inner, request, error)))
}

/// If the network is what is missing, or there are two. Engines look for it with the creation or only with the start.
pub(crate) fn no_network(inner: &Inner, request: &StartRequest, error: &EngineError) -> Option<RuntimeError> {
    let text = error.to_string().to_ascii_lowercase();
    let missing = error.status() == Some(404);
    if !text.contains("network") || !(missing || text.contains("ambiguous")) {
        return None;
    }
    Some(match &request.service.network {
        Network::Named(name) if missing => {
            RuntimeError::refused(format!("there is no network `{name}`; `docker network create {name}` makes one"))
        }
        Network::Named(_) => RuntimeError::refused(error.to_string()),
        // Somebody removed the stack's network, or an earlier engine's came late: the next try sees to that.
        Network::Stack | Network::Host | Network::None => {
            inner.look_anew(request.stack);
            RuntimeError::unavailable(error.to_string())
        }
    })
}

/// Who has the name?
async fn taken(
    inner: &Arc<Inner>,
    request: &StartRequest,
    name: &str,
    error: &EngineError,
) -> Result<Created, RuntimeError> {
    let look = looks::inspect(&inner.client, name).await.map_err(EngineError::into_runtime_repeatable)?;
    let Some(look) = look else { return Err(RuntimeError::unavailable(error.to_string())) };
    if labels::instance(&look.labels) == Some(request.instance) && labels::is_of(&look.labels, request.stack) {
        // Our own earlier try. Whether that one has run already: once is enough.
        return Ok(Created { fresh: look.status == Status::Created, id: look.id });
    }
    Err(RuntimeError::unavailable(format!("a container that is not ours is called `{}`", look.name)))
}

async fn run(inner: &Arc<Inner>, request: &StartRequest, id: &str) -> Result<(), RuntimeError> {
    let Err(error) = containers::start(&inner.client, id).await else { return Ok(()) };
    if error.happened() == Certainty::Unknown && error.status().is_none() {
        return Err(failed(inner, request, error));
    }
    // It did not start; what was created for it goes.
    take_back(inner, request, id).await;
    if let Some(answer) = no_network(inner, request, &error) {
        return Err(answer);
    }
    let taken = match error.kind() {
        Some(Kind::PortTaken(Some(port))) => Some(port),
        Some(Kind::PortTaken(None)) => request.publish.first().map(|publish| publish.host),
        _ => None,
    };
    Err(match taken {
        Some(port) => port_taken(port),
        // Somebody removed it between our two calls.
        None if error.status() == Some(404) => RuntimeError::unavailable(error.to_string()),
        None => error.into_runtime_repeatable(),
    })
}

/// An error as the contract has it. Where nobody knows whether it happened, whatever comes of it will be removed, unless
/// the start is tried again: then it is found.
fn failed(inner: &Arc<Inner>, request: &StartRequest, error: EngineError) -> RuntimeError {
    if error.happened() == Certainty::Unknown {
        Watch::doubt_unless_tried_again(inner, request.instance);
    }
    error.into_runtime_repeatable()
}

/// Removes what was created; where that cannot be done now, later.
async fn take_back(inner: &Arc<Inner>, request: &StartRequest, id: &str) {
    if let Err(error) = removal::remove(&inner.client, id).await {
        tracing::warn!(%error, container = %id, "cannot remove a container now");
        Watch::doubt(inner, request.instance);
    }
}

#[cfg(test)]
mod tests;
