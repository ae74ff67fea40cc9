//! What the engine itself remembers, beside what the brain does: as keys and values of the journal.

use serde_json::{Value, json};

use super::{ports::Seated, report::Running};
use crate::{
    journal::Change,
    model::{InstanceId, ServiceName},
    runtime::Handle,
};

/// All keys of the engine begin with it; the others are the brain's.
pub(super) const PREFIX: &str = "engine/";
/// The stack that is wanted, resolved.
pub(super) const WANTED: &str = "engine/wanted";
/// The last occasion on which services were asked up.
pub(super) const OCCASION: &str = "engine/occasion";
/// What the host of the engine keeps.
pub(super) const KEPT: &str = "engine/kept/";
const INSTANCE: &str = "engine/instance/";
const PORT: &str = "engine/port/";

/// Sets a key.
pub(super) fn put(key: impl Into<Box<str>>, value: impl Into<Box<[u8]>>) -> Change {
    Change { key: key.into(), value: Some(value.into()) }
}

/// Forgets a key.
pub(super) fn forget(key: impl Into<Box<str>>) -> Change {
    Change { key: key.into(), value: None }
}

fn text(value: &Value) -> Box<[u8]> {
    value.to_string().into_bytes().into()
}

/// What the runtime calls a running instance.
pub(super) fn instance(running: &Running) -> Change {
    let Handle { instance, token, pid, container } = &running.handle;
    put(format!("{INSTANCE}{instance}"), text(&json!({ "token": token, "pid": pid, "container": container })))
}

/// The instance is over.
pub(super) fn no_instance(inst: InstanceId) -> Change {
    forget(format!("{INSTANCE}{inst}"))
}

/// Reads what [`instance`] wrote.
pub(super) fn read_instance(key: &str, value: &[u8]) -> Option<Handle> {
    let id = InstanceId::parse(key.strip_prefix(INSTANCE)?)?;
    let value: Value = serde_json::from_slice(value).ok()?;
    let mut handle = Handle::new(id, value.get("token")?.as_str()?);
    handle.pid = value.get("pid").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    handle.container = value.get("container").and_then(Value::as_str).map(str::to_owned);
    Some(handle)
}

/// Whose a port is, if anybody's.
pub(super) fn port(port: u16, seated: Option<Seated>) -> Change {
    let key = format!("{PORT}{port}");
    match seated {
        None => forget(key),
        Some(Seated { service, replica, name, user }) => {
            let user = user.map(|u| u.to_string());
            put(key, text(&json!({ "service": service.as_str(), "replica": replica, "name": name, "user": user })))
        }
    }
}

/// Reads what [`port`] wrote.
pub(super) fn read_port(key: &str, value: &[u8]) -> Option<(u16, Seated)> {
    let port = key.strip_prefix(PORT)?.parse().ok()?;
    let value: Value = serde_json::from_slice(value).ok()?;
    let service = ServiceName::new(value.get("service")?.as_str()?).ok()?;
    let replica = u32::try_from(value.get("replica")?.as_u64()?).ok()?;
    let name = value.get("name")?.as_str()?.to_owned();
    let user = value.get("user").and_then(Value::as_str).and_then(InstanceId::parse);
    Some((port, Seated { service, replica, name, user }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let seated = Seated {
            service: ServiceName::new("api").unwrap(),
            replica: 2,
            name: String::new(),
            user: Some(InstanceId(7)),
        };
        let change = port(20_001, Some(seated.clone()));
        assert_eq!(read_port(&change.key, &change.value.unwrap()), Some((20_001, seated)));
        assert_eq!(read_port("engine/port/x", b"{}"), None);
        assert_eq!(read_instance("engine/instance/zz", b"{}"), None);
    }
}
