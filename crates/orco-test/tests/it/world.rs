//! What tests see of the machine: processes by a mark in their environment, and programs that tests start.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use orco_test::Failure;

/// A mark that no other test has.
pub fn mark() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("mark-{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn processes() -> impl Iterator<Item = (u32, std::path::PathBuf)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
}

/// Services that live with this mark (the variable `MARK`).
pub fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("MARK={mark}");
    let has = |path: &Path| {
        let environ = fs::read(path.join("environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    processes().filter(|(_, path)| has(path)).map(|(pid, _)| pid).collect()
}

/// Hosts that work in this temporary folder.
pub fn hosts(temp: &Path) -> Vec<u32> {
    let is_one = |path: &Path| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        let mut arguments = line.split(|byte| *byte == 0);
        arguments.next() == Some(b"orco-fixture")
            && arguments.next().is_some_and(|dir| String::from_utf8_lossy(dir).starts_with(temp.to_str().unwrap()))
    };
    processes().filter(|(_, path)| is_one(path)).map(|(pid, _)| pid).collect()
}

/// The directories that stacks have in this temporary folder.
pub fn rooms(temp: &Path) -> Vec<String> {
    let root = temp.join(format!("orco-test-{}", nix::unistd::geteuid()));
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Looks until it is so, at most this long.
pub fn eventually(what: &str, within: Duration, so: impl Fn() -> bool) {
    let until = Instant::now() + within;
    while !so() {
        assert!(Instant::now() < until, "not so within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn kill(pid: u32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), nix::sys::signal::SIGKILL).unwrap();
}

/// A process that plays a part of `actor.rs`: a test process as a runner would start it.
pub struct Actor {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Actor {
    pub fn start(part: &str, temp: &Path, mark: &str) -> Self {
        Self::with(part, temp, mark, &[])
    }

    pub fn with(part: &str, temp: &Path, mark: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["actor::plays_its_part", "--exact", "--nocapture", "--test-threads=1"]);
        command.env("ACTOR_PART", part).env("ACTOR_MARK", mark).env("TMPDIR", temp).env_remove("ORCO_TEST_KEEP");
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The words after `word` on the line where it says that.
    pub fn says(&mut self, word: &str) -> Vec<String> {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                let errors = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
                panic!("it ended without saying {word}: {all}\n{errors}");
            }
            // libtest writes its own words in front of the first line.
            if let Some((_, rest)) = line.split_once(&format!("@{word}")) {
                return rest.split_whitespace().map(str::to_owned).collect();
            }
            all.push_str(&line);
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it end by itself, and gives what it has said on standard error.
    pub fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let errors = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
        self.child.wait().unwrap();
        errors
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The failure of a start.
pub fn failure<T: std::fmt::Debug>(result: Result<T, orco_test::Error>) -> Failure {
    match result {
        Err(orco_test::Error::NotReady(failure)) => *failure,
        other => panic!("{other:?}"),
    }
}
