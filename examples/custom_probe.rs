//! A probe of your own: `ping` connects to a port, says `PING` and wants `PONG` back, which tells more than a TCP
//! connect does. A stack file asks for it by its name, and expressions may use it like any other.
//!
//! ```text
//! cargo run --example custom_probe
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use orco::{
    conformance::{self, NoExec, ProbeFixture},
    engine::Engine,
    model::{InstanceId, ServiceName, Verdict},
    probe::{Probe, ProbeFactory, Target},
    process::ProcessRuntime,
    spec::{Check, Diagnostic, ProbeSpec, Service, ServiceBuilder, Stack},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// `ping: {}` or `ping: { port: 6379, expect: "+PONG" }`.
#[derive(Debug)]
struct PingFactory;

#[derive(Debug)]
struct Ping {
    /// The port the program listens on; `None`: its first one.
    port: Option<u16>,
    expect: String,
}

/// Reads the probe's part of the stack file.
fn parse(spec: &ProbeSpec) -> Result<Ping, String> {
    let ProbeSpec::Custom { config, .. } = spec else { return Err("not a `ping` probe".to_owned()) };
    let port = match config.get("port") {
        None => None,
        Some(port) => {
            let number = port.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
            Some(number.ok_or_else(|| format!("`port` is {port}, not a port number"))?)
        }
    };
    let expect = config.get("expect").and_then(Value::as_str).unwrap_or("PONG").to_owned();
    Ok(Ping { port, expect })
}

impl ProbeFactory for PingFactory {
    fn name(&self) -> &str {
        "ping"
    }

    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let place = format!("services.{}.health.ping", service.name);
        parse(spec).err().map(|why| Diagnostic::error("bad-ping", why).at(place)).into_iter().collect()
    }

    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        Ok(Arc::new(parse(spec)?))
    }
}

#[async_trait]
impl Probe for Ping {
    /// One question. The engine keeps the time and drops this future when it is up; nothing is left behind then.
    async fn check(&self, target: &Target) -> Verdict {
        let Some(port) = self.port.or(target.default_port) else {
            return Verdict::Unknown("ping: the service has no port".into());
        };
        match ping(target.endpoint(port)).await {
            Ok(answer) if answer == self.expect => Verdict::Pass,
            Ok(answer) => Verdict::Fail(format!("ping: answered `{answer}`").into()),
            Err(error) => Verdict::Fail(format!("ping: {}", error.kind()).into()),
        }
    }
}

async fn ping(address: std::net::SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PING\n").await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer.trim_end().to_owned())
}

/// The targets of the conformance kit: servers that answer well, answer badly, and never answer.
struct Kit {
    good: Target,
    bad: Target,
    hung: Target,
}

#[async_trait]
impl ProbeFixture for Kit {
    fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(Ping { port: None, expect: "PONG".to_owned() })
    }

    async fn good(&self) -> Target {
        self.good.clone()
    }

    async fn bad(&self) -> Option<Target> {
        Some(self.bad.clone())
    }

    async fn hung(&self) -> Option<Target> {
        Some(self.hung.clone())
    }
}

/// A server that answers every line with `answer`, or never.
async fn server(answer: Option<&'static str>) -> Result<Target, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                while let Ok(Some(_)) = lines.next_line().await {
                    let Some(answer) = answer else { return std::future::pending().await };
                    if writer.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let mut target = Target::new(ServiceName::new("server")?, 0, InstanceId(1), Arc::new(NoExec));
    target.default_port = Some(port);
    Ok(target)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (good, bad) = (server(Some("PONG\n")).await?, server(Some("LOADING\n")).await?);
    let report = conformance::probe(&Kit { good, bad, hung: server(None).await? }).await;
    print!("{report}");
    report.assert();

    // As in a stack file: `health: { ping: { expect: READY } }`, or in Rust:
    let port = server(Some("READY\n")).await?.default_port.ok_or("no port")?;
    let stack = Stack::builder("pinged")
        .service(
            ServiceBuilder::process("store", ["sleep", "1000"])
                .health(Check::custom("ping", json!({ "port": port, "expect": "READY" }))),
        )
        .build()?;
    let engine = Engine::builder(stack)
        .runtime(ProcessRuntime::new())
        .probe(Arc::new(PingFactory) as Arc<dyn ProbeFactory>)
        .start()?;
    engine.up().await?.done().await?;
    println!("the store is ready: its ping said so");
    engine.shutdown().await;
    Ok(())
}
