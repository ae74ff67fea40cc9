//! An engine in trouble is unknown, never dead.

use std::{sync::Arc, time::Duration};

use orco_core::{
    model::Exit,
    runtime::{ExecRequest, How, Runtime},
};
use orco_runtime_docker::Docker;
use tokio::time::{sleep, timeout};

use crate::{
    private::Private,
    proxy::{Manner, Proxy},
    real::{Lab, docker, engine, shell, until},
};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn no_trouble_of_the_engine_is_an_exit() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    let handle = lab.start("exec sleep 1000").await;
    let mut waiting = Box::pin(lab.docker.wait(&handle));
    for manner in [Manner::Fails, Manner::Hangs, Manner::Fails, Manner::Fine, Manner::Hangs] {
        proxy.set_now(manner);
        let early = timeout(Duration::from_millis(700), &mut waiting).await;
        assert!(early.is_err(), "{manner:?} was told as {early:?}");
    }
    // It ends while nobody can be asked.
    docker(&["kill", &handle.token]);
    proxy.set_now(Manner::Fine);
    assert_eq!(timeout(LONG, waiting).await.unwrap().unwrap(), Exit::Signal(9));
    proxy.set_now(Manner::Fails);
    let error = lab.docker.start(lab.script("true")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(lab.docker.list(&lab.stack, &[]).await.is_err());
    assert!(lab.docker.remove(&handle).await.is_err());
    proxy.set(Manner::Fine);
    lab.docker.remove(&handle).await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_without_an_answer_is_found_again_or_removed() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    // The network and what else comes before.
    let first = lab.start("exec sleep 1000").await;
    proxy.set(Manner::LosesCreations);
    let request = lab.script("exec sleep 1000");
    let error = lab.docker.start(request.clone()).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    until("the engine has created it", || lab.containers().len() == 2).await;
    proxy.set(Manner::Fine);
    // Tried again it is the same one. For a moment its name is given and nobody can look at it.
    let again = async {
        loop {
            match lab.docker.start(request.clone()).await {
                Ok(handle) => return handle,
                Err(error) => assert!(error.is_unavailable(), "{error}"),
            }
        }
    };
    let handle = timeout(LONG, again).await.unwrap();
    let there = lab.containers();
    assert!(there.contains(&handle.token) && there.len() == 2, "{handle:?} {there:?}");
    // Another one is not wanted any more.
    proxy.set(Manner::LosesCreations);
    assert!(lab.docker.start(lab.script("exec sleep 1000")).await.is_err());
    until("the engine has created it", || lab.containers().len() == 3).await;
    proxy.set(Manner::Fine);
    let waiting = timeout(LONG, lab.docker.wait(&first));
    let swept = until("nobody's container is removed", || lab.containers().len() == 2);
    tokio::select! {
        early = waiting => panic!("{early:?}"),
        () = swept => {}
    }
    lab.end().await;
}

/// The engine has started it, its answer was lost, and before the next try lists come: nobody takes it away.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_answer_has_started_is_not_taken_from_the_next_try() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    let first = lab.start("exec sleep 1000").await;
    let waiting = lab.docker.wait(&first);
    let request = lab.script("exec sleep 1000");
    let tried = async {
        proxy.set(Manner::LosesStarts);
        let error = lab.docker.start(request.clone()).await.unwrap_err();
        assert!(error.is_unavailable() && !error.is_certain(), "{error}");
        proxy.set_now(Manner::Fine);
        let running = || docker(&["ps", "-q", "--no-trunc", "--filter", &format!("label=orco.stack={}", lab.stack)]);
        until("the engine has started it", || running().lines().count() == 2).await;
        let before = running();
        // A list comes at once after each stream that broke.
        for _ in 0..10 {
            proxy.set_now(Manner::Fine);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(running(), before);
        let handle = lab.docker.start(request.clone()).await.unwrap();
        assert!(before.contains(&handle.token), "{handle:?}: {before}");
    };
    tokio::select! {
        early = waiting => panic!("{early:?}"),
        () = tried => {}
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_engine_is_gone_nothing_is_told_and_then_the_truth() {
    if !engine() {
        return;
    }
    let Some(mut private) = Private::start().await else { return };
    let lab = Lab::on(Docker::builder().host(private.host()).detached().build());
    let handle = lab.start("echo ready; exec sleep 1000").await;
    let waiting = lab.docker.wait(&handle);
    let restarting = async {
        // The engine ends its containers with it; nobody can know before it is asked again.
        private.stop();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let error = lab.docker.start(lab.script("true")).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
    };
    let mut waiting = std::pin::pin!(waiting);
    tokio::select! {
        early = &mut waiting => {
            // Told before the engine went: then it has really ended, by the engine's own kill.
            let exit = early.unwrap();
            assert!(matches!(exit, Exit::Signal(_) | Exit::Code(_)), "{exit}");
        }
        () = restarting => {}
    }
    private.start_again().await;
    let exit = timeout(LONG, lab.docker.wait(&handle)).await.unwrap().unwrap();
    assert!(matches!(exit, Exit::Signal(_) | Exit::Code(_)), "{exit}");
    // It heals by itself.
    let next = lab.start("exit 5").await;
    assert_eq!(timeout(LONG, lab.docker.wait(&next)).await.unwrap().unwrap(), Exit::Code(5));
    for handle in [&handle, &next] {
        lab.docker.remove(handle).await.unwrap();
    }
    lab.docker.shutdown().await;
}

/// A probe's command says nothing of the service while its engine hangs, whenever that begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_engine_holds_up_is_no_timeout() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    let request = lab.script("exec sleep 1000");
    lab.docker.start(request.clone()).await.unwrap();
    let ask = |limit| ExecRequest::new(&Arc::new(request.clone()), shell("exec sleep 1000"), limit);
    let second = Duration::from_secs(1);
    assert_eq!(lab.docker.exec(ask(second)).await.unwrap().exit, None, "it is the command that hangs");
    for begun in [false, true] {
        proxy.set(if begun { Manner::Fine } else { Manner::Hangs });
        let hangs = async {
            tokio::time::sleep(second).await;
            proxy.set_now(Manner::Hangs);
        };
        let (done, ()) = tokio::join!(timeout(LONG, lab.docker.exec(ask(second * 3))), hangs);
        let error = done.unwrap().unwrap_err();
        assert!(error.is_unavailable(), "begun {begun}: {error}");
    }
    proxy.set_now(Manner::Fine);
    lab.end().await;
}

/// What an engine of ours that is killed has asked for may come to be when the next one has looked already.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_is_not_used_and_goes() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let killed = Docker::builder().host(proxy.host()).detached().build();
    let lab = Lab::on(Docker::builder().detached().build());
    // Names need not be unique.
    proxy.set(Manner::HoldsNetworks);
    let request = lab.script("true");
    let mut asking = Box::pin(killed.start(request));
    let asked = async {
        while !proxy.asked().contains(&"POST networks/create".to_owned()) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = asked => {}
        started = &mut asking => panic!("{started:?}"),
    }
    drop(asking);
    let first = lab.start("exec sleep 1000").await;
    let used = lab.networks();
    proxy.set(Manner::Fine);
    until("the other network has come", || lab.networks().len() == 2).await;
    let request = lab.script("exec sleep 1000");
    let error = lab.docker.start(request.clone()).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("ambiguous"), "{error}");
    let second = lab.docker.start(request).await.unwrap();
    assert_eq!(lab.networks(), used);
    // So has a container that nobody will start.
    proxy.set(Manner::LosesCreations);
    let error = killed.start(lab.script("true")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    until("its container has come", || lab.containers().len() == 3).await;
    drop(killed);
    let waiting = timeout(LONG, lab.docker.wait(&first));
    tokio::select! {
        () = until("nobody starts it, and it goes", || lab.containers().len() == 2) => {}
        exit = waiting => panic!("{exit:?}"),
    }
    for handle in [first, second] {
        lab.docker.stop(&handle, How::Kill).await.unwrap();
        lab.docker.wait(&handle).await.unwrap();
        lab.docker.remove(&handle).await.unwrap();
    }
    lab.end().await;
}
