//! A detached keeper with an engine of the tests, and how to talk to them.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use orco_keeper::{
    Backend,
    daemon::{self, Charter, Outcome, Started},
};

use crate::{
    engine::{ARGUMENTS, GATE, STARTS},
    world::{PATIENCE, alive, kill},
};

pub struct Stack {
    pub dir: tempfile::TempDir,
    pub keeper: u32,
}

impl Stack {
    /// Starts a keeper; the mode is for its engine.
    pub fn begin(mode: &str) -> (Self, Started) {
        let stack = Self { dir: tempfile::tempdir().unwrap(), keeper: 0 };
        stack.mode(mode);
        if mode == "gate" {
            fs::write(stack.file(GATE), "").unwrap();
        }
        let log = fs::File::create(stack.file("daemon.log")).unwrap();
        let charter = charter(stack.dir.path());
        (stack, daemon::start(charter, log).unwrap())
    }

    /// One whose engine serves.
    pub fn up() -> Self {
        let (mut stack, started) = Self::begin("");
        let outcome = started.result(PATIENCE);
        let Outcome::Serving { keeper_pid } = outcome else { panic!("{outcome:?}: {}", stack.log("daemon.log")) };
        stack.keeper = keeper_pid;
        stack
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    pub fn output(&self, id: &str) -> String {
        self.log(&format!("{id}.0.log"))
    }

    pub fn mode(&self, mode: &str) {
        fs::write(self.file("mode"), mode).unwrap();
    }

    pub fn starts(&self) -> Vec<u32> {
        self.log(STARTS).lines().map(|pid| pid.parse().unwrap()).collect()
    }

    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.file("control")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the engine answers; `None`: it hung up before.
    pub fn try_ask(&self, line: &str) -> Option<String> {
        let mut stream = self.connect();
        writeln!(stream, "{line}").ok()?;
        let mut answer = String::new();
        match stream.read_to_string(&mut answer) {
            Ok(_) => Some(answer),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{line}: {error}\n{}", self.log("daemon.log")),
        }
    }

    pub fn ask(&self, line: &str) -> String {
        self.try_ask(line).unwrap_or_else(|| panic!("no answer to {line}\n{}", self.log("daemon.log")))
    }

    /// Starts a service: its id and pid.
    pub fn start(&self, line: &str) -> (String, u32) {
        let answer = self.ask(line);
        let (id, pid) = answer.split_once(' ').unwrap_or_else(|| panic!("{answer}"));
        (id.to_owned(), pid.parse().unwrap_or_else(|_| panic!("{answer}")))
    }

    pub fn engine(&self) -> u32 {
        self.ask("pid").parse().unwrap()
    }

    pub fn kill_engine(&self) {
        kill(self.engine(), libc::SIGKILL);
    }

    /// Shuts down, and waits until the keeper is gone.
    pub fn down(&self) {
        let _ = self.try_ask("shutdown");
        soon("the keeper goes", || !alive(self.keeper));
    }
}

pub fn charter(dir: &std::path::Path) -> Charter {
    Charter {
        engine_arguments: ARGUMENTS.into_iter().chain(dir.to_str()).map(Into::into).collect(),
        backend: Backend::Sweep,
        lock: fs::File::create(dir.join("lock")).unwrap().into(),
        listener: UnixListener::bind(dir.join("control")).unwrap().into(),
    }
}

/// A test that fails leaves nothing behind.
impl Drop for Stack {
    fn drop(&mut self) {
        if self.keeper == 0 || !alive(self.keeper) {
            return;
        }
        kill(self.keeper, libc::SIGSTOP);
        for child in below(self.keeper) {
            kill(child, libc::SIGKILL);
        }
        kill(self.keeper, libc::SIGKILL);
    }
}

/// Everybody below this process.
pub fn below(pid: u32) -> Vec<u32> {
    let parent = |stat: &str| stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok();
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let child = entry.file_name().to_str()?.parse().ok()?;
            Some((child, parent(&fs::read_to_string(entry.path().join("stat")).ok()?)?))
        })
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        at += 1;
    }
    found.split_off(1)
}

/// Polls until it is so.
pub fn soon(what: &str, so: impl FnMut() -> bool) {
    in_time(what, PATIENCE, so);
}

pub fn in_time(what: &str, patience: Duration, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + patience;
    while !so() {
        assert!(Instant::now() < until, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
