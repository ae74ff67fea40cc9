//! A runtime of your own: its instances are async functions of this program, and they are nodes of the same graph as
//! processes are. Here a migration (a process) must complete before a store (a function) starts, and a client (a
//! function) waits until the store's TCP probe says that it is ready.
//!
//! ```text
//! cargo run --example custom_runtime
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "custom_runtime/contract.rs"]
mod contract;
#[path = "custom_runtime/tasks.rs"]
mod tasks;

use std::{error::Error, fs, sync::Arc};

use orco::{engine::Engine, load::load_file, probes, process::ProcessRuntime, runtime::Runtime, spec::Known};
use tasks::{Context, Failure, Tasks};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

const STACK: &str = r#"
version: 0.1
stack: { name: functions }
services:
  migrate: # a process
    kind: oneshot
    command: [sh, -c, echo migrated]
  store: # a function of this program
    runtime: task
    command: [store, "${port}"]
    dependsOn: [{ target: migrate, require: completed }]
    health: { tcp: {} }
  client: # another one
    runtime: task
    kind: oneshot
    command: [client, "${endpoint.store}"]
    dependsOn: [store]
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;

    // The contract first: each clause, with what it found.
    let report = contract::check(folder.path().to_owned()).await;
    print!("{report}");
    report.assert();

    let file = folder.path().join("stack.yaml");
    fs::write(&file, STACK)?;
    let loaded = load_file(&file, &Known::new(["process", "task"], ["tcp"]))?;
    let tasks: Arc<dyn Runtime> = Arc::new(Tasks::default().function("store", store).function("client", client));
    let engine =
        Engine::builder(loaded.stack).runtime(ProcessRuntime::new()).runtime(tasks).probes(probes::all()).start()?;
    engine.up().await?.done().await?;
    for service in &engine.status().await.ok_or("the engine has ended")?.snapshot.services {
        println!("{:8} {}", service.name, service.state);
    }
    engine.shutdown().await;
    Ok(())
}

/// Answers every line with the line in capitals, until it is asked to stop.
async fn store(mut context: Context) -> Result<(), Failure> {
    let port: u16 = context.argument(1)?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    context.say(&format!("listening on {port}")).await;
    loop {
        // Cancel-safe: both may be dropped at any time.
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            () = context.stopped() => return Ok(()),
        };
        tokio::spawn(async move {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if writer.write_all(format!("{}\n", line.to_uppercase()).as_bytes()).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// Asks the store once. It never retries: it starts when the store is ready.
async fn client(context: Context) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(context.argument(1)?).await?;
    stream.write_all(b"hello\n").await?;
    let mut answer = String::new();
    BufReader::new(&mut stream).read_line(&mut answer).await?;
    context.say(&format!("the store says {}", answer.trim())).await;
    if answer == "HELLO\n" { Ok(()) } else { Err(format!("a strange answer: {answer}").into()) }
}
