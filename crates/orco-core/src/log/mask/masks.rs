//! The masks of a stack.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    file::{self, Contents, Kept},
    forms::forms,
    print::{Print, Salt},
    scan::Mask,
};
use crate::model::ServiceName;

/// The values that are secret in one service.
#[derive(Clone, Hash, Default)]
#[non_exhaustive]
pub struct Secrets {
    /// Its output is shown as it is, and its values are nobody's secret.
    pub off: bool,
    /// Hidden in its own output.
    pub own: BTreeSet<String>,
    /// Hidden in everybody's.
    pub everywhere: BTreeSet<String>,
}

/// Does not say them.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({}, {})", self.own.len(), self.everywhere.len())
    }
}

/// What is hidden in a stack's output, per service: the file of fingerprints in its log directory.
#[derive(Debug)]
pub struct Masks {
    path: PathBuf,
    /// Rises with every change, so that readers need not ask for each line.
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    contents: Contents,
    /// What the file does not have yet.
    unwritten: bool,
    /// Hashes of what was learned, so that an instance that starts again costs nothing. Never written.
    learned: BTreeMap<ServiceName, u64>,
    hasher: RandomState,
    ready: BTreeMap<ServiceName, Option<Arc<Mask>>>,
}

impl Masks {
    /// Those of a log directory; it need not exist.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or is not what Orco writes: nothing may be shown then.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join(file::NAME);
        let none = || Contents { salt: Salt::random(), services: BTreeMap::new() };
        let contents = file::read(&path)?.unwrap_or_else(none);
        let state = State {
            contents,
            unwritten: false,
            learned: BTreeMap::new(),
            hasher: RandomState::new(),
            ready: BTreeMap::new(),
        };
        Ok(Self { path, generation: AtomicU64::new(1), state: Mutex::new(state) })
    }

    /// As [`open`](Self::open); a file that is none of ours is set aside, and values that are out of use are then not
    /// masked any more: what was wrong with it comes back too. For who has a stack to run, whose values it learns again.
    ///
    /// # Errors
    /// When it cannot be read, or set aside.
    pub fn open_or_set_aside(directory: &Path) -> io::Result<(Self, Option<io::Error>)> {
        match Self::open(directory) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let path = directory.join(file::NAME);
                std::fs::rename(&path, path.with_extension("damaged"))?;
                Ok((Self::open(directory)?, Some(error)))
            }
            other => Ok((other?, None)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of secrets before anybody can print them, and writes their fingerprints. Reads and writes a file.
    ///
    /// # Errors
    /// When the file cannot be written. They are masked all the same, as long as this one lives, and written with the
    /// next change.
    pub fn learn<'a>(&self, all: impl IntoIterator<Item = (&'a ServiceName, Secrets)>) -> io::Result<()> {
        let mut state = self.state();
        let mut news = false;
        for (service, secrets) in all {
            news |= state.learn(service, &secrets);
        }
        if news {
            state.ready.clear();
            state.unwritten = true;
            self.generation.fetch_add(1, Ordering::Release);
        }
        if state.unwritten {
            file::write(&self.path, &state.contents)?;
            state.unwritten = false;
        }
        Ok(())
    }

    /// Rises when what is hidden changes.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What is hidden in the output of this service. `None`: nothing.
    pub fn of(&self, service: &ServiceName) -> Option<Arc<Mask>> {
        self.state().of(service)
    }

    /// A text that quotes what a service, or something that runs for it, has said.
    pub fn text<'a>(&self, service: &ServiceName, text: &'a str) -> Cow<'a, str> {
        match self.of(service) {
            None => Cow::Borrowed(text),
            Some(mask) => Cow::Owned(mask.text(text).into_owned()),
        }
    }
}

impl State {
    fn learn(&mut self, service: &ServiceName, secrets: &Secrets) -> bool {
        let hash = self.hasher.hash_one(secrets);
        if self.learned.insert(service.clone(), hash) == Some(hash) {
            return false;
        }
        let Secrets { off, own, everywhere } = secrets;
        let known = self.contents.services.get(service);
        if own.is_empty() && everywhere.is_empty() && known.map_or(!off, |known| known.off == *off) {
            return false;
        }
        let salt = self.contents.salt;
        let prints = |values: &BTreeSet<String>| {
            values.iter().flat_map(|value| forms(value)).filter_map(|form| Print::of(&salt, &form)).collect()
        };
        let kept = self.contents.services.entry(service.clone()).or_default();
        let turned = std::mem::replace(&mut kept.off, *off) != *off;
        if *off {
            return turned;
        }
        let own = file::add(&mut kept.own, prints(own));
        file::add(&mut kept.everywhere, prints(everywhere)) || own || turned
    }

    fn of(&mut self, service: &ServiceName) -> Option<Arc<Mask>> {
        if let Some(ready) = self.ready.get(service) {
            return ready.clone();
        }
        let Contents { salt, services } = &self.contents;
        let kept = services.get(service);
        let mask = match kept {
            Some(Kept { off: true, .. }) => None,
            Some(_) | None => {
                let own = kept.into_iter().flat_map(|kept| &kept.own);
                let others = services.values().filter(|kept| !kept.off).flat_map(|kept| &kept.everywhere);
                let mut prints = own.chain(others).copied().peekable();
                prints.peek().is_some().then(|| prints.collect::<Vec<_>>())
            }
        };
        let mask = mask.map(|prints| Arc::new(Mask::new(*salt, prints)));
        self.ready.insert(service.clone(), mask.clone());
        mask
    }
}
