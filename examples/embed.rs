//! Orco inside a program: two replicas of a service behind an HTTP probe, a oneshot that needs them, a kill -9 and
//! its repair, and an orderly end. The services are this program itself, started again with other arguments.
//!
//! ```text
//! cargo run --example embed
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use orco::{
    engine::Engine,
    probes,
    process::ProcessRuntime,
    spec::{Check, ServiceBuilder, Stack},
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", port, name] => serve(port, name),
        ["visit", addresses] => addresses.split(',').try_for_each(|a| get(a.parse()?).map(|_| ())),
        _ => tokio::runtime::Runtime::new()?.block_on(run()),
    }
}

async fn run() -> Outcome {
    let program = env::current_exe()?.display().to_string();
    let stack = Stack::builder("embedded")
        .service(
            ServiceBuilder::process("api", [&program, "serve", "${port}", "api/${replica}"])
                .replicas(2)
                .health(Check::http("http://localhost:${port}/").interval(Duration::from_millis(200)))
                .backoff(Duration::from_millis(50), Duration::from_secs(1), 2.0),
        )
        .service(
            ServiceBuilder::process("visitor", [&program, "visit", "${endpoints.api}"]).oneshot().depends_on("api"),
        )
        .build()?;

    // Nothing is started yet. A temporary directory holds the logs and goes with the engine.
    let engine = Engine::builder(stack).runtime(ProcessRuntime::new()).probes(probes::all()).start()?;

    // A ticket tells when the command has had its effect; dropping it takes nothing back.
    engine.up().await?.done().await?;
    for address in engine.endpoints("api").await? {
        println!("{address} answers: {}", get(address)?.trim());
    }

    println!("kill -9 of api/1");
    let mut watch = engine.watch().await.ok_or("the engine has ended")?;
    engine.signal("api", Some(1), 9).await?;
    let restarted = |s: &orco::engine::Status| {
        let api = s.snapshot.service("api")?;
        (api.restarts > 0 && api.ready_replicas == 2).then_some(api.restarts)
    };
    let restarts = watch.until(restarted).await.ok_or("the engine has ended")?;
    println!(
        "both are ready again after {restarts} restart; api/1 answers: {}",
        get(engine.endpoints("api").await?[1])?.trim()
    );

    // In reverse order; when it returns, nothing is left.
    engine.shutdown().await;
    println!("all is down");
    Ok(())
}

/// The service: every request is answered with its name.
fn serve(port: &str, name: &str) -> Outcome {
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let _ = stream.read(&mut [0; 1024])?;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\nI am {name}",
            name.len() + 5
        )?;
    }
    Ok(())
}

fn get(address: SocketAddr) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_once("\r\n\r\n").ok_or("not an HTTP answer")?.1.to_owned())
}
