//! A program with Orco inside, for `benches/peers/containers.py`: starts the stack of the file it is given (its own
//! keeper, its services' fate shared), prints after how many milliseconds all of it was ready, and ends everything when its
//! standard input does. Measures nothing by itself: `cargo bench` only says so.

use std::{env, error::Error, io::Read as _, time::Instant};

use orco::{engine::Engine, load, probes, spec::Known};

#[expect(clippy::print_stdout, reason = "a bench")]
fn main() -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let Some(file) = env::args().nth(1).filter(|argument| argument.ends_with(".yaml")) else {
        println!("embedded: run by benches/peers/containers.py with a stack file");
        return Ok(());
    };
    tokio::runtime::Runtime::new()?.block_on(run(&file, begun))
}

#[cfg(feature = "docker")]
#[expect(clippy::print_stdout, reason = "a bench")]
async fn run(file: &str, begun: Instant) -> Result<(), Box<dyn Error>> {
    let known = Known::new(["docker"], ["http", "tcp", "cmd", "log"]);
    let stack = load::load_file(file, &known).map_err(|rejected| format!("{rejected:?}"))?.stack;
    let engine = Engine::builder(stack).runtime(orco::docker::Docker::new()).probes(probes::all()).start()?;
    engine.up().await?.done().await?;
    println!("{:.3}", begun.elapsed().as_secs_f64() * 1e3);
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    engine.shutdown().await;
    Ok(())
}

#[cfg(not(feature = "docker"))]
async fn run(_: &str, _: Instant) -> Result<(), Box<dyn Error>> {
    Err("built without the feature `docker`".into())
}
