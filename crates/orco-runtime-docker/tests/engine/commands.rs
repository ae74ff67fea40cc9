//! Commands inside containers and beside them, on the real engine.

use std::{sync::Arc, time::Duration};

use crate::real::{Lab, docker, engine, service, shell};
use orco_core::{
    model::Exit,
    runtime::{ExecRequest, Runtime, StartRequest},
};

const LONG: Duration = Duration::from_secs(60);

fn ask(start: &StartRequest, script: &str, timeout: Duration) -> ExecRequest {
    ExecRequest::new(&Arc::new(start.clone()), shell(script), timeout)
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_read_print_and_end() {
    if !engine() {
        return;
    }
    let lab = Lab::new();
    let service = service("api", shell("exec sleep 1000")).env("A", "1").container_workdir("/srv");
    let request = lab.request(service);
    lab.docker.start(request.clone()).await.unwrap();
    let mut asked = ask(&request, "pwd; echo $A$B; cat; echo err >&2; exit 3", LONG);
    asked.env.insert("B".to_owned(), Some("2".to_owned()));
    asked.stdin = b"from outside\n".to_vec();
    let done = lab.docker.exec(asked).await.unwrap();
    let said = String::from_utf8(done.output).unwrap();
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(done.exit, Some(Exit::Code(3)), "{said}");
    assert_eq!(lines, ["/srv", "12", "err", "from outside"]);
    let much = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done";
    let done = lab.docker.exec(ask(&request, much, LONG)).await.unwrap();
    assert_eq!((done.exit, done.output.len()), (Some(Exit::Code(0)), 64 * 1024));
    assert!(done.output.ends_with(b"line 19999\n"));
    let all: usize = (0..20_000).map(|i| format!("line {i}\n").len()).sum();
    assert_eq!(done.omitted, (all - 64 * 1024) as u64);
    for (program, code) in [("/no/such", 127), ("/etc", 126)] {
        let asked = ExecRequest::new(&Arc::new(request.clone()), vec![program.to_owned()], LONG);
        let error = lab.docker.exec(asked).await.unwrap_err();
        assert_eq!((error.shell_code(), error.is_certain()), (Some(code), true), "{program}: {error}");
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_an_instance_that_is_not_there() {
    if !engine() {
        return;
    }
    let lab = Lab::new();
    let request = lab.request(service("api", shell("cat /data/seed; exec sleep 1000")).volume("data:/data"));
    let mut before = ask(&request, "cat >/data/seed; echo seeded", LONG);
    before.beside = true;
    before.stdin = b"seed\n".to_vec();
    let done = lab.docker.exec(before).await.unwrap();
    assert_eq!((done.exit, &done.output[..]), (Some(Exit::Code(0)), &b"seeded\n"[..]));
    assert_eq!(lab.containers(), Vec::<String>::new());
    let handle = lab.docker.start(request.clone()).await.unwrap();
    let mut hangs = ask(&request, "trap '' TERM; while :; do sleep 0.1; done", Duration::from_millis(500));
    hangs.beside = true;
    // It is no instance, also while it runs.
    let (done, found) = tokio::join!(lab.docker.exec(hangs), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        lab.docker.list(&lab.stack, &[]).await.unwrap()
    });
    assert_eq!(done.unwrap().exit, None);
    assert_eq!(found.iter().map(|one| &one.handle.token).collect::<Vec<_>>(), [&handle.token]);
    assert_eq!(lab.containers(), std::slice::from_ref(&handle.token));
    until_said(&handle.token, "seed").await;
    lab.end().await;
}

async fn until_said(container: &str, text: &str) {
    crate::real::until(text, || docker(&["logs", container]).contains(text)).await;
}
