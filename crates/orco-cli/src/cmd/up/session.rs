//! One foreground life of a stack, from start to the last good-bye.

use std::path::PathBuf;

use orco_api::{
    place::{Lock, Meta, MetaError, Place},
    server::Server,
    wire::{Mode, Timestamp},
};
use orco_core::{
    brain::Command,
    engine::{CommandError, Engine, Finished, StartError, State, Why},
    model::{ServiceName, State as ServiceState},
    spec::{Logging, Stack},
};
use tokio::task::JoinError;

use super::face::{Face, Lines};
use crate::{
    args::Up,
    cmd::{Failure, plugins::Plugins},
    exit::Exit,
    signals::{Signal, Signals},
    terminal,
};

/// A signal that has ended our keeper reaches us within this time.
const ECHO: std::time::Duration = std::time::Duration::from_millis(200);

/// Everything that is settled before the engine starts.
pub struct Session {
    pub args: Up,
    pub file: PathBuf,
    pub stack: Stack,
    /// What wins over the stack's `logging`.
    pub logging: Logging,
    pub place: Place,
    pub lock: Lock,
    /// With the terminal UI.
    pub screen: bool,
}

impl Session {
    /// Until nothing is left to run.
    pub async fn run(self, mut signals: Signals) -> Result<Exit, Failure> {
        let mut meta = self.meta();
        // So that whoever comes second learns who was first.
        meta.write(&self.place)?;
        let started = tokio::select! {
            started = Plugins::start(&self.stack, &self.place, &self.lock) => started,
            // Nothing runs yet, and what was begun ends by itself.
            signal = signals.next() => return Ok(verdict_of(signal)),
        };
        let plugins = match started {
            Ok(plugins) => plugins,
            // A Ctrl-C goes to the keeper too as long as it is of our group: its end may be heard of before our own signal.
            Err(failure) => match tokio::time::timeout(ECHO, signals.next()).await {
                Ok(signal) => return Ok(verdict_of(signal)),
                Err(_) => return Err(failure),
            },
        };
        meta.keeper_pid = plugins.keeper_pid();
        let engine = self.engine(&plugins)?;
        // Beside the start: to replace a file takes some file systems longer than to start the services.
        let written = {
            let (meta, place) = (meta.clone(), self.place.clone());
            tokio::task::spawn_blocking(move || meta.write(&place))
        };
        let server = Server::start(&self.place, &self.lock, engine.clone(), Mode::Foreground);
        let server = server.map_err(|e| Failure::internal("cannot open the control socket", e))?;
        // Lines from the first on; the terminal UI asks for what was before it, once there is something to see.
        let lines = if self.screen { None } else { Some(Lines::start(&engine, self.args.output.output)?) };
        let mut face = lines.map(Face::Lines);

        let result = match self.start(&engine).await.and(settled(written.await)) {
            Ok(()) => match self.face(&engine, face.take()) {
                Ok(shown) => Ok(self.stay(&engine, &mut signals, face.insert(shown)).await),
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };

        // The other way round than it began; who follows hears the end.
        server.end(engine.shutdown()).await;
        if let Some(face) = face {
            face.finish().await;
        }
        meta.pid = None;
        meta.keeper_pid = None;
        meta.write(&self.place)?;
        drop(self.lock);
        result
    }

    fn engine(&self, plugins: &Plugins) -> Result<Engine, Failure> {
        let builder =
            Engine::builder(self.stack.clone()).id(self.place.id()).state(State::Dir(self.place.dir().to_owned()));
        let builder = builder.logging(self.logging.clone());
        plugins.register(builder).start().map_err(|error| match error {
            StartError::Invalid(_) => Failure::new(Exit::USAGE, error),
            _ => Failure::internal("cannot start the engine", error),
        })
    }

    fn meta(&self) -> Meta {
        Meta {
            stack: self.stack.name().to_string(),
            id: self.place.id().to_string(),
            dir: self.file.parent().map(PathBuf::from).unwrap_or_default(),
            file: self.file.clone(),
            pid: Some(std::process::id()),
            keeper_pid: None,
            mode: Mode::Foreground,
            since: Timestamp::now(),
        }
    }

    async fn start(&self, engine: &Engine) -> Result<(), Failure> {
        let names = self.args.services.iter().map(|n| ServiceName::new(n)).collect::<Result<Vec<_>, _>>();
        let services = names.map_err(|e| Failure::new(Exit::USAGE, e))?;
        let command = Command::Start { services, deps: !self.args.no_deps };
        match engine.command(command).await {
            Ok(_) => Ok(()),
            Err(error @ CommandError::Refused(_)) => Err(Failure::new(Exit::USAGE, error)),
            Err(error) => Err(Failure::internal("cannot start the services", error)),
        }
    }

    /// What there is, or the terminal UI; lines where that cannot be.
    fn face(&self, engine: &Engine, face: Option<Face>) -> Result<Face, Failure> {
        match face {
            Some(face) => Ok(face),
            #[cfg(feature = "tui")]
            None => match super::screen::Screen::start(&self.place, self.args.look) {
                Ok(screen) => Ok(Face::Screen(screen)),
                Err(failure) => {
                    failure.report();
                    Lines::start(engine, self.args.output.output).map(Face::Lines)
                }
            },
            #[cfg(not(feature = "tui"))]
            None => Lines::start(engine, self.args.output.output).map(Face::Lines),
        }
    }

    /// Obeys signals until the stack is down or over.
    async fn stay(&self, engine: &Engine, signals: &mut Signals, face: &mut Face) -> Exit {
        let mut finished = std::pin::pin!(engine.finished());
        let mut late = std::pin::pin!(too_late(engine, self.args.timeout));
        // The exit code is settled by what ended the stack first.
        let mut verdict: Option<Exit> = None;
        let mut hurry = false;
        loop {
            // All arms are cancel-safe: the futures live outside of the loop, and signals stay pending.
            tokio::select! {
                signal = signals.next() => {
                    stop(engine, face, signal, hurry).await;
                    hurry = true;
                    verdict.get_or_insert(verdict_of(signal));
                }
                why = late.as_mut(), if verdict.is_none() => {
                    face.say(why);
                    let _ = engine.down().await;
                    hurry = true;
                    verdict = Some(Exit::FAILED);
                }
                why = face.gone() => {
                    // The stack is worth more than its picture: it goes on, and is seen in another way.
                    terminal::note(format!("{why}; the stack goes on, Ctrl-C stops it\n"));
                    if let Ok(lines) = Lines::start(engine, self.args.output.output) {
                        *face = Face::Lines(lines);
                    }
                }
                end = finished.as_mut() => {
                    face.over(end.as_ref());
                    return match verdict {
                        Some(exit) => exit,
                        None => over(engine, face, end).await,
                    };
                }
            }
        }
    }
}

const fn verdict_of(signal: Signal) -> Exit {
    match signal {
        Signal::Interrupt => Exit::INTERRUPTED,
        Signal::Terminate | Signal::Hangup => Exit::DONE,
    }
}

/// The first signal stops in order, the next kills.
async fn stop(engine: &Engine, face: &mut Face, signal: Signal, hurry: bool) {
    // An engine that has ended already has nothing left to stop.
    let _ = if hurry { engine.kill().await.map(drop) } else { engine.down().await.map(drop) };
    face.stopping(signal, hurry);
}

/// Returns, with the reason, when not all is ready in time. Never without a limit, nor when all is ready.
async fn too_late(engine: &Engine, limit: Option<std::time::Duration>) -> String {
    let Some(limit) = limit else { return std::future::pending().await };
    match tokio::time::timeout(limit, engine.ready()).await {
        Ok(Ok(())) => std::future::pending().await,
        Ok(Err(why)) => format!("not ready: {why}\n"),
        Err(_) => {
            let culprit = culprit(engine).await.unwrap_or_default();
            format!("not ready in time: {culprit}\n")
        }
    }
}

/// The first service that is not ready, with its causes.
async fn culprit(engine: &Engine) -> Option<String> {
    let status = engine.status().await?;
    let service = status.snapshot.services.iter().find(|s| s.wanted && !s.ready)?;
    Some(engine.why(service.name.as_str()).await?.to_string())
}

/// The stack ended by itself, or somebody stopped it from elsewhere.
async fn over(engine: &Engine, face: &mut Face, end: Option<Finished>) -> Exit {
    match end {
        Some(Finished::Completed | Finished::Down) => Exit::DONE,
        Some(Finished::Failed(services)) => {
            for service in services {
                if let Some(why) = engine.why(service.as_str()).await.filter(is_root) {
                    face.say(format!("{why}\n"));
                }
            }
            Exit::FAILED
        }
        _ => Exit::INTERNAL,
    }
}

/// What only waits for another that failed is explained by that one.
fn is_root(why: &Why) -> bool {
    why.because.iter().all(|below| below.state != ServiceState::Failed)
}

/// What became of a `meta.json` that was written beside other work.
fn settled(written: Result<Result<(), MetaError>, JoinError>) -> Result<(), Failure> {
    written.map_err(|e| Failure::internal("cannot write meta.json", e))?.map_err(Failure::from)
}
