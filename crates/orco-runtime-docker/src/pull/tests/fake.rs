//! A source of images that does what a test says.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    engine::{EngineError, PullLine, PullOrder},
    pull::{fault::Trouble, platform::Platform, source::Source},
};

/// How pulls go, one after the other; when there is no plan left they succeed.
#[derive(Debug, Default)]
pub(super) struct Fake {
    pub(super) plan: Mutex<VecDeque<Trouble>>,
    /// Names that are there, all of them for linux/amd64.
    pub(super) there: Mutex<BTreeSet<String>>,
    /// How long a pull takes.
    pub(super) takes: Duration,
    pub(super) pulls: AtomicUsize,
    running: AtomicUsize,
    pub(super) most: AtomicUsize,
    pub(super) dropped: AtomicUsize,
}

impl Fake {
    pub(super) fn slow() -> Self {
        Self { takes: Duration::from_secs(5), ..Self::default() }
    }

    pub(super) fn failing(plan: impl IntoIterator<Item = Trouble>) -> Self {
        Self { plan: Mutex::new(plan.into_iter().collect()), ..Self::default() }
    }

    pub(super) fn count(&self) -> usize {
        self.pulls.load(Ordering::SeqCst)
    }
}

/// The engine's answer.
pub(super) fn said(code: u16, message: &str) -> Trouble {
    Trouble::Engine(EngineError::Status { code, message: message.to_owned(), what: "pull".into() })
}

struct Running<'a>(&'a Fake, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Source for Fake {
    fn engine(&self) -> String {
        "fake".to_owned()
    }

    async fn look(&self, name: &str) -> Result<Option<Platform>, EngineError> {
        tokio::task::yield_now().await;
        Ok(self.there.lock().unwrap().contains(name).then(|| Platform::new("linux", "amd64", "")))
    }

    async fn pull(&self, order: PullOrder<'_>, line: &mut (dyn FnMut(PullLine) + Send)) -> Result<(), Trouble> {
        self.pulls.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let mut running = Running(self, false);
        let status = "Downloading".to_owned();
        line(PullLine { layer: Some("a".into()), status, current: Some(1), total: Some(2) });
        tokio::time::sleep(self.takes).await;
        running.1 = true;
        let planned = self.plan.lock().unwrap().pop_front();
        match planned {
            Some(trouble) => Err(trouble),
            None => {
                self.there.lock().unwrap().insert(format!("{}:{}", order.name, order.tag));
                Ok(())
            }
        }
    }
}
