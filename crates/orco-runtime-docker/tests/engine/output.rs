//! Output, whatever happens to the stream, on the real engine.

use std::{sync::atomic::Ordering, time::Duration};

use crate::proxy::{Manner, Proxy};
use crate::real::{Lab, engine};
use futures::StreamExt as _;
use orco_core::runtime::{Handle, LogChunk, LogPosition, LogSource, LogStream, Runtime};
use orco_runtime_docker::Docker;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(120);

fn stream(docker: &Docker, handle: &Handle, from: Option<&LogPosition>) -> LogStream {
    match docker.logs(handle, from) {
        LogSource::Stream(stream) => stream,
        other => panic!("{other:?}"),
    }
}

async fn all(stream: LogStream) -> Vec<LogChunk> {
    timeout(LONG, stream.collect()).await.unwrap()
}

fn joined(chunks: &[LogChunk], stderr: bool) -> String {
    let bytes: Vec<u8> = chunks.iter().filter(|c| c.stderr == stderr).flat_map(|c| c.bytes.clone()).collect();
    String::from_utf8(bytes).unwrap()
}

fn numbers(count: usize) -> String {
    (0..count).map(|n| format!("{n}\n")).collect()
}

/// Numbered lines on both streams, some at once and some with time between: in three seconds less than is cut off, for
/// what is read anew begins two to three seconds back.
fn writer(lines: usize) -> String {
    format!(
        "i=0; while [ $i -lt {lines} ]; do echo $i; echo $i >&2; i=$((i+1)); \
         if [ $((i % 100)) = 0 ]; then sleep 0.2; fi; done"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_again_and_again_nothing_is_lost_or_doubled() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    proxy.set(Manner::CutOutput(100_000));
    let handle = lab.start(&writer(5000)).await;
    let (chunks, exit) = tokio::join!(all(stream(&lab.docker, &handle, None)), lab.docker.wait(&handle));
    exit.unwrap();
    for stderr in [false, true] {
        let said = joined(&chunks, stderr);
        assert!(said == numbers(5000), "stderr {stderr}: {} lines", said.lines().count());
    }
    assert!(proxy.cuts.load(Ordering::Relaxed) > 1, "{:?}", proxy.cuts);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reader_goes_on_where_the_last_one_stopped() {
    if !engine() {
        return;
    }
    let lab = Lab::new();
    let handle = lab.start(&writer(4000)).await;
    let mut chunks = Vec::new();
    let mut position: Option<LogPosition> = None;
    let mut readers = 0;
    loop {
        // Another engine, which knows nothing but the position.
        let docker = Docker::builder().detached().build();
        let mut reading = stream(&docker, &handle, position.as_ref());
        let some: Vec<_> = timeout(LONG, reading.by_ref().take(150).collect()).await.unwrap();
        drop(reading);
        readers += 1;
        let Some(last) = some.last() else { break };
        position.clone_from(&last.position);
        assert!(position.as_ref().unwrap().0.len() <= 256);
        chunks.extend(some);
    }
    for stderr in [false, true] {
        let said = joined(&chunks, stderr);
        assert!(said == numbers(4000), "stderr {stderr}: {} lines after {readers} readers", said.lines().count());
    }
    assert!(readers > 5, "{readers}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lines_are_whole() {
    if !engine() {
        return;
    }
    let proxy = Proxy::new();
    let lab = Lab::on(Docker::builder().host(proxy.host()).build());
    proxy.set(Manner::CutOutput(3_000_000));
    let line = |kib: usize, letter: char| format!("head -c {} /dev/zero | tr '\\0' {letter}; echo", kib * 1024);
    let script = format!("{}; {}; echo end; printf no-newline >&2", line(20, 'a'), line(5 * 1024, 'b'));
    let handle = lab.start(&script).await;
    let chunks = all(stream(&lab.docker, &handle, None)).await;
    let said = joined(&chunks, false);
    let lengths: Vec<_> = said.lines().map(|line| (line.len(), line.chars().next())).collect();
    assert_eq!(lengths, [(20 << 10, Some('a')), (5 << 20, Some('b')), (3, Some('e'))]);
    assert_eq!(joined(&chunks, true).trim_end(), "no-newline");
    assert!(proxy.cuts.load(Ordering::Relaxed) > 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_container_keeps_its_stream() {
    if !engine() {
        return;
    }
    let lab = Lab::new();
    let handle = lab.start("echo first; read x </dev/zero & sleep 1.5; echo last").await;
    let mut reading = stream(&lab.docker, &handle, None);
    let first = timeout(LONG, reading.next()).await.unwrap().unwrap();
    assert_eq!(first.bytes, b"first\n");
    let rest = all(reading).await;
    assert_eq!(joined(&rest, false), "last\n");
    lab.docker.remove(&handle).await.unwrap();
    // Nothing to read any more is an end, too.
    assert_eq!(all(stream(&lab.docker, &handle, None)).await, []);
    lab.end().await;
}
