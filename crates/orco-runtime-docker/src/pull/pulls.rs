//! Who wants which image: one pull at a time for all who want the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use orco_core::runtime::RuntimeError;
use tokio::sync::Semaphore;

use crate::{credentials::Credentials, engine::Client, reference::Reference};

use super::{
    flight,
    platform::Platform,
    policy::PullPolicy,
    source::Source,
    teller::{Report, Teller},
    turn::Turns,
};

/// So many images at once; engines limit the layers of each themselves.
const AT_ONCE: usize = 4;

/// What is wanted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Want {
    pub(super) image: Reference,
    pub(super) platform: Option<String>,
}

/// Wishes of `always` are not served by one of `missing`, which may find the image there.
type Key = (Want, PullPolicy);
type Outcome = Result<(), RuntimeError>;
type Flight = Shared<BoxFuture<'static, Outcome>>;

/// Makes images ready; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pulls {
    shop: Arc<Shop>,
}

/// What all pulls share.
pub(super) struct Shop {
    pub(super) source: Arc<dyn Source>,
    pub(super) credentials: Credentials,
    pub(super) teller: Teller,
    pub(super) turns: Turns,
    pub(super) permits: Semaphore,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    /// Pulls under way with their numbers. Weak: with the last caller the pull ends.
    flights: BTreeMap<Key, (u64, WeakShared<BoxFuture<'static, Outcome>>)>,
    next: u64,
    /// What this program has pulled.
    pulled: BTreeSet<Want>,
}

impl Pulls {
    /// `report` is told how far each pull is, at most every 100 ms; it must not block.
    pub(crate) fn new(client: Client, credentials: Credentials, report: Report) -> Self {
        Self::with(Arc::new(client), credentials, report, Turns::new())
    }

    pub(super) fn with(source: Arc<dyn Source>, credentials: Credentials, report: Report, turns: Turns) -> Self {
        let (teller, permits, ledger) = (Teller::new(report), Semaphore::new(AT_ONCE), Mutex::default());
        Self { shop: Arc::new(Shop { source, credentials, teller, turns, permits, ledger }) }
    }

    /// Returns when the engine has the image. However many ask for it, in this program and in others of the same user,
    /// it is pulled once. Cancel-safe: when all who asked are dropped, the pull ends.
    ///
    /// # Errors
    /// [`RuntimeError::is_unavailable`] after a few tries where that may pass: network, registry or engine in trouble,
    /// its disk full. Else refused: no such image, no access to it, no such platform, no image's name.
    pub(crate) async fn ensure(&self, image: &str, policy: PullPolicy, platform: Option<&str>) -> Outcome {
        let image = Reference::parse(image).map_err(|error| RuntimeError::refused(error.to_string()))?;
        if let Some(text) = platform
            && Platform::parse(text).is_none()
        {
            return Err(RuntimeError::refused(format!("`{text}` is no platform like linux/arm64")));
        }
        let want = Want { image, platform: platform.map(str::to_owned) };
        let policy = self.shop.effective(&want, policy);
        if policy != PullPolicy::Always {
            let found = self.shop.look(&want).await?;
            if found.serves {
                self.shop.teller.there(want.image.written());
                return Ok(());
            }
            if policy == PullPolicy::Never {
                return Err(RuntimeError::refused(absent(&want, found.other.as_ref(), "its pull policy is `never`")));
            }
            if want.image.remote().is_none() {
                let why = "an id cannot be pulled";
                return Err(RuntimeError::refused(absent(&want, found.other.as_ref(), why)));
            }
        }
        self.shop.join(want, policy).await
    }
}

/// What the engine has under a name.
pub(super) struct Look {
    /// It is there, for the wanted platform.
    pub(super) serves: bool,
    /// What is there is for this one.
    pub(super) other: Option<Platform>,
}

impl Shop {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn effective(&self, want: &Want, policy: PullPolicy) -> PullPolicy {
        match policy {
            // An id is always the same image.
            PullPolicy::Always if want.image.remote().is_none() || self.ledger().pulled.contains(want) => {
                PullPolicy::Missing
            }
            other => other,
        }
    }

    /// What the engine has of it.
    pub(super) async fn look(&self, want: &Want) -> Result<Look, RuntimeError> {
        let found = self.source.look(&want.image.local()).await.map_err(|e| e.into_runtime_repeatable())?;
        let wanted = want.platform.as_deref().and_then(Platform::parse);
        Ok(match (found, wanted) {
            (None, _) => Look { serves: false, other: None },
            (Some(_), None) => Look { serves: true, other: None },
            (Some(is), Some(wanted)) => {
                let serves = is.serves(&wanted);
                Look { serves, other: (!serves).then_some(is) }
            }
        })
    }

    pub(super) fn pulled(&self, want: &Want) {
        self.ledger().pulled.insert(want.clone());
    }

    async fn join(self: &Arc<Self>, want: Want, policy: PullPolicy) -> Outcome {
        let key = (want, policy);
        let flight: Flight = {
            let mut ledger = self.ledger();
            ledger.flights.retain(|_, (_, flight)| flight.upgrade().is_some());
            match ledger.flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
                Some(flight) => flight,
                None => {
                    let number = ledger.next;
                    ledger.next += 1;
                    let flight = Arc::clone(self).fly(key.clone(), number).boxed().shared();
                    if let Some(weak) = flight.downgrade() {
                        ledger.flights.insert(key, (number, weak));
                    }
                    flight
                }
            }
        };
        flight.await
    }

    async fn fly(self: Arc<Self>, key: Key, number: u64) -> Outcome {
        let outcome = flight::fly(&self, &key.0, key.1).await;
        // Whoever comes now asks anew, though some have not yet heard of this outcome.
        let mut ledger = self.ledger();
        if ledger.flights.get(&key).is_some_and(|(n, _)| *n == number) {
            ledger.flights.remove(&key);
        }
        outcome
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Why an image that is not there, or only for another platform, will not be.
pub(super) fn absent(want: &Want, other: Option<&Platform>, why: &str) -> String {
    let image = want.image.written();
    match (other, &want.platform) {
        (Some(is), Some(wanted)) => format!("image {image} is here for {is} and not for {wanted}, and {why}"),
        _ => format!("image {image} is not here, and {why}"),
    }
}
