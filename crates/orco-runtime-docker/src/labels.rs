//! How our objects are marked and recognised: by labels alone, never by name.

use std::collections::{BTreeMap, HashMap};

use orco_core::{
    model::{InstanceId, ServiceName, StackId},
    runtime::StartRequest,
};

/// The stack, on everything.
pub(crate) const STACK: &str = "orco.stack";
/// The service, on containers.
pub(crate) const SERVICE: &str = "orco.service";
/// `GENERATION/REPLICA`, on containers.
pub(crate) const SLOT: &str = "orco.slot";
/// The instance, on containers.
pub(crate) const INSTANCE: &str = "orco.instance";
/// What the container was made of.
pub(crate) const REVISION: &str = "orco.revision";
/// The number of the try.
pub(crate) const RUN: &str = "orco.run";
/// On a container in which a hook runs: it is no instance.
pub(crate) const HOOK: &str = "orco.hook";

/// What an engine tells of an object's labels.
pub(crate) type Labels = HashMap<String, String>;

/// The labels of what belongs to a stack as a whole.
pub(crate) fn of_stack(stack: StackId) -> BTreeMap<String, String> {
    BTreeMap::from([(STACK.to_owned(), stack.to_string())])
}

/// The labels of an instance's container. The user's own cannot stand in for ours.
pub(crate) fn of_instance(request: &StartRequest) -> BTreeMap<String, String> {
    let own = request.service.labels.iter().filter(|(key, _)| !key.starts_with("orco."));
    let mut labels: BTreeMap<_, _> = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    labels.extend(of_stack(request.stack));
    let mut set = |key: &str, value: String| labels.insert(key.to_owned(), value);
    set(SERVICE, request.service.name.to_string());
    set(SLOT, format!("{}/{}", request.generation, request.replica));
    set(INSTANCE, request.instance.to_string());
    set(REVISION, request.service.revision.to_string());
    set(RUN, request.run.to_string());
    labels
}

/// Whether the object is this stack's.
pub(crate) fn is_of(labels: &Labels, stack: StackId) -> bool {
    labels.get(STACK).is_some_and(|id| *id == stack.to_string())
}

/// Which instance it belongs to.
pub(crate) fn instance(labels: &Labels) -> Option<InstanceId> {
    InstanceId::parse(labels.get(INSTANCE)?)
}

/// The instance and the service, if it is an instance of this stack and no hook of one.
pub(crate) fn seat(labels: &Labels, stack: StackId) -> Option<(InstanceId, ServiceName)> {
    let is_instance = is_of(labels, stack) && !labels.contains_key(HOOK);
    let service = labels.get(SERVICE).filter(|_| is_instance)?;
    Some((instance(labels)?, ServiceName::new(service.as_str()).ok()?))
}

/// As filters of lists and events: `KEY=VALUE`.
pub(crate) fn filter(key: &str, value: impl std::fmt::Display) -> String {
    format!("{key}={value}")
}
