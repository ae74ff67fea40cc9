//! How instances come to be, and are known.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::time::{sleep, timeout};

use super::{
    fixture::Behaviour,
    lab::Lab,
    report::{Stop, ensure, fail},
};
use crate::{
    model::Exit,
    runtime::{Handle, How, Known},
    spec::Severity,
};

pub(super) async fn failed_start(lab: &Lab<'_>) -> Result<(), Stop> {
    let request = lab.request(Behaviour::FailsToStart)?;
    let instance = request.instance;
    match lab.within("start", lab.runtime.start(request)).await? {
        Ok(_) => return fail("it returned Ok"),
        Err(error) => {
            ensure(error.is_certain(), || format!("it is not certain: {}", error.chain()))?;
            let text = error.to_string();
            let is_fragment = !text.is_empty() && !text.ends_with('.') && !text.contains('\n');
            ensure(is_fragment, || format!("its message is no fragment: {text:?}"))?;
        }
    }
    ensure(!lab.is_listed(instance).await?, || "it is listed".to_owned())?;
    lab.done("reap", lab.runtime.reap(instance)).await?;
    lab.nothing_left(instance, "a failed start")
}

pub(super) async fn dropped_start(lab: &Lab<'_>) -> Result<(), Stop> {
    for micros in [0, 50, 300, 1000, 3000, 20_000] {
        let request = lab.request(Behaviour::Runs)?;
        let instance = request.instance;
        let start = lab.runtime.start(request);
        // Whether it came to an end before is of no matter.
        let _ = timeout(Duration::from_micros(micros), start).await;
        lab.done("reap", lab.runtime.reap(instance)).await?;
        lab.nothing_left(instance, "reap")?;
        ensure(!lab.is_listed(instance).await?, || "it is listed after reap".to_owned())?;
        sleep(Duration::from_millis(20)).await;
        lab.nothing_left(instance, "reap, a little later")?;
    }
    Ok(())
}

pub(super) async fn reap(lab: &Lab<'_>) -> Result<(), Stop> {
    let stranger = lab.fresh();
    lab.done("reap of an unknown instance", lab.runtime.reap(stranger)).await?;
    let living = lab.start_ready(Behaviour::IgnoresStop).await?;
    let other = lab.start_ready(Behaviour::Runs).await?;
    lab.done("reap", lab.runtime.reap(living.handle.instance)).await?;
    lab.nothing_left(living.handle.instance, "reap")?;
    let wait = lab.runtime.wait(&other.handle);
    let ended = timeout(Duration::from_millis(20), wait).await.is_ok();
    ensure(!ended, || "reap ended another instance".to_owned())?;
    lab.done("a second reap", lab.runtime.reap(living.handle.instance)).await
}

pub(super) async fn list(lab: &Lab<'_>) -> Result<(), Stop> {
    let one = lab.start_ready(Behaviour::Runs).await?;
    let two = lab.start_ready(Behaviour::Runs).await?;
    let found = lab.done("list", lab.runtime.list(&lab.stack, &[])).await?;
    for living in [&one, &two] {
        let Some(found) = found.iter().find(|f| f.handle.instance == living.handle.instance) else {
            return fail("a living instance is not listed");
        };
        ensure(found.handle == living.handle, || format!("listed as {:?}, was {:?}", found.handle, living.handle))?;
        let name = &living.request.service.name;
        ensure(found.service == *name, || format!("listed under {}, is of {name}", found.service))?;
    }
    ensure(found.len() == 2, || format!("2 instances live, {} are listed", found.len()))?;
    let other = lab.other_stack;
    let foreign = lab.done("list", lab.runtime.list(&other, &[])).await?;
    ensure(foreign.is_empty(), || "another stack's list has them too".to_owned())?;
    for living in [&one, &two] {
        lab.stop(living, How::Kill).await?;
        let exit = lab.wait(living).await?;
        // Its end counts as taken only when it is removed: another engine may have to ask for it.
        ensure(lab.is_listed(living.handle.instance).await?, || "not listed before remove".to_owned())?;
        let again = timeout(Duration::from_millis(100), lab.runtime.wait(&living.handle)).await;
        ensure(matches!(&again, Ok(Ok(told)) if *told == exit), || format!("an ended one's wait gave {again:?}"))?;
        lab.done("remove", lab.runtime.remove(&living.handle)).await?;
        ensure(!lab.is_listed(living.handle.instance).await?, || "listed after remove".to_owned())?;
    }
    Ok(())
}

/// Another client finds what runs and what has ended, with the same answers; what it does not know it does not make up.
pub(super) async fn again(lab: &Lab<'_>) -> Result<(), Stop> {
    let running = lab.start_ready(Behaviour::Runs).await?;
    let ended = lab.start(Behaviour::Exits(7)).await?;
    lab.wait(&ended).await?;
    let gone = lab.start(Behaviour::Exits(8)).await?;
    lab.wait(&gone).await?;
    lab.done("remove", lab.runtime.remove(&gone.handle)).await?;
    let Some(second) = lab.fixture.again() else { return Err(Stop::Skip("there is no second client".to_owned())) };
    let known = [&running, &ended].map(|living| {
        Known::new(living.handle.clone(), Arc::clone(&living.request.service), living.request.log.clone())
    });
    let found = lab.done("a second client's list", second.list(&lab.stack, &known)).await?;
    for living in [&running, &ended] {
        let handles: Vec<_> =
            found.iter().map(|f| &f.handle).filter(|h| h.instance == living.handle.instance).collect();
        let same = handles.len() == 1 && handles.iter().all(|handle| names_the_same(handle, &living.handle));
        ensure(same, || format!("{:?} is found as {handles:?}", living.handle))?;
    }
    ensure(found.len() == 2, || format!("2 instances are to be found, {} were", found.len()))?;
    let exit = lab.done("a second client's wait", second.wait(&ended.handle)).await?;
    ensure(exit == Exit::Code(7), || format!("exit code 7 was told to the second client as {exit}"))?;
    lab.done("a second client's stop", second.stop(&running.handle, How::Kill)).await?;
    lab.done("a second client's wait", second.wait(&running.handle)).await?;
    lab.nothing_left(running.handle.instance, "a second client's kill")
}

/// Whether two handles are of the same instance. A pid is a comfort for people: whoever asks an engine of containers for
/// one that has ended is told none.
fn names_the_same(one: &Handle, other: &Handle) -> bool {
    let pids_agree = one.pid.is_none() || other.pid.is_none() || one.pid == other.pid;
    pids_agree && (&one.instance, &one.token, &one.container) == (&other.instance, &other.token, &other.container)
}

pub(super) async fn remove(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::Prints(3)).await?;
    lab.wait(&living).await?;
    for _ in 0..2 {
        lab.done("remove", lab.runtime.remove(&living.handle)).await?;
    }
    let said = lab.all_said(&living).await?;
    ensure(said.len() == 7, || format!("its log did not stay: {said:?}"))
}

pub(super) async fn many(lab: &Lab<'_>) -> Result<(), Stop> {
    let many = lab.fixture.many();
    let short = join_all((0..many).map(|i| async move {
        let code = (i % 50) as i32;
        let living = lab.start(Behaviour::Exits(code)).await?;
        let exit = lab.wait(&living).await?;
        ensure(exit == Exit::Code(code), || format!("exit code {code} was told as {exit}"))
    }));
    short.await.into_iter().collect::<Result<(), _>>()?;
    let long = join_all((0..many).map(|_| async {
        let living = lab.start(Behaviour::Runs).await?;
        lab.stop(&living, How::Kill).await?;
        lab.wait(&living).await?;
        lab.nothing_left(living.handle.instance, "kill and wait")
    }));
    long.await.into_iter().collect()
}

pub(super) async fn validate(lab: &Lab<'_>) -> Result<(), Stop> {
    for behaviour in [Behaviour::Exits(0), Behaviour::Runs, Behaviour::Prints(1)] {
        let request = lab.request(behaviour)?;
        let errors: Vec<_> = lab.runtime.validate(&request.service);
        let errors: Vec<_> = errors.iter().filter(|d| d.severity == Severity::Error).collect();
        ensure(errors.is_empty(), || format!("{behaviour:?}: {errors:?}"))?;
        let name = lab.runtime.name();
        ensure(request.service.runtime == name, || format!("made for `{}`, not `{name}`", request.service.runtime))?;
    }
    Ok(())
}
