//! From what the keeper passed on to an engine that answers.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use orco_api::{
    place::{Lock, Place},
    server::{Asked, Listener, Server, Upgrades},
    wire::Mode,
};
use orco_core::{
    brain::Command,
    crash,
    engine::{Durable, Engine, Occasion, StartError, State},
};
use orco_keeper::daemon::Inherited;
use tokio::sync::mpsc;

use super::{
    life::{ENDING, LOGGING, VARIABLES, as_json},
    record::Record,
};
use crate::{
    cmd::{
        Failure,
        daemon::{
            incoming::{Incoming, IncomingError},
            leftover::damaged,
            notify::{self, Notify},
        },
        plugins::{Attachment, Plugins},
    },
    exit::Exit,
};

/// After so long a start is mostly over, and what it took can be given back.
const SETTLED: Duration = Duration::from_secs(5);

/// An engine that answers.
pub struct Daemon {
    pub(super) engine: Engine,
    pub(super) plugins: Plugins,
    pub(super) server: Server,
    pub(super) upgrades: mpsc::Receiver<Asked>,
    pub(super) record: Record,
    pub(super) notify: Notify,
    /// The program to look at when an upgrade is asked for.
    pub(super) program: PathBuf,
    /// Everything was on its way down when the last engine ended.
    pub(super) ending: bool,
    /// Given back when everything else is over.
    pub(super) lock: Lock,
}

impl Daemon {
    /// Recovers, does what is to be done first, and begins to answer.
    pub async fn begin(dir: &Path, program: &Path, inherited: Inherited) -> Result<Self, Failure> {
        let begun = Instant::now();
        let place = Place::at(dir).ok_or_else(|| Failure::new(Exit::USAGE, "this is no stack's state directory"))?;
        let Inherited { link, lock, listener, keeper_pid, origin } = inherited;
        let lock = Lock::inherited(lock);
        let listener =
            Listener::inherited(&place, listener).map_err(|e| Failure::internal("cannot use the control socket", e))?;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), keeper = keeper_pid, "the engine begins");

        crash::point("birth.before-open");
        let durable = Durable::open(place.dir()).map_err(damaged)?;
        let was_ending = durable.kept(ENDING).is_some_and(|kept| !kept.is_empty());
        let incoming = Incoming::read(&place).map_err(unreadable)?;
        let kept = || durable.kept(LOGGING).and_then(|kept| serde_json::from_slice(kept).ok());
        let logging = incoming.as_ref().map(|incoming| incoming.logging.clone()).or_else(kept).unwrap_or_default();
        let wanted = incoming.as_ref().map(|incoming| &incoming.stack);
        let Some(stack) = wanted.or(durable.stack()).cloned() else {
            return Err(Failure::new(Exit::INTERNAL, "nothing is remembered and nothing is asked for"));
        };
        let mut record = Record::open(&place, stack.name().as_str());
        crash::point("birth.before-meta");
        record.runs(Some(keeper_pid));
        crash::point("birth.after-meta");
        let plugins = Plugins::attach(&place, &lock, &listener, Attachment { link, keeper_pid, origin }).await?;
        crash::point("birth.after-attach");
        let mut builder = Engine::builder(stack).id(place.id()).state(State::Durable(Box::new(durable)));
        builder = builder.logging(logging);
        let ending = was_ending && incoming.is_none();
        if let Some(incoming) = incoming {
            builder = builder.occasion(occasion(incoming));
        }
        let engine = plugins.register(builder).start().map_err(|error| match error {
            StartError::Invalid(_) => Failure::new(Exit::USAGE, error),
            _ => Failure::internal("cannot start the engine", error),
        })?;
        engine.recovered().await;
        crash::point("birth.before-removal");
        Incoming::remove(&place).map_err(unreadable)?;
        crash::point("birth.after-removal");
        if ending {
            tracing::info!("everything was on its way down, and goes on so");
            // An engine that has ended is down.
            let _ = engine.down().await;
        }

        crash::point("birth.before-serve");
        let (ways, upgrades) = Upgrades::new();
        let server = Server::serve(listener, engine.clone(), Mode::Detached, Some(ways))
            .map_err(|e| Failure::internal("cannot serve the control socket", e))?;
        crash::point("birth.after-serve");
        plugins.serving();
        crash::point("birth.serving");
        let notify = Notify::from_env();
        let services = engine.stack().services().len();
        notify.ready(&format!("{services} services"));
        if let Some(limit) = notify::watchdog_limit(keeper_pid) {
            let engine = engine.clone();
            tokio::spawn(notify.clone().watchdog(limit, async move || engine.beat().await));
        }
        tracing::info!(services, took = ?begun.elapsed(), "it serves");
        tokio::spawn(async {
            tokio::time::sleep(SETTLED).await;
            orco_keeper::daemon::give_back();
        });
        let program = program.to_owned();
        Ok(Self { engine, plugins, server, upgrades, record, notify, program, ending, lock })
    }
}

/// What whoever started the daemon wants.
fn occasion(incoming: Incoming) -> Occasion {
    let Incoming { id, services, deps, variables, logging, stack: _ } = incoming;
    let mut occasion = Occasion::new(id, Command::Start { services, deps });
    occasion.keep.insert(VARIABLES.to_owned(), as_json(&variables));
    // Plain values are JSON in any case.
    occasion.keep.insert(LOGGING.to_owned(), serde_json::to_vec(&logging).unwrap_or_default());
    // Whatever the last life came to, this is another.
    occasion.keep.insert(ENDING.to_owned(), Vec::new());
    occasion
}

fn unreadable(error: IncomingError) -> Failure {
    Failure::new(Exit::INTERNAL, error)
}
