//! What takes long and is under way: pulls of images.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use crate::runtime::{Progress, Stage};

/// Subjects (images) with how far they are.
pub type Subjects = BTreeMap<String, Stage>;

/// So many subjects are remembered; those that are done go first.
const REMEMBERED: usize = 1024;

/// Written by hands and runtimes, read by whoever shows it.
#[derive(Debug, Default)]
pub(super) struct Waits {
    subjects: watch::Sender<Arc<Subjects>>,
}

impl Waits {
    pub(super) fn note(&self, progress: Progress) {
        let Progress { subject, stage } = progress;
        self.subjects.send_modify(|subjects| {
            let subjects = Arc::make_mut(subjects);
            if subjects.len() >= REMEMBERED {
                subjects.retain(|_, stage| !matches!(stage, Stage::Done | Stage::Failed { .. }));
            }
            subjects.insert(subject, stage);
        });
    }

    pub(super) fn watch(&self) -> ProgressWatch {
        ProgressWatch { rx: self.subjects.subscribe() }
    }
}

/// Follows what takes long: the pulls of images.
#[derive(Clone, Debug)]
pub struct ProgressWatch {
    rx: watch::Receiver<Arc<Subjects>>,
}

impl ProgressWatch {
    /// As it is now, by subject (an image's reference). What is done stays until there are too many.
    pub fn latest(&self) -> Arc<Subjects> {
        Arc::clone(&self.rx.borrow())
    }

    /// Waits for news (the latest wins; none is queued). `None`: the engine has ended. Cancel-safe.
    pub async fn changed(&mut self) -> Option<Arc<Subjects>> {
        self.rx.changed().await.ok()?;
        Some(Arc::clone(&self.rx.borrow_and_update()))
    }
}
