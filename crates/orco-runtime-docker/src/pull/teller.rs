//! Who is told how far pulls are.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use orco_core::runtime::{Progress, Stage};

/// Takes reports. It must not block.
pub(crate) type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// Passes reports on, and remembers of which images the last one was not the end.
#[derive(Clone)]
pub(super) struct Teller {
    report: Report,
    open: Arc<Mutex<BTreeSet<String>>>,
}

impl Teller {
    pub(super) fn new(report: Report) -> Self {
        Self { report, open: Arc::default() }
    }

    pub(super) fn tell(&self, image: &str, stage: Stage) {
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            match stage {
                Stage::Done | Stage::Failed { .. } => open.remove(image),
                // `Stage` may grow.
                _ => open.insert(image.to_owned()),
            };
        }
        (self.report)(Progress::new(image, stage));
    }

    /// The image is there without our doing: whoever was told of trouble hears of its end.
    pub(super) fn there(&self, image: &str) {
        let told = self.open.lock().unwrap_or_else(PoisonError::into_inner).contains(image);
        if told {
            self.tell(image, Stage::Done);
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Teller").finish_non_exhaustive()
    }
}

/// Says so when a pull is dropped before its end.
#[derive(Debug)]
pub(super) struct Abandoned<'a> {
    teller: &'a Teller,
    image: &'a str,
    ended: bool,
}

impl<'a> Abandoned<'a> {
    pub(super) const fn guard(teller: &'a Teller, image: &'a str) -> Self {
        Self { teller, image, ended: false }
    }

    pub(super) fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let why = "given up: nobody waits for it any more".to_owned();
            self.teller.tell(self.image, Stage::Failed { why });
        }
    }
}
