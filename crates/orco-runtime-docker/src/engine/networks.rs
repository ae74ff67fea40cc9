//! What is asked about networks and volumes.

use std::{collections::BTreeMap, net::IpAddr};

use bollard::{
    models::{NetworkCreateRequest, VolumeCreateRequest},
    query_parameters::{
        InspectNetworkOptions, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptionsBuilder,
    },
};

use super::{Client, EngineError, spec::hash};
use crate::labels::Labels;

/// A network or a volume.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    /// A network's id, a volume's name.
    pub(crate) id: String,
    pub(crate) labels: Labels,
}

/// Creates a bridge network. Names need not be unique.
pub(crate) async fn create_network(
    client: &Client,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> Result<(), EngineError> {
    let body = NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some("bridge".to_owned()),
        labels: Some(hash(labels)),
        ..Default::default()
    };
    let what = format!("create network {name}");
    client.call(what, |docker| async move { docker.create_network(body).await.map(drop) }).await
}

/// The host's own address in the network of that name or id, if the engine says one.
pub(crate) async fn gateway(client: &Client, name: &str) -> Result<Option<IpAddr>, EngineError> {
    let what = format!("inspect network {name}");
    let asked =
        client.call(what, |docker| async move { docker.inspect_network(name, None::<InspectNetworkOptions>).await });
    let pools = asked.await?.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    Ok(pools.into_iter().filter_map(|pool| pool.gateway?.parse().ok()).next())
}

/// All networks with the label.
pub(crate) async fn networks(client: &Client, label: String) -> Result<Vec<Thing>, EngineError> {
    Ok(listed(client, ("label", label)).await?.map(|(_, network)| network).collect())
}

/// All networks of that name.
pub(crate) async fn named(client: &Client, name: &str) -> Result<Vec<Thing>, EngineError> {
    // A part of a name is found too.
    let found = listed(client, ("name", name.to_owned())).await?;
    Ok(found.filter(|(called, _)| called.as_deref() == Some(name)).map(|(_, network)| network).collect())
}

async fn listed(
    client: &Client,
    (key, value): (&str, String),
) -> Result<impl Iterator<Item = (Option<String>, Thing)>, EngineError> {
    let filters = [(key.to_owned(), vec![value])].into();
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let found = client.call("list networks", |docker| async move { docker.list_networks(Some(options)).await }).await?;
    Ok(found.into_iter().filter_map(|network| {
        Some((network.name, Thing { id: network.id?, labels: network.labels.unwrap_or_default() }))
    }))
}

/// Removes a network; one that is not there is removed.
pub(crate) async fn remove_network(client: &Client, id: &str) -> Result<(), EngineError> {
    let what = format!("remove network {id}");
    gone(client.call(what, |docker| async move { docker.remove_network(id).await }).await)
}

/// Creates a volume; one that is there is left as it is.
pub(crate) async fn create_volume(
    client: &Client,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> Result<Thing, EngineError> {
    let body = VolumeCreateRequest { name: Some(name.to_owned()), labels: Some(hash(labels)), ..Default::default() };
    let what = format!("create volume {name}");
    let volume = client.call(what, |docker| async move { docker.create_volume(body).await }).await?;
    Ok(Thing { id: volume.name, labels: volume.labels })
}

/// All volumes with the label.
pub(crate) async fn volumes(client: &Client, label: String) -> Result<Vec<Thing>, EngineError> {
    let filters = [("label".to_owned(), vec![label])].into();
    let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let found = client.call("list volumes", |docker| async move { docker.list_volumes(Some(options)).await }).await?;
    let volumes = found.volumes.unwrap_or_default().into_iter();
    Ok(volumes.map(|volume| Thing { id: volume.name, labels: volume.labels }).collect())
}

/// Removes a volume; one that is not there is removed.
pub(crate) async fn remove_volume(client: &Client, name: &str) -> Result<(), EngineError> {
    let options = RemoveVolumeOptionsBuilder::default().force(false).build();
    let what = format!("remove volume {name}");
    gone(client.call(what, |docker| async move { docker.remove_volume(name, Some(options)).await }).await)
}

fn gone(asked: Result<(), EngineError>) -> Result<(), EngineError> {
    match asked {
        Err(error) if error.status() == Some(404) => Ok(()),
        other => other,
    }
}
