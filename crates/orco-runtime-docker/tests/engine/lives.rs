//! What becomes of containers, by our doing and behind our back, on the real engine.

use std::{net::TcpListener, sync::Arc, time::Duration};

use crate::{
    proxy::{Manner, Proxy},
    real::{Lab, docker, engine, service, shell, until},
};
use orco_core::{
    model::Exit,
    runtime::{How, Known, Publish, Runtime},
    spec::ServiceBuilder,
};
use orco_runtime_docker::Docker;
use tokio::time::timeout;

const SLEEPS: &str = "exec sleep 1000";
const MOMENT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);

macro_rules! lab {
    () => {
        match engine() {
            true => Lab::new(),
            false => return,
        }
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ignores_the_stop_signal_is_gone_at_the_kill() {
    let lab = lab!();
    let handle = lab.start("trap '' TERM; while :; do sleep 0.1; done").await;
    lab.docker.stop(&handle, How::Graceful(15)).await.unwrap();
    assert!(timeout(MOMENT, lab.docker.wait(&handle)).await.is_err());
    lab.docker.stop(&handle, How::Kill).await.unwrap();
    assert_eq!(timeout(LONG, lab.docker.wait(&handle)).await.unwrap().unwrap(), Exit::Signal(9));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn want_of_memory_is_told() {
    let lab = lab!();
    let hungry = service("api", shell("tail /dev/zero")).memory(16 << 20);
    let handle = lab.docker.start(lab.request(hungry)).await.unwrap();
    assert_eq!(timeout(LONG, lab.docker.wait(&handle)).await.unwrap().unwrap(), Exit::Oom);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_behind_our_back() {
    let lab = lab!();
    let handle = lab.start(SLEEPS).await;
    let (exit, ()) = tokio::join!(timeout(LONG, lab.docker.wait(&handle)), async {
        tokio::time::sleep(MOMENT).await;
        docker(&["kill", &handle.token]);
    });
    assert_eq!(exit.unwrap().unwrap(), Exit::Signal(9));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_behind_our_back() {
    let lab = lab!();
    let handle = lab.start(SLEEPS).await;
    let (exit, ()) = tokio::join!(timeout(LONG, lab.docker.wait(&handle)), async {
        tokio::time::sleep(MOMENT).await;
        docker(&["rm", "-f", &handle.token]);
    });
    // As the events told it; who missed those cannot know.
    let exit = exit.unwrap().unwrap();
    assert!(matches!(exit, Exit::Signal(9) | Exit::Unknown), "{exit}");
    assert_eq!(lab.docker.wait(&handle).await.unwrap(), exit);
    lab.docker.stop(&handle, How::Kill).await.unwrap();
    lab.docker.remove(&handle).await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_and_restarted_behind_our_back_it_lives_on() {
    let lab = lab!();
    let handle = lab.start(SLEEPS).await;
    let (early, ()) = tokio::join!(timeout(Duration::from_secs(3), lab.docker.wait(&handle)), async {
        tokio::time::sleep(MOMENT).await;
        docker(&["rename", &handle.token, &format!("other-{}", lab.stack)]);
        docker(&["restart", "-t", "0", &handle.token]);
    });
    assert!(early.is_err(), "a restart of somebody else was told as {early:?}");
    let found = lab.docker.list(&lab.stack, &[]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].handle.token, handle.token);
    assert_ne!(found[0].handle.pid, handle.pid);
    lab.docker.stop(&handle, How::Kill).await.unwrap();
    assert_eq!(timeout(LONG, lab.docker.wait(&handle)).await.unwrap().unwrap(), Exit::Signal(9));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn look_alikes_are_left_alone() {
    let (lab, other) = (lab!(), Lab::new());
    let theirs = other.start(SLEEPS).await;
    let mine = lab.start(SLEEPS).await;
    let id = lab.stack.to_string();
    // One without our label, and one whose label only begins like ours.
    let plain =
        docker(&["run", "-d", "--name", &format!("lab-api-1-{}", &id[..8]), crate::real::IMAGE, "sleep", "1000"]);
    let alike = docker(&["run", "-d", "--label", &format!("orco.stack={id}0"), crate::real::IMAGE, "sleep", "1000"]);
    let network = docker(&["network", "create", &format!("orco-{id}-other")]);
    let volume = docker(&["volume", "create", &format!("{id}-other")]);
    assert!([&plain, &alike, &network, &volume].iter().all(|made| !made.is_empty()));
    lab.docker.stop(&mine, How::Kill).await.unwrap();
    lab.docker.wait(&mine).await.unwrap();
    lab.end().await;
    let running = |id: &str| docker(&["inspect", "--format", "{{.State.Running}}", id]) == "true";
    let left = [running(&plain), running(&alike), running(&theirs.token)];
    let things = [docker(&["network", "inspect", &network]), docker(&["volume", "inspect", &volume])];
    docker(&["rm", "-f", &plain, &alike]);
    docker(&["network", "rm", &network]);
    docker(&["volume", "rm", &volume]);
    assert_eq!(left, [true; 3]);
    assert!(things.iter().all(|thing| !thing.is_empty()));
    other.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_go_with_whom_they_belong_to() {
    let lab = lab!();
    let with_volumes = service("api", shell("echo kept >/data/file; echo gone >/scratch/file"));
    let handle = lab.docker.start(lab.request(with_volumes.volume("data:/data").volume("/scratch"))).await.unwrap();
    assert_eq!(lab.docker.wait(&handle).await.unwrap(), Exit::Code(0));
    let names = docker(&["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", &handle.token]);
    let anonymous = names.split(' ').find(|name| name.len() == 64).unwrap();
    lab.docker.remove(&handle).await.unwrap();
    assert_eq!(docker(&["volume", "inspect", anonymous]), "");
    assert_eq!(lab.volumes(), [format!("{}-data", lab.stack)]);
    let reads = service("api", shell("grep -q kept /data/file")).volume("data:/data:ro");
    let handle = lab.docker.start(lab.request(reads)).await.unwrap();
    assert_eq!(lab.docker.wait(&handle).await.unwrap(), Exit::Code(0));
    lab.docker.shutdown().await;
    assert_eq!((lab.volumes().len(), lab.containers().len(), lab.networks().len()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_its_program_stays_until_it_has_ended() {
    if !engine() {
        return;
    }
    let detached = || Docker::builder().detached().keep_volumes().build();
    let lab = Lab::on(detached());
    let service = service("api", shell(SLEEPS)).volume("data:/data");
    let handle = lab.docker.start(lab.request(service)).await.unwrap();
    lab.docker.shutdown().await;
    assert_eq!((lab.containers().len(), lab.networks().len()), (1, 1));
    // A hook of the earlier program still runs in a container of its own.
    let stack = format!("orco.stack={}", lab.stack);
    let hook = ["--label", "orco.service=api", "--label", "orco.hook=other.1", crate::real::IMAGE, "sleep", "1000"];
    docker(&[&["run", "-d", "--label", &stack][..], &hook[..]].concat());
    assert_eq!(lab.containers().len(), 2);
    let next = detached();
    let found = next.list(&lab.stack, &[]).await.unwrap();
    assert_eq!(found.iter().map(|one| &one.handle).collect::<Vec<_>>(), [&handle]);
    assert_eq!(lab.containers(), std::slice::from_ref(&handle.token));
    next.stop(&handle, How::Kill).await.unwrap();
    assert_eq!(next.wait(&handle).await.unwrap(), Exit::Signal(9));
    next.remove(&handle).await.unwrap();
    next.shutdown().await;
    assert_eq!((lab.containers().len(), lab.networks().len(), lab.volumes().len()), (0, 0, 1));
}

/// An engine of ours that begins while theirs is away, and is told to end everything before it has asked again.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_listed_is_taken_away_in_the_end() {
    if !engine() {
        return;
    }
    // Its container remembered, or (a job that is over) nothing but the network.
    for remembered in [true, false] {
        let lab = Lab::on(Docker::builder().detached().build());
        let request = lab.script(SLEEPS);
        let handle = lab.docker.start(request.clone()).await.unwrap();
        if !remembered {
            lab.docker.stop(&handle, How::Kill).await.unwrap();
            lab.docker.wait(&handle).await.unwrap();
            lab.docker.remove(&handle).await.unwrap();
        }
        let proxy = Proxy::new();
        let next = Docker::builder().host(proxy.host()).detached().build();
        proxy.set(Manner::Fails);
        let known = Known::new(handle.clone(), Arc::clone(&request.service), request.log.clone());
        let known = if remembered { vec![known] } else { Vec::new() };
        assert!(next.list(&lab.stack, &known).await.is_err());
        proxy.set(Manner::Fine);
        if remembered {
            next.stop(&handle, How::Kill).await.unwrap();
            assert_eq!(next.wait(&handle).await.unwrap(), Exit::Signal(9));
            next.remove(&handle).await.unwrap();
        }
        assert_eq!(lab.networks().len(), 1);
        next.shutdown().await;
        assert_eq!((lab.containers().len(), lab.networks().len()), (0, 0), "remembered: {remembered}");
    }
}

/// No engine ever answers, as where there is none: that holds up nobody.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_never_answered_is_not_waited_for_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = format!("unix://{}", folder.path().join("nobody.sock").display());
    let docker = Docker::builder().host(nobody).detached().build();
    let stack = crate::real::some_stack();
    assert!(docker.list(&stack, &[]).await.is_err());
    let begun = std::time::Instant::now();
    docker.shutdown().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_program_left_goes_before_the_next_start() {
    let lab = lab!();
    let stack = format!("orco.stack={}", lab.stack);
    let left = docker(&[
        "run",
        "-d",
        "--label",
        &stack,
        "--label",
        "orco.service=api",
        "--label",
        "orco.instance=00000000000000000000000000000001",
        crate::real::IMAGE,
        "sleep",
        "1000",
    ]);
    assert_eq!(lab.containers(), [left]);
    let handle = lab.start(SLEEPS).await;
    assert_eq!(lab.containers(), std::slice::from_ref(&handle.token));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_may_be_repeated() {
    let lab = lab!();
    let request = lab.script("echo once; exec sleep 1000");
    let handle = lab.docker.start(request.clone()).await.unwrap();
    let again = Docker::builder().detached().build();
    assert_eq!(again.start(request.clone()).await.unwrap(), handle);
    // Also when it is over already: it does not run twice.
    lab.docker.stop(&handle, How::Kill).await.unwrap();
    lab.docker.wait(&handle).await.unwrap();
    assert_eq!(lab.docker.start(request).await.unwrap().token, handle.token);
    assert_eq!(lab.docker.wait(&handle).await.unwrap(), Exit::Signal(9));
    assert_eq!(docker(&["logs", &handle.token]), "once");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_the_name_is_named() {
    let lab = lab!();
    let request = lab.script(SLEEPS);
    let name = format!("lab-api-{}-{}", request.replica, &request.instance.to_string()[..8]);
    let stranger = docker(&["run", "-d", "--name", &name, crate::real::IMAGE, "sleep", "1000"]);
    let error = lab.docker.start(request.clone()).await.unwrap_err();
    docker(&["rm", "-f", &stranger]);
    assert!(error.is_unavailable() && error.to_string().contains(&name), "{error}");
    // It heals by itself.
    lab.docker.start(request).await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told_and_nothing_is_left() {
    let lab = lab!();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = stranger.local_addr().unwrap().port();
    let mut request = lab.script(SLEEPS);
    request.publish = vec![Publish::new(80, port)];
    let error = lab.docker.start(request.clone()).await.unwrap_err();
    assert_eq!((error.taken_port(), error.is_unavailable()), (Some(port), true), "{error}");
    assert_eq!(lab.containers(), Vec::<String>::new());
    drop(stranger);
    lab.docker.start(request).await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_service_is_refused() {
    let lab = lab!();
    let table = [
        (ServiceBuilder::container("api", "orco-test/no-such-image:1"), "No such image"),
        (service("api", shell(SLEEPS)).network("orco-no-such-network"), "orco-no-such-network"),
        (service("api", shell(SLEEPS)).volume("/no/such/folder:/data"), "/no/such/folder"),
        (service("api", shell(SLEEPS)).user("nobody-at-all"), "nobody-at-all"),
        (service("api", ["/no/such/program".to_owned()].to_vec()).init(false), "/no/such/program"),
    ];
    for (service, words) in table {
        let error = lab.docker.start(lab.request(service)).await.unwrap_err();
        assert!(error.is_certain() && !error.is_unavailable(), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(lab.containers(), Vec::<String>::new());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_into_a_container_and_between_them() {
    let lab = lab!();
    let mut request = lab.request(service("web", shell("echo hello >/index.html; exec httpd -f -p 80 -h /")));
    request.replica = 3;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    request.publish = vec![Publish::new(80, free.port())];
    let web = lab.docker.start(request).await.unwrap();
    assert_eq!(lab.docker.endpoint(&web, 80).await.unwrap(), free);
    let direct = lab.docker.endpoint(&web, 81).await.unwrap();
    assert!(!direct.ip().is_loopback() && direct.port() == 81, "{direct}");
    until("the port answers", || std::net::TcpStream::connect(free).is_ok()).await;
    let asks =
        "wget -qO- http://web/ | grep hello && wget -qO- http://web-3/ | grep hello && grep host.docker /etc/hosts";
    let asking = lab.start(asks).await;
    assert_eq!(lab.docker.wait(&asking).await.unwrap(), Exit::Code(0));
    let shared = lab.docker.start(lab.request(service("api", shell(SLEEPS)).network("host"))).await.unwrap();
    assert_eq!(lab.docker.endpoint(&shared, 9).await.unwrap().to_string(), "127.0.0.1:9");
    let usage = lab.docker.stats(&web).await.unwrap();
    assert!(usage.memory > 0, "{usage:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_somebody_removed_is_made_again() {
    let lab = lab!();
    let first = lab.start("true").await;
    lab.docker.wait(&first).await.unwrap();
    lab.docker.remove(&first).await.unwrap();
    docker(&["network", "rm", &format!("orco-{}", lab.stack)]);
    assert_eq!(lab.networks(), Vec::<String>::new());
    let request = lab.script("true");
    let error = lab.docker.start(request.clone()).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    let second = lab.docker.start(request).await.unwrap();
    assert_eq!(lab.docker.wait(&second).await.unwrap(), Exit::Code(0));
    lab.end().await;
}
