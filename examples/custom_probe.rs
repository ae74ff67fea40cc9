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
    model::Verdict,
    probe::{Probe, ProbeFactory, Target},
    spec::{Diagnostic, ProbeSpec, Service},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
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

fn main() -> Result<(), Box<dyn Error>> {
    println!("{PingFactory:?}");
    Ok(())
}
