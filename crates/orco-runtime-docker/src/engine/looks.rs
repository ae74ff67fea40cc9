//! What a container does, and how to look. Read with our own eyes: the library takes an answer with a state that it has
//! never heard of for nonsense, and with it the whole list.

use std::{collections::BTreeMap, fmt::Display, net::IpAddr, path::PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Client, EngineError, manners};
use crate::labels::Labels;

/// What a container does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// Not started yet.
    Created,
    /// Running, paused, or about to run again.
    Alive,
    /// It has ended.
    Over,
}

/// A container in a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) labels: Labels,
    pub(crate) status: Status,
}

/// A container as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) status: Status,
    pub(crate) exit_code: i64,
    pub(crate) oom_killed: bool,
    /// On the engine's host, while it runs.
    pub(crate) pid: Option<u32>,
    /// How it is connected: `host`, `none`, `default`, or a network's name.
    pub(crate) network: String,
    pub(crate) published: Vec<Published>,
    pub(crate) addresses: Vec<IpAddr>,
    /// Where the engine's host has its output.
    pub(crate) output: Option<PathBuf>,
}

/// A port that can be reached on the engine's host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Published {
    pub(crate) target: u16,
    pub(crate) udp: bool,
    pub(crate) ip: IpAddr,
    pub(crate) host: u16,
}

/// `None`: there is no such container.
pub(crate) async fn inspect(client: &Client, id: &str) -> Result<Option<Inspected>, EngineError> {
    let what = format!("inspect container {}", super::containers::short(id));
    match client.get::<InspectAnswer>(what, format!("/containers/{}/json", encoded(id))).await {
        Ok(answer) => Ok(Some(inspected(answer))),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All that have these labels, running or not.
pub(crate) async fn list(client: &Client, labels: &[String]) -> Result<Vec<Listed>, EngineError> {
    let filters = serde_json::json!({ "label": labels }).to_string();
    let path = format!("/containers/json?all=true&filters={}", encoded(&filters));
    // Nothing at all is how some say that there are none.
    let found: Option<Vec<ListAnswer>> = client.get("list containers", path).await?;
    Ok(found.unwrap_or_default().into_iter().filter_map(listed).collect())
}

/// For a place in an address where only unreserved characters (RFC 3986) mean themselves.
fn encoded(text: &str) -> impl Display {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

/// An entry of `GET /containers/json`, as far as we need it.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct ListAnswer {
    id: Option<String>,
    labels: Option<Labels>,
    state: Option<String>,
}

/// `GET /containers/ID/json`, as far as we need it. Whatever is absent may also be null.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct InspectAnswer {
    id: String,
    name: Option<String>,
    state: Option<StateAnswer>,
    config: Option<ConfigAnswer>,
    host_config: Option<HostAnswer>,
    network_settings: Option<NetworkAnswer>,
    log_path: Option<PathBuf>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(rename_all = "PascalCase")]
struct StateAnswer {
    status: Option<String>,
    running: Option<bool>,
    pid: Option<i64>,
    exit_code: Option<i64>,
    #[serde(rename = "OOMKilled")]
    oom_killed: Option<bool>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct ConfigAnswer {
    labels: Option<Labels>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct HostAnswer {
    network_mode: Option<String>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(rename_all = "PascalCase")]
struct NetworkAnswer {
    ports: Option<BTreeMap<String, Option<Vec<Binding>>>>,
    networks: Option<BTreeMap<String, Option<EndpointAnswer>>>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "PascalCase")]
struct Binding {
    host_ip: Option<String>,
    host_port: Option<String>,
}

#[derive(Deserialize, Debug)]
struct EndpointAnswer {
    #[serde(rename = "IPAddress")]
    ip_address: Option<String>,
}

fn listed(answer: ListAnswer) -> Option<Listed> {
    let status = manners::state(answer.state.as_deref().unwrap_or_default(), None);
    Some(Listed { id: answer.id?, labels: answer.labels.unwrap_or_default(), status })
}

fn inspected(answer: InspectAnswer) -> Inspected {
    let state = answer.state.unwrap_or_default();
    let network = answer.network_settings.unwrap_or_default();
    let addresses = network.networks.unwrap_or_default().into_values().flatten();
    Inspected {
        id: answer.id,
        name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        labels: answer.config.and_then(|config| config.labels).unwrap_or_default(),
        status: manners::state(state.status.as_deref().unwrap_or_default(), state.running),
        exit_code: state.exit_code.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
        network: answer.host_config.and_then(|host| host.network_mode).unwrap_or_default(),
        published: published(network.ports.unwrap_or_default()),
        addresses: addresses.filter_map(|network| network.ip_address?.parse().ok()).collect(),
        output: answer.log_path.filter(|path| path.is_absolute()),
    }
}

fn published(ports: BTreeMap<String, Option<Vec<Binding>>>) -> Vec<Published> {
    let of_one = |(key, bindings): (String, Option<Vec<Binding>>)| {
        let (target, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let (target, udp) = (target.parse::<u16>().ok(), protocol == "udp");
        let bindings = bindings.unwrap_or_default().into_iter();
        let found = bindings.filter_map(move |binding| {
            let ip = binding.host_ip.as_deref().unwrap_or_default();
            let ip = if ip.is_empty() { "0.0.0.0" } else { ip };
            let host = binding.host_port?.parse().ok()?;
            Some(Published { target: target?, udp, ip: ip.parse().ok()?, host })
        });
        found.collect::<Vec<_>>()
    };
    ports.into_iter().flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn look(answer: Value) -> Inspected {
        inspected(serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn what_is_not_said_or_null_is_nothing() {
        let bare = look(json!({ "Id": "c1" }));
        assert_eq!((bare.id.as_str(), bare.name.as_str(), bare.status), ("c1", "", Status::Alive));
        let null = json!({
            "Id": "c1", "Name": null, "State": { "Status": "levitating", "Running": false, "ExitCode": null }, "Config": { "Labels": null },
            "HostConfig": null, "NetworkSettings": { "Ports": { "80/tcp": null }, "Networks": { "a": null, "b": { "IPAddress": "" } } },
        });
        let null = look(null);
        assert_eq!((null.status, null.exit_code, null.pid), (Status::Over, 0, None));
        assert!(null.published.is_empty() && null.addresses.is_empty() && null.labels.is_empty());
        assert!(serde_json::from_value::<Option<Vec<ListAnswer>>>(Value::Null).unwrap().is_none());
    }

    #[test]
    fn ports_and_addresses() {
        let seen = look(json!({
            "Id": "c1", "Name": "/web", "State": { "Status": "running", "Running": true, "Pid": 7 },
            "NetworkSettings": {
                "Ports": { "80/tcp": [{ "HostIp": "", "HostPort": "8080" }], "53/udp": [{ "HostIp": "::1", "HostPort": "53" }] },
                "Networks": { "a": { "IPAddress": "10.0.0.2" } },
            },
        }));
        let port = |target, udp, ip: &str, host| Published { target, udp, ip: ip.parse().unwrap(), host };
        assert_eq!(seen.published, [port(53, true, "::1", 53), port(80, false, "0.0.0.0", 8080)]);
        assert_eq!((seen.addresses, seen.pid), (vec!["10.0.0.2".parse().unwrap()], Some(7)));
    }

    #[test]
    fn a_filter_stays_in_its_place() {
        assert_eq!(encoded("{\"label\":[\"a=b&c\"]}").to_string(), "%7B%22label%22%3A%5B%22a%3Db%26c%22%5D%7D");
    }
}
