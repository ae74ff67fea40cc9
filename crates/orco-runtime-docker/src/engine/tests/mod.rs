#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

mod asking;
mod messages;
mod podman;
mod real;
mod trouble;
mod versions;

use std::time::Duration;

use crate::{
    fake_engine::FakeEngine,
    find::{Find, Flavour},
};

use super::{Client, Limits};

/// Long enough that nothing runs into it on a busy machine.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

fn limits(call: Duration, stream_open: Duration) -> Limits {
    Limits { call, stream_open, ..Limits::default() }
}

fn at(host: String) -> Find {
    Find { flavour: Flavour::Docker, host: Some(host) }
}

fn client(engine: &FakeEngine) -> Client {
    Client::new(at(engine.host()), limits(LONG, LONG))
}

/// A small call that changes nothing.
async fn list(client: &Client) -> Result<usize, super::EngineError> {
    let ask = |docker: bollard::Docker| async move {
        docker.list_containers(None::<bollard::query_parameters::ListContainersOptions>).await
    };
    client.call("list containers", ask).await.map(|list| list.len())
}
