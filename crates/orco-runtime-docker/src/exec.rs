//! Commands inside a container, and where to put those for which there is none.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use orco_core::runtime::{ExecRequest, ExecResult, RuntimeError};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    beside, create,
    docker::Inner,
    engine::{
        Client, EngineError,
        execs::{self, Attached, ExecSpec},
        not_started,
    },
    exit, manhunt,
    manhunt::Prey,
    tail::Tail,
    wait,
};

/// What an engine says of a program that is not there.
const MISSING: [&str; 3] = ["executable file not found", "no such file or directory", "a command that was not found"];
/// Pauses between questions for the exit code of a command whose output has ended.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// After the deadline, an engine that answers by then lives: it is the command that hangs.
const ANSWERS: Duration = Duration::from_secs(1);

/// Runs a command, in a task of its own: it is ended also if the caller goes.
pub(crate) async fn exec(inner: &Arc<Inner>, request: ExecRequest) -> Result<ExecResult, RuntimeError> {
    let unwanted = CancellationToken::new();
    let task = inner.tasks.spawn({
        let (inner, unwanted) = (Arc::clone(inner), unwanted.clone());
        async move {
            match request.beside {
                true => beside::run(&inner, &request, &unwanted).await,
                false => inside(&inner, &request, &unwanted).await,
            }
        }
    });
    let _caller = unwanted.drop_guard();
    task.await.unwrap_or_else(|error| Err(RuntimeError::unknown("the command broke off").because(error)))
}

async fn inside(
    inner: &Arc<Inner>,
    request: &ExecRequest,
    unwanted: &CancellationToken,
) -> Result<ExecResult, RuntimeError> {
    let deadline = Instant::now() + request.timeout;
    let client = &inner.client;
    // Cancel-safe: a command that was made and not started is nothing.
    let made = timeout_at(deadline, make(inner, request)).await;
    let prey = made.map_err(|_| held_up(request))??;
    if unwanted.is_cancelled() {
        return Err(RuntimeError::refused("nobody wants it any more"));
    }
    let attached = match timeout_at(deadline, execs::start(client, &prey.command)).await {
        Ok(Ok(attached)) => attached,
        Ok(Err(error)) => {
            if error.status().is_none() {
                manhunt::end(inner, &prey).await;
            }
            return Err(error.into_runtime_repeatable());
        }
        Err(_) => {
            hunt(inner, prey);
            return Err(held_up(request));
        }
    };
    let mut output = Tail::default();
    let ran = async {
        talk(attached, &request.stdin, &mut output).await;
        code(client, &prey.command).await
    };
    // Cancel-safe: what is dropped is killed.
    let code = tokio::select! {
        code = ran => code,
        () = sleep_until(deadline) => None,
        () = unwanted.cancelled() => None,
    };
    let Some(code) = code else {
        let answer = timeout(ANSWERS, execs::inspect(client, &prey.command)).await;
        if !answer.is_ok_and(|state| state.is_ok()) {
            hunt(inner, prey);
            return Err(held_up(request));
        }
        manhunt::end(inner, &prey).await;
        return Ok(output.result(None));
    };
    let result = output.result(Some(exit::of(code, false)));
    let Some(why) = not_started(code, &result.output) else { return Ok(result) };
    // Engines say 126 also of what is not there.
    let missing = code == 127 || MISSING.iter().any(|text| why.contains(text));
    Err(RuntimeError::refused(why).with_shell_code(if missing { 127 } else { 126 }))
}

/// Makes a command, and does not start it.
async fn make(inner: &Arc<Inner>, request: &ExecRequest) -> Result<Prey, RuntimeError> {
    let found = wait::container_of(inner, request.instance).await.map_err(EngineError::into_runtime_repeatable)?;
    let container = found.ok_or_else(|| RuntimeError::refused("the container is not there"))?;
    let stamp = format!("{}.{}.{}", request.instance, std::process::id(), inner.number());
    let manners = inner.client.manners().await.map_err(EngineError::into_runtime_repeatable)?;
    let mut env = create::env(&request.env, manners);
    env.push(format!("{}={stamp}", manhunt::STAMP));
    let spec = ExecSpec {
        argv: request.argv.clone(),
        env,
        user: request.user.clone(),
        workdir: request.start.service.container_workdir.clone(),
        stdin: !request.stdin.is_empty(),
    };
    let made = execs::create(&inner.client, &container, &spec).await;
    let command = made.map_err(EngineError::into_runtime_repeatable)?;
    Ok(Prey { container, command, stamp })
}

/// Ends it as soon as the engine answers again; nobody waits for that.
fn hunt(inner: &Arc<Inner>, prey: Prey) {
    let hunter = Arc::clone(inner);
    inner.tasks.spawn(async move {
        // Cancel-safe: what is left then ends with its container.
        tokio::select! {
            () = manhunt::end(&hunter, &prey) => {}
            () = hunter.closing.cancelled() => {}
        }
    });
}

/// It is the engine that hangs: whether a command would have ended in time nobody knows.
fn held_up(request: &ExecRequest) -> RuntimeError {
    let limit = orco_core::model::human(request.timeout);
    RuntimeError::unanswered(format!("the engine did not answer within {limit}"))
}

/// Gives it its input, and takes what it prints until it prints no more.
pub(crate) async fn talk(attached: Attached, stdin: &[u8], output: &mut Tail) {
    let Attached { output: mut printed, mut input } = attached;
    let feed = async {
        if !stdin.is_empty() {
            // One who does not read on has what he needs.
            let _ = input.write_all(stdin).await;
            let _ = input.flush().await;
        }
        let _ = input.shutdown().await;
        // Kept open until all was read: some engines take the end of the connection for the end of the command.
        std::future::pending::<()>().await;
    };
    let read = async {
        while let Some(bytes) = printed.next().await {
            output.push(&bytes);
        }
    };
    // Neither is polled again.
    tokio::select! {
        () = feed => {}
        () = read => {}
    }
}

/// The exit code, as soon as the engine knows it. `None`: the container is gone, or the engine has forgotten it.
async fn code(client: &Client, command: &str) -> Option<i64> {
    let mut pause = PAUSES.0;
    loop {
        match execs::inspect(client, command).await {
            Ok(None) => return None,
            Ok(Some(state)) if !state.running && state.code.is_some() => return state.code,
            // An engine that does not answer: until the deadline.
            Ok(Some(_)) | Err(_) => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
