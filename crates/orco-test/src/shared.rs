//! Services that many tests share, in one process or in many.

use std::{ops::Deref, sync::Arc, time::Duration};

use orco_core::spec::Stack;
use sha2::{Digest, Sha256};

use crate::{
    Error, Services,
    host::{Holder, Order},
    keep, room,
    services::Place,
    stack::WITHIN,
    unique,
};

/// It goes on for so long without holders, unless said otherwise: tests of one runner follow each other closely.
const LINGER: Duration = Duration::from_secs(2);

/// The shared services of this key, ready: [`Fixture`] with its defaults.
///
/// # Errors
/// As [`Fixture::hold`].
pub async fn shared(key: &str, stack: Stack) -> Result<Shared, Error> {
    Fixture::new(key, stack).hold().await
}

/// Whether this executable can host shared services. It can wherever the loader runs `.init_array`; if it says no, see
/// [`Error::NoHook`].
pub fn can_host() -> bool {
    crate::host::can_host()
}

/// Services that many tests share. Whoever asks for the same key and definition gets the same instance, whatever process
/// asks; another definition under the same key is another fixture.
///
/// The first asker starts a host: this executable again, which never comes to its `main`. It runs the services with the
/// environment and working directory of that asker, outlives it, and ends them when nobody has held them for a while.
#[derive(Clone, Debug)]
#[must_use = "it is started when it is held"]
pub struct Fixture {
    key: String,
    stack: Stack,
    within: Duration,
    linger: Duration,
    keep: Option<Duration>,
}

impl Fixture {
    /// The fixture of this key and definition.
    pub fn new(key: impl Into<String>, stack: Stack) -> Self {
        Self { key: key.into(), stack, within: WITHIN, linger: LINGER, keep: None }
    }

    /// Everything has to be ready within this time (default 60 s), pulls of images aside. Its first asker's counts.
    pub const fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// It goes on for so long when the last holder has ended (default 2 s); with minutes, the next run of the tests finds it
    /// ready. Its first asker's counts.
    pub const fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// If a test panics that holds it, or its start fails, it goes on for so long, for whoever wants to look at it; how is
    /// printed. `ORCO_TEST_KEEP=1` (10 minutes) or `ORCO_TEST_KEEP=SECONDS` does the same for all.
    pub const fn keep_on_failure(mut self, time: Duration) -> Self {
        self.keep = Some(time);
        self
    }

    /// Waits until the services are ready, starting them if nobody has. Cancel-safe: services that nobody holds end.
    ///
    /// # Errors
    /// [`Error::NotReady`] (the same for all who ask at that time), [`Error::NoHook`], [`Error::Host`], [`Error::Place`].
    pub async fn hold(self) -> Result<Shared, Error> {
        let root = room::root().map_err(Error::place(std::env::temp_dir()))?;
        let dir = root.join(self.name());
        let keep = self.keep.or_else(keep::from_env);
        let order = Order::new(&self.stack, self.within, self.linger);
        let holder = Holder::enter(&dir, &order, keep).await?;
        let name = format!("{} ({})", self.stack.name(), self.key);
        Ok(Shared { services: Services::new(name, keep, Place::Host(Arc::new(holder))) })
    }

    /// Of its directory: the same for the same key, definition and version.
    fn name(&self) -> String {
        let mut hash = Sha256::new();
        for part in [env!("CARGO_PKG_VERSION").as_bytes(), self.key.as_bytes(), &self.stack.to_json()] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("f-{hex}")
    }
}

/// Shared services, all of them ready. Cheap to clone, tied to no runtime: it may live in a static. They go on as long as
/// anybody holds them, in whatever process.
#[derive(Clone, Debug)]
pub struct Shared {
    services: Services,
}

impl Shared {
    /// A name that no other test on this machine has, to be isolated by: of a database, a schema, a queue, a prefix of
    /// keys. Lower-case letters, digits and `_`, at most 40 more than `prefix` has.
    pub fn unique(&self, prefix: &str) -> String {
        format!("{prefix}_{}", unique::word())
    }
}

impl Deref for Shared {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}
