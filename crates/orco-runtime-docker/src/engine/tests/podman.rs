//! On a real Podman of our own, where the program is installed.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use bollard::query_parameters::EventsOptions;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{
    super::{Client, Limits},
    LONG, list,
};
use crate::find::{Find, Flavour, Surroundings};

/// A service with folders of its own below `root`, killed with its handle; `None` where there is no Podman.
fn serve(root: &std::path::Path) -> Option<Child> {
    let socket = root.join("run/podman/podman.sock");
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let mut command = Command::new("podman");
    command.arg("--root").arg(root.join("storage")).arg("--runroot").arg(root.join("runroot"));
    command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "system", "service", "--time", "0"]);
    command.arg(format!("unix://{}", socket.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            eprintln!("skipped: podman: {error}");
            None
        }
    }
}

#[tokio::test]
async fn podman_is_found_and_spoken_to() {
    let world = tempfile::tempdir().unwrap();
    let Some(mut service) = serve(world.path()) else { return };
    let around = Surroundings {
        vars: BTreeMap::new(),
        home: None,
        runtime_dir: Some(world.path().join("nothing")),
        root: world.path().to_path_buf(),
    };
    let open = Duration::from_secs(3);
    let limits = Limits { stream_open: open, ..Limits::default() };
    let client = Client::within(Find { flavour: Flavour::Podman, host: None }, limits, around);
    let begin = Instant::now();
    let listed = loop {
        match list(&client).await {
            // Not up yet.
            Err(error) if client.host().is_none() && begin.elapsed() < LONG => {
                assert!(service.try_wait().unwrap().is_none(), "podman has ended: {error}");
                sleep(Duration::from_millis(50)).await;
            }
            listed => break listed,
        }
    };
    assert_eq!(listed, Ok(0));
    let info = client.info().await.unwrap();
    assert!(info.podman && info.local && info.server.starts_with(char::is_numeric), "{info:?}");
    println!("{info:?}");
    // Its events begin in time though nothing happens.
    let mut events = client.docker().await.unwrap().events(None::<EventsOptions>);
    let none = tokio::time::timeout(open * 2, futures::StreamExt::next(&mut events)).await;
    assert!(none.is_err(), "{none:?}");
    drop(events);
    service.kill().await.unwrap();
    assert!(list(&client).await.unwrap_err().to_string().contains("connection refused"));
}
