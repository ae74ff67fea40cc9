//! Servers on loopback and targets that point at them.
#![allow(dead_code)]

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use orco_core::{
    conformance::NoExec,
    model::InstanceId,
    probe::{Exec, Probe, ProbeFactory, Target},
    spec::{Check, CheckBuilder, ProbeSpec, ServiceBuilder, Stack},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The probe's part of a valid service.
pub fn spec(check: CheckBuilder) -> ProbeSpec {
    let service = ServiceBuilder::process("api", ["x"]).health(check);
    let stack = Stack::builder("test").service(service).build().unwrap();
    stack.services()[0].health.as_ref().unwrap().check.probes[0].clone()
}

/// An `http` probe; `change` gets method, headers, statuses and body.
pub fn http(url: &str, change: impl FnOnce(&mut ProbeSpec)) -> ProbeSpec {
    let mut spec = spec(Check::http(url));
    change(&mut spec);
    spec
}

pub fn build(factory: &dyn ProbeFactory, spec: &ProbeSpec) -> Arc<dyn Probe> {
    factory.build(spec).unwrap()
}

pub fn target() -> Target {
    target_with(Arc::new(NoExec))
}

pub fn target_with(exec: Arc<dyn Exec>) -> Target {
    let mut target = Target::new("api".parse().unwrap(), 3, InstanceId(1), exec);
    target.timeout = Duration::from_secs(5);
    target
}

/// A target whose only port, published as 8080, is this address.
pub fn target_at(address: SocketAddr) -> Target {
    let mut target = target();
    target.endpoints.insert(80, address);
    target.published.insert(8080, 80);
    target.default_port = Some(80);
    target
}

/// Serves every connection with `handle` for as long as the test's runtime lives.
pub async fn serve<F: Future<Output = ()> + Send + 'static>(
    handle: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    serve_on("127.0.0.1:0", handle).await
}

pub async fn serve_on<F: Future<Output = ()> + Send + 'static>(
    address: &str,
    handle: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// Reads a request's head.
pub async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Answers each request with this text.
pub async fn answering(answer: &'static str) -> SocketAddr {
    serve(move |mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

/// Nobody listens there.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Accepts and never says a word.
pub async fn silent() -> SocketAddr {
    serve(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await
}
