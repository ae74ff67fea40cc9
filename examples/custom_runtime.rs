//! A runtime of your own: its instances are async functions of this program, and they are nodes of the same graph as
//! processes are. Here a migration (a process) must complete before a store (a function) starts, and a client (a
//! function) waits until the store's TCP probe says that it is ready.
//!
//! ```text
//! cargo run --example custom_runtime
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "custom_runtime/tasks.rs"]
mod tasks;

use std::{error::Error, sync::Arc, time::Duration};

use orco::engine::Engine;
use tasks::{Context, Tasks};
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
    let tasks = Tasks::default().function("store", store).function("client", client);
    conformance(&tasks).await?;
    Ok(())
}

/// Answers every line with the line in capitals, until it is asked to stop.
async fn store(mut context: Context) -> Result<(), String> {
    let port: u16 = context.argument(1)?.parse().map_err(|e| format!("the port: {e}"))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|e| e.to_string())?;
    context.say(&format!("listening on {port}")).await;
    loop {
        // Cancel-safe: both may be dropped at any time.
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map_err(|e| e.to_string())?.0,
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
async fn client(context: Context) -> Result<(), String> {
    let mut stream = TcpStream::connect(context.argument(1)?).await.map_err(|e| e.to_string())?;
    stream.write_all(b"hello\n").await.map_err(|e| e.to_string())?;
    let mut answer = String::new();
    BufReader::new(&mut stream).read_line(&mut answer).await.map_err(|e| e.to_string())?;
    context.say(&format!("the store says {}", answer.trim())).await;
    if answer == "HELLO\n" { Ok(()) } else { Err(format!("a strange answer: {answer}")) }
}
