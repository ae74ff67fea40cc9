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

    /// What there is to say of it while it goes on.
    pub(super) fn of(&self, subject: &str) -> Option<Arc<str>> {
        let subjects = self.subjects.borrow();
        let said = match subjects.get(subject)? {
            Stage::Running { done, total: Some(total) } if *total > 0 => {
                let percent = u128::from(*done.min(total)) * 100 / u128::from(*total);
                format!("pulling {subject}: {percent} %")
            }
            Stage::Running { .. } => format!("pulling {subject}"),
            // Most reasons name the image themselves.
            Stage::Waiting { why } if why.contains(subject) => why.clone(),
            Stage::Waiting { why } => format!("pulling {subject}: {why}"),
            Stage::Done | Stage::Failed { .. } => return None,
        };
        Some(said.into())
    }

    /// Whether there is nothing to say of anything.
    pub(super) fn is_empty(&self) -> bool {
        self.subjects.borrow().is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_an_image_says_how_far_it_is() {
        let waits = Waits::default();
        assert!(waits.is_empty());
        let cases = [
            (Stage::Running { done: 0, total: None }, Some("pulling db:1")),
            (Stage::Running { done: 1, total: Some(0) }, Some("pulling db:1")),
            (Stage::Running { done: 1, total: Some(3) }, Some("pulling db:1: 33 %")),
            (Stage::Running { done: u64::MAX, total: Some(u64::MAX - 1) }, Some("pulling db:1: 100 %")),
            (Stage::Waiting { why: "another program does".to_owned() }, Some("pulling db:1: another program does")),
            (Stage::Waiting { why: "cannot pull db:1: refused".to_owned() }, Some("cannot pull db:1: refused")),
            (Stage::Done, None),
            (Stage::Failed { why: "no such image".to_owned() }, None),
        ];
        for (stage, said) in cases {
            waits.note(Progress::new("db:1", stage));
            assert_eq!(waits.of("db:1").as_deref(), said);
            assert_eq!(waits.of("db:2"), None);
        }
    }
}
