//! Somebody who looks at the engine all the time: no seat ever has two containers that run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

use super::dock;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen.
#[derive(Default, Debug)]
pub struct Seen {
    /// Moments at which a seat had more than one container that runs.
    pub doubles: Vec<String>,
    /// All containers that ever ran in a seat.
    pub ran: BTreeMap<String, BTreeSet<String>>,
    /// All volumes without a name.
    pub nameless: BTreeSet<String>,
    pub looks: u64,
}

pub struct Witness {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Seen>>,
}

impl Witness {
    pub fn start(label: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (ended, label) = (Arc::clone(&stop), label.to_owned());
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !ended.load(Ordering::Relaxed) {
                seen.look(&label);
                sleep(PAUSE);
            }
            seen
        });
        Self { stop, thread: Some(thread) }
    }

    pub fn end(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn look(&mut self, label: &str) {
        self.looks += 1;
        let mut now: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for container in dock::containers(label) {
            self.nameless.extend(container.nameless.iter().cloned());
            if container.runs() {
                self.ran.entry(container.seat.clone()).or_default().insert(container.id);
                now.entry(container.seat).or_default().push(container.name);
            }
        }
        self.doubles.extend(now.into_iter().filter(|(_, names)| names.len() > 1).map(|two| format!("{two:?}")));
    }
}
