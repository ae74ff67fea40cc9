//! From a stack to services that are ready, or the reason why not.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use orco_core::{
    engine::{CommandError, Engine, EngineBuilder, NotReady, StartError, State, Status},
    log::Store,
    probe::ProbeFactory,
    runtime::{Runtime, Stage},
    spec::Stack,
};
use orco_runtime_process::ProcessRuntime;

use crate::failure::{self, Failure, History};

/// How often it is looked whether images are being pulled.
const TICK: Duration = Duration::from_millis(100);

/// Runtimes and probes besides those that are always there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    pub(crate) runtimes: Vec<Arc<dyn Runtime>>,
    pub(crate) probes: Vec<Arc<dyn ProbeFactory>>,
}

impl Own {
    pub(crate) fn is_empty(&self) -> bool {
        self.runtimes.is_empty() && self.probes.is_empty()
    }
}

/// An engine with all that this build has, and its logs in `dir/logs`. Nothing runs yet.
pub(crate) fn engine(stack: Stack, own: &Own, dir: &Path) -> Result<Engine, StartError> {
    let used = |runtime: &str| stack.services().iter().any(|service| service.runtime == runtime);
    let (docker, podman) = (used("docker"), used("podman"));
    let mut builder = built_in(Engine::builder(stack), docker, podman).probes(orco_probes::all());
    for runtime in &own.runtimes {
        builder = builder.runtime(Arc::clone(runtime));
    }
    builder.probes(own.probes.iter().map(Arc::clone)).state(State::Dir(dir.to_owned())).start()
}

/// Registers runtimes; those of containers only where they are used, so that no container engine is looked for in vain.
#[cfg(feature = "docker")]
fn built_in(mut builder: EngineBuilder, docker: bool, podman: bool) -> EngineBuilder {
    use orco_keeper::{Client, Config};
    use orco_runtime_docker::Docker;

    // One keeper cleans up after all of them.
    let keeper = Client::new(Config::new());
    if docker {
        builder = builder.runtime(Docker::builder().keeper(keeper.clone()).build());
    }
    if podman {
        builder = builder.runtime(Docker::builder().podman().keeper(keeper.clone()).build());
    }
    builder.runtime(ProcessRuntime::of(keeper))
}

#[cfg(not(feature = "docker"))]
fn built_in(builder: EngineBuilder, _: bool, _: bool) -> EngineBuilder {
    builder.runtime(ProcessRuntime::new())
}

/// The log files of an engine in this directory.
pub(crate) fn logs(dir: &Path) -> std::path::PathBuf {
    dir.join("logs")
}

/// Brings everything up and waits until it is ready. While images are pulled, the time stands still. When it fails,
/// what was started still runs: the caller ends it. Cancel-safe in that dropping the engine then ends everything.
pub(crate) async fn up(engine: &Engine, stack: &str, within: Duration) -> Result<(), Failure> {
    let store = Store::new(logs(engine.state_dir()));
    let begun = Instant::now();
    let mut history = History::default();
    let Some(mut watch) = engine.watch().await else { return Err(failure::ended(stack, ENDED)) };
    if let Err(why) = engine.up().await {
        return Err(failure::ended(stack, &why.to_string()));
    }
    history.note(&watch.latest(), begun.elapsed());
    let ready = engine.ready();
    let (mut left, mut tick) = (within, tokio::time::interval(TICK));
    let progress = engine.progress();
    tokio::pin!(ready);
    loop {
        // All arms are cancel-safe: `ready` is pinned outside, the others lose nothing.
        tokio::select! {
            biased;
            result = &mut ready => return result.map_err(|why| not_ready(stack, &why, &history, &store)),
            status = watch.changed() => note(&mut history, status, begun),
            _ = tick.tick() => {
                let pulling = progress.latest().values().any(|s| !matches!(s, Stage::Done | Stage::Failed { .. }));
                if !pulling {
                    left = left.saturating_sub(TICK);
                }
                if left.is_zero() {
                    return Err(failure::late(engine, stack, within, &history, &store).await);
                }
            }
        }
    }
}

const ENDED: &str = "the engine has ended";

fn note(history: &mut History, status: Option<Arc<Status>>, begun: Instant) {
    if let Some(status) = status {
        history.note(&status, begun.elapsed());
    }
}

fn not_ready(stack: &str, why: &NotReady, history: &History, store: &Store) -> Failure {
    match why {
        NotReady::Service(why) => failure::of_service(stack, why, history, store),
        other => failure::ended(stack, &other.to_string()),
    }
}

/// The addresses of a service, or of one of its named ports.
pub(crate) async fn endpoints(
    engine: &Engine,
    service: &str,
    port: Option<&str>,
) -> Result<Vec<std::net::SocketAddr>, CommandError> {
    match port {
        None => engine.endpoints(service).await,
        Some(port) => engine.endpoints_of(service, port).await,
    }
}
