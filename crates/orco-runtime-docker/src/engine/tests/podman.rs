//! On a real Podman of our own, where the program is installed.

use std::{collections::BTreeMap, time::Duration};

use bollard::query_parameters::EventsOptions;

use super::{
    super::{Client, Limits},
    list,
};
use crate::{
    find::{Find, Flavour, Surroundings},
    podman::Podman,
};

#[tokio::test]
async fn podman_is_found_and_spoken_to() {
    let Some(mut podman) = Podman::start() else { return };
    let around = Surroundings {
        vars: BTreeMap::new(),
        home: None,
        runtime_dir: Some(podman.root().join("nothing")),
        root: podman.root().to_path_buf(),
    };
    let open = Duration::from_secs(3);
    let limits = Limits { stream_open: open, ..Limits::default() };
    let client = Client::within(Find { flavour: Flavour::Podman, host: None }, limits, around);
    assert_eq!(list(&client).await, Ok(0));
    let info = client.info().await.unwrap();
    assert!(info.podman && info.local && info.server.starts_with(char::is_numeric), "{info:?}");
    println!("{info:?}");
    // Its events begin in time though nothing happens.
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    let none = tokio::time::timeout(open * 2, futures::StreamExt::next(&mut events)).await;
    assert!(none.is_err(), "{none:?}");
    drop(events);
    podman.down();
    assert!(list(&client).await.unwrap_err().to_string().contains("connection refused"));
}
