//! What is asked about commands in containers, and being attached to them.

use std::{fmt, pin::Pin};

use bollard::{
    container::LogOutput,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    query_parameters::AttachContainerOptionsBuilder,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::io::AsyncWrite;

use super::{Client, EngineError};

/// A command to be run in a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ExecSpec {
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    pub(crate) stdin: bool,
}

/// Where a command is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExecState {
    pub(crate) running: bool,
    pub(crate) code: Option<i64>,
    /// On the engine's host.
    pub(crate) pid: Option<u32>,
}

/// Both ends of a command's streams.
pub(crate) struct Attached {
    /// Standard output and error as they come, until both are closed or the connection is.
    pub(crate) output: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    pub(crate) input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attached")
    }
}

/// Makes a command ready. Nothing runs yet.
pub(crate) async fn create(client: &Client, container: &str, spec: &ExecSpec) -> Result<String, EngineError> {
    let options = CreateExecOptions::<String> {
        attach_stdin: Some(spec.stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(spec.argv.clone()),
        env: Some(spec.env.clone()),
        user: spec.user.clone(),
        working_dir: spec.workdir.clone(),
        ..Default::default()
    };
    client.call("prepare a command", |docker| async move { Ok(docker.create_exec(container, options).await?.id) }).await
}

/// Starts it. What becomes of that is told by [`inspect`]: the engine answers before it tries.
pub(crate) async fn start(client: &Client, exec: &str) -> Result<Attached, EngineError> {
    let options = StartExecOptions { detach: false, tty: false, output_capacity: None };
    let started =
        client.call("start a command", |docker| async move { docker.start_exec(exec, Some(options)).await }).await?;
    Ok(match started {
        StartExecResults::Attached { output, input } => Attached { output: bytes(output), input },
        StartExecResults::Detached => {
            Attached { output: Box::pin(futures::stream::empty()), input: Box::pin(tokio::io::sink()) }
        }
    })
}

/// Where it is; `None`: the engine has forgotten it.
pub(crate) async fn inspect(client: &Client, exec: &str) -> Result<Option<ExecState>, EngineError> {
    let asked = client.call("ask for a command", |docker| async move { docker.inspect_exec(exec).await }).await;
    match asked {
        Ok(told) => Ok(Some(ExecState {
            running: told.running.unwrap_or_default(),
            code: told.exit_code,
            pid: told.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
        })),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Attaches to a container that is not started yet.
pub(crate) async fn attach(client: &Client, container: &str, stdin: bool) -> Result<Attached, EngineError> {
    let options = AttachContainerOptionsBuilder::default().stream(true).stdin(stdin).stdout(true).stderr(true).build();
    let attached = client
        .call("attach to a container", |docker| async move { docker.attach_container(container, Some(options)).await })
        .await?;
    Ok(Attached { output: bytes(attached.output), input: attached.input })
}

type Outputs = Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// A connection that breaks ends it: whether the command has ended is asked for elsewhere.
fn bytes(output: Outputs) -> Pin<Box<dyn Stream<Item = Bytes> + Send>> {
    let whole = output.take_while(|item| std::future::ready(item.is_ok()));
    Box::pin(whole.filter_map(|item| std::future::ready(item.ok().map(LogOutput::into_bytes))))
}
