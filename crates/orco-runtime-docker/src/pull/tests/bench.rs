//! What the tests of pulls share: who listens to progress, and a real engine with a registry.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use orco_core::runtime::{Progress, Stage};

use crate::{
    credentials::Credentials,
    engine::{Client, Limits},
    find::{Find, Flavour},
    pull::{Pulls, Report},
    registry::{Engine, Registry, engine_or_skip},
};

/// Everything that was told.
#[derive(Clone, Default, Debug)]
pub(super) struct Told(Arc<Mutex<Vec<Progress>>>);

impl Told {
    pub(super) fn report(&self) -> Report {
        let told = Arc::clone(&self.0);
        Arc::new(move |progress| told.lock().unwrap().push(progress))
    }

    pub(super) fn stages(&self) -> Vec<Stage> {
        self.0.lock().unwrap().iter().map(|p| p.stage.clone()).collect()
    }

    pub(super) fn waits(&self) -> Vec<String> {
        let why = |stage| if let Stage::Waiting { why } = stage { Some(why) } else { None };
        self.stages().into_iter().filter_map(why).collect()
    }
}

/// A real engine, a registry of our own, and pulls between them.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) registry: Registry,
    pub(super) told: Told,
    pub(super) dir: tempfile::TempDir,
    limits: Limits,
}

impl Bench {
    pub(super) fn open(what: &str) -> Option<Self> {
        Some(Self::with(engine_or_skip(what)?, Registry::start()))
    }

    pub(super) fn with_login(what: &str) -> Option<Self> {
        Some(Self::with(engine_or_skip(what)?, Registry::start_with_login()))
    }

    fn with(engine: Engine, registry: Registry) -> Self {
        let (told, dir) = (Told::default(), tempfile::tempdir().unwrap());
        Self { engine, registry, told, dir, limits: Limits::default() }
    }

    /// A pull may be silent for so long.
    pub(super) fn patient_for(mut self, time: Duration) -> Self {
        self.limits.pull_idle = time;
        self
    }

    /// Each a program of its own: nothing in common but the engine and the lock files.
    pub(super) fn pulls(&self) -> Pulls {
        self.pulls_as(Credentials::default())
    }

    pub(super) fn pulls_as(&self, credentials: Credentials) -> Pulls {
        let host = format!("unix://{}", self.engine.socket().display());
        let client = Client::new(Find { flavour: Flavour::Docker, host: Some(host) }, self.limits);
        Pulls::new(client, credentials, self.told.report())
    }

    pub(super) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// Waits until it is so.
pub(super) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
