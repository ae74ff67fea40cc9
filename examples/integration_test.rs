//! The pattern for tests that need real services: each test has a stack of its own, waits until it is ready, and takes it
//! down. Tests run in parallel; a test process that is killed takes its services with it.
//!
//! ```text
//! cargo test --example integration_test       # as tests
//! cargo run --example integration_test        # one after the other, with words
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{error::Error, fs, time::Duration};

use orco::{
    engine::{Engine, NotReady},
    probes,
    process::ProcessRuntime,
    spec::{Check, Need, ServiceBuilder, Stack},
};
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

/// What a test works with: services that run, and a folder of their own.
struct App {
    engine: Engine,
    folder: TempDir,
}

impl App {
    /// Starts the services and waits until they are ready. When it fails, the error says which service and why, with
    /// the last lines of its log; nothing is left then.
    async fn start(server: &str) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let stack = Stack::builder("test")
            .workdir(folder.path())
            .service(ServiceBuilder::new("schema", "process").shell("echo 'orders:' > schema").oneshot())
            .service(
                ServiceBuilder::new("server", "process")
                    .shell(server)
                    .depends_on(Need::completed("schema"))
                    .health(Check::log("^ready"))
                    .restart(|restart| restart.max_retries = orco::spec::RetryLimit::Limited(0)),
            )
            .build()?;
        let engine = Engine::builder(stack).runtime(ProcessRuntime::new()).probes(probes::all()).start()?;
        let _ = engine.up().await?;
        // A test should fail by itself, with its reason, before its runner loses patience.
        tokio::time::timeout(Duration::from_secs(20), engine.ready()).await??;
        Ok(Self { engine, folder })
    }
}

/// The good case: the server has seen the schema, and does its work.
async fn the_server_works_on_the_schema() -> Outcome {
    let app = App::start("cp schema orders && echo ready && exec sleep 1000").await?;
    assert_eq!(fs::read_to_string(app.folder.path().join("orders"))?, "orders:\n");
    app.engine.shutdown().await;
    Ok(())
}

/// The bad case is a value: the test's output names the service, its exit and its last words.
async fn a_server_that_fails_says_why() -> Outcome {
    let Err(error) = App::start("echo 'no space for orders' >&2; exit 3").await else {
        return Err("the server must not become ready".into());
    };
    let Some(NotReady::Service(why)) = error.downcast_ref() else { return Err(error) };
    assert_eq!(why.service.as_str(), "server");
    assert!(why.message.contains("exit code 3"), "{why}");
    assert!(why.log.iter().any(|record| record.msg == "no space for orders"), "{why}");
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    the_server_works_on_the_schema().await?;
    println!("the server works on the schema");
    a_server_that_fails_says_why().await?;
    println!("a server that fails says why");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn the_server_works_on_the_schema() -> super::Outcome {
        super::the_server_works_on_the_schema().await
    }

    #[tokio::test]
    async fn a_server_that_fails_says_why() -> super::Outcome {
        super::a_server_that_fails_says_why().await
    }
}
