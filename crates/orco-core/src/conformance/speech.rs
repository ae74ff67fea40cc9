//! What instances print, and commands beside them.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::timeout;

use super::{
    fixture::{Behaviour, Exec, MARK},
    lab::{Lab, Living},
    output::Said,
    report::{Stop, ensure, fail},
};
use crate::{
    model::{Exit, InstanceId},
    runtime::{ExecRequest, ExecResult, How, RuntimeError},
};

const LINES: u32 = 2000;

fn expected() -> BTreeMap<bool, Vec<String>> {
    let numbers: Vec<_> = (0..LINES).map(|n| n.to_string()).collect();
    let mut out = numbers.clone();
    out.push("end".to_owned());
    BTreeMap::from([(false, out), (true, numbers)])
}

fn compare(said: Vec<Said>) -> Result<(), Stop> {
    let mut streams: BTreeMap<bool, Vec<String>> = BTreeMap::from([(false, Vec::new()), (true, Vec::new())]);
    for (stderr, line) in said {
        streams.entry(stderr).or_default().push(line);
    }
    for (stderr, want) in expected() {
        let got = streams.remove(&stderr).unwrap_or_default();
        let name = if stderr { "stderr" } else { "stdout" };
        let differs = want.iter().zip(&got).position(|(want, got)| want != got).unwrap_or(want.len().min(got.len()));
        ensure(got == want, || {
            format!(
                "{name}: {} of {} lines, different from line {differs} on: {:?}",
                got.len(),
                want.len(),
                got.get(differs)
            )
        })?;
    }
    Ok(())
}

pub(super) async fn complete(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::Prints(LINES)).await?;
    lab.wait(&living).await?;
    compare(lab.all_said(&living).await?)?;
    // A short life must not be quicker than its log.
    for _ in 0..5 {
        let living = lab.start(Behaviour::Prints(1)).await?;
        lab.wait(&living).await?;
        let said = lab.all_said(&living).await?;
        ensure(said.len() == 3, || format!("after a short life: {said:?}"))?;
    }
    Ok(())
}

pub(super) async fn followed(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    let (_, bytes) = living.output.read(false).map_err(|e| Stop::Fail(e.to_string()))?;
    let quiet = timeout(Duration::from_millis(20), living.output.beyond(bytes)).await;
    ensure(quiet.is_err(), || "growth was announced, and there is none".to_owned())?;
    lab.stop(&living, How::Kill).await?;
    lab.wait(&living).await?;
    for _ in 0..2 {
        lab.within("the end of the output", living.output.beyond(u64::MAX)).await?;
    }
    Ok(())
}

fn ask(lab: &Lab<'_>, living: &Living, exec: Exec, limit: Duration) -> Result<(ExecRequest, InstanceId), Stop> {
    if !lab.runtime.can_exec() {
        return Err(Stop::Skip("the runtime cannot execute commands".to_owned()));
    }
    let Some(argv) = lab.fixture.command(exec) else { return Err(Stop::Skip(format!("no command for {exec:?}"))) };
    let mut request = ExecRequest::new(&living.request, argv, limit);
    let mark = lab.fresh();
    request.env.insert(MARK.to_owned(), Some(mark.to_string()));
    Ok((request, mark))
}

async fn run(lab: &Lab<'_>, living: &Living, exec: Exec, limit: Duration) -> Result<ExecOutcome, Stop> {
    let (request, mark) = ask(lab, living, exec, limit)?;
    let result = lab.within("exec", lab.runtime.exec(request)).await?;
    lab.nothing_left(mark, "exec")?;
    Ok(result)
}

type ExecOutcome = Result<ExecResult, RuntimeError>;

pub(super) async fn exec(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    if !lab.runtime.can_exec() {
        let request = ExecRequest::new(&living.request, vec!["x".to_owned()], Duration::from_secs(1));
        let result = lab.within("exec", lab.runtime.exec(request)).await?;
        return match result {
            Err(error) if error.is_certain() => Err(Stop::Skip("the runtime cannot execute commands".to_owned())),
            other => fail(format!("it cannot execute commands, and exec said {other:?}")),
        };
    }
    for code in [0, 4] {
        match run(lab, &living, Exec::Exits(code), Duration::from_secs(5)).await? {
            Ok(result) => {
                ensure(result.exit == Some(Exit::Code(code)), || format!("code {code} was told as {:?}", result.exit))?;
                let text = String::from_utf8_lossy(&result.output).into_owned();
                ensure(text.trim() == "hello", || format!("its output was {text:?}"))?;
            }
            Err(error) => return fail(format!("exec failed: {}", error.chain())),
        }
    }
    match run(lab, &living, Exec::Fails, Duration::from_secs(5)).await {
        Err(Stop::Skip(_)) => {}
        Err(stop) => return Err(stop),
        Ok(Err(error)) => ensure(error.is_certain(), || format!("a failed exec is not certain: {}", error.chain()))?,
        Ok(Ok(result)) => return fail(format!("a command that cannot be started ended as {:?}", result.exit)),
    }
    let wait = timeout(Duration::from_millis(1), lab.runtime.wait(&living.handle)).await;
    ensure(wait.is_err(), || "the instance ended with the commands".to_owned())
}

pub(super) async fn exec_timeout(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    match run(lab, &living, Exec::Hangs, Duration::from_millis(100)).await? {
        Ok(result) => ensure(result.exit.is_none(), || format!("it was told as {:?}", result.exit)),
        Err(error) => fail(format!("exec failed: {}", error.chain())),
    }
}

pub(super) async fn exec_dropped(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    for millis in [0, 1, 5, 50] {
        let (request, mark) = ask(lab, &living, Exec::Hangs, Duration::from_secs(60))?;
        let ended = timeout(Duration::from_millis(millis), lab.runtime.exec(request)).await.is_ok();
        ensure(!ended, || "it ended".to_owned())?;
        lab.soon_nothing_left(mark, "a dropped exec").await?;
    }
    Ok(())
}
