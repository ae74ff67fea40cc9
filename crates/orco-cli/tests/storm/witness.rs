//! Who watches a stack from outside while its engine dies: readers of logs and events, and somebody who asks for the
//! status all the time.

use std::{
    fs,
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::fleet::{Fleet, until};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// A command that prints what is to come.
pub struct Reader {
    child: Child,
    file: std::path::PathBuf,
}

impl Reader {
    pub fn start(fleet: &Fleet, name: &str, args: &[&str]) -> Self {
        let file = fleet.path(name);
        let child = fleet
            .command(args)
            .stdout(fs::File::create(&file).unwrap())
            .stderr(fs::File::create(fleet.path(&format!("{name}.err"))).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    /// Waits until it ends by itself, which it does with the stack; what it printed.
    pub fn end(mut self) -> Vec<Value> {
        until(&format!("{} ends", self.file.display()), || self.child.try_wait().unwrap().is_some());
        let text = fs::read_to_string(&self.file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Of a failed test; else it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the status said over time.
#[derive(Debug, Default)]
pub struct Seen {
    pub slowest: Duration,
    /// What was not as it must be.
    pub wrong: Vec<String>,
    pub answers: u32,
}

/// Asks for the status again and again.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    /// `crashing` is a service that restarts all the time.
    pub fn start(fleet: &Fleet, crashing: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, seat) = (fleet.path("starts").join(format!("{crashing}.0")), fleet.path("status"));
        let mut command = fleet.command(&["status", "-o", "json"]);
        command.stderr(fs::File::create(seat).unwrap());
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut seen, mut last) = (Seen::default(), 0);
            while !ended.load(Ordering::Relaxed) {
                let starts = fs::read_to_string(&path).unwrap_or_default().lines().count() as u64;
                let begun = Instant::now();
                let output = command.output().unwrap();
                seen.slowest = seen.slowest.max(begun.elapsed());
                seen.answers += 1;
                if output.status.code() != Some(0) {
                    seen.wrong.push(format!("status does not answer: {:?}", output.status));
                    continue;
                }
                let status: Value = serde_json::from_slice(&output.stdout).unwrap();
                let restarts = status["services"][crashing]["restarts"].as_u64().unwrap();
                if restarts < last || restarts + 1 < starts {
                    seen.wrong.push(format!("{restarts} restarts after {last}, and it has begun {starts} times"));
                }
                last = restarts;
                std::thread::sleep(PAUSE);
            }
            seen
        });
        Self { stop, thread }
    }

    pub fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The numbers are `first`, the next, and so on.
pub fn is_row(numbers: &[u64], first: u64) -> bool {
    numbers.iter().copied().eq((first..).take(numbers.len()))
}
