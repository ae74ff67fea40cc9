//! How instances end, and are ended.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use super::{
    fixture::Behaviour,
    lab::Lab,
    report::{Stop, ensure},
};
use crate::{model::Exit, runtime::How};

const TERM: i32 = 15;
const KILL: i32 = 9;

pub(super) async fn exit_codes(lab: &Lab<'_>) -> Result<(), Stop> {
    for code in [0, 1, 7] {
        let living = lab.start(Behaviour::Exits(code)).await?;
        let exit = lab.wait(&living).await?;
        ensure(exit == Exit::Code(code), || format!("exit code {code} was told as {exit}"))?;
    }
    Ok(())
}

pub(super) async fn signals(lab: &Lab<'_>) -> Result<(), Stop> {
    for signal in [KILL, 6] {
        let living = lab.start(Behaviour::DiesOf(signal)).await?;
        let exit = lab.wait(&living).await?;
        ensure(exit == Exit::Signal(signal), || format!("death by signal {signal} was told as {exit}"))?;
    }
    Ok(())
}

pub(super) async fn wait_again(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::Exits(3)).await?;
    for _ in 0..3 {
        let exit = lab.wait(&living).await?;
        ensure(exit == Exit::Code(3), || format!("a later wait said {exit}"))?;
    }
    Ok(())
}

pub(super) async fn concurrent_waits(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::Runs).await?;
    let waits = join_all((0..8).map(|_| lab.wait(&living)));
    let kill = async {
        tokio::task::yield_now().await;
        lab.stop(&living, How::Kill).await
    };
    let (exits, killed) = futures::join!(waits, kill);
    killed?;
    let exits = exits.into_iter().collect::<Result<Vec<_>, _>>()?;
    ensure(exits.windows(2).all(|two| two[0] == two[1]), || format!("they said different things: {exits:?}"))
}

pub(super) async fn dropped_wait(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    for micros in [0, 10, 1000, 5000] {
        let wait = lab.runtime.wait(&living.handle);
        let ended = timeout(Duration::from_micros(micros), wait).await.is_ok();
        ensure(!ended, || "wait returned though it runs".to_owned())?;
    }
    lab.stop(&living, How::Kill).await?;
    lab.wait(&living).await.map(|_| ())
}

pub(super) async fn graceful_stop(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    lab.stop(&living, How::Graceful(TERM)).await?;
    let exit = lab.wait(&living).await?;
    let fine = matches!(exit, Exit::Code(_) | Exit::Signal(TERM));
    ensure(fine, || format!("it was told as {exit}"))?;
    lab.nothing_left(living.handle.instance, "wait")
}

pub(super) async fn stop_at_once(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::Runs).await?;
    lab.stop(&living, How::Graceful(TERM)).await?;
    // A program may set up its handlers late; killing it must end it in any case.
    lab.stop(&living, How::Kill).await?;
    lab.wait(&living).await?;
    lab.nothing_left(living.handle.instance, "wait")
}

pub(super) async fn stop_again(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    for _ in 0..2 {
        lab.stop(&living, How::Graceful(TERM)).await?;
    }
    let exit = lab.wait(&living).await?;
    for how in [How::Graceful(TERM), How::Kill, How::Kill] {
        lab.stop(&living, how).await?;
    }
    let again = lab.wait(&living).await?;
    ensure(again == exit, || format!("after a late stop {exit} became {again}"))
}

pub(super) async fn kill(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::IgnoresStop).await?;
    lab.stop(&living, How::Graceful(TERM)).await?;
    let early = timeout(Duration::from_millis(50), lab.runtime.wait(&living.handle)).await;
    ensure(early.is_err(), || "it ended by a signal that it ignores".to_owned())?;
    lab.stop(&living, How::Kill).await?;
    let exit = lab.wait(&living).await?;
    let fine = !matches!(exit, Exit::Signal(signal) if signal != KILL);
    ensure(fine, || format!("it was told as {exit}"))?;
    lab.nothing_left(living.handle.instance, "wait")
}

pub(super) async fn kill_children(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Spawns).await?;
    lab.stop(&living, How::Kill).await?;
    lab.wait(&living).await?;
    lab.nothing_left(living.handle.instance, "kill and wait")?;
    let living = lab.start_ready(Behaviour::Spawns).await?;
    lab.stop(&living, How::Graceful(TERM)).await?;
    let instance = living.handle.instance;
    let wait = lab.runtime.wait(&living.handle);
    // The main process obeys, its children do not: the caller keeps the time, then kills.
    if timeout(Duration::from_millis(100), wait).await.is_ok() {
        return lab.nothing_left(instance, "a wait that returned early");
    }
    lab.stop(&living, How::Kill).await?;
    lab.wait(&living).await?;
    lab.nothing_left(instance, "stop, kill and wait")
}

pub(super) async fn left_children(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start(Behaviour::LeavesChildren).await?;
    let exit = lab.wait(&living).await?;
    ensure(exit == Exit::Code(0), || format!("exit code 0 was told as {exit}"))?;
    lab.nothing_left(living.handle.instance, "wait")
}

pub(super) async fn signal(lab: &Lab<'_>) -> Result<(), Stop> {
    let living = lab.start_ready(Behaviour::Runs).await?;
    lab.done("signal", lab.runtime.signal(&living.handle, TERM)).await?;
    lab.wait(&living).await?;
    // After the end it may fail, but must reach nobody else and must not hang.
    let _ = lab.within("signal after the end", lab.runtime.signal(&living.handle, TERM)).await?;
    Ok(())
}
