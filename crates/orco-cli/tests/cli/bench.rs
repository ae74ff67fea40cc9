//! A folder with a stack file, a state directory, and whatever was started there; gone when the test ends.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// Nothing here may take longer.
pub const LIMIT: Duration = Duration::from_secs(30);

pub struct Bench {
    pub dir: TempDir,
    /// For each command, beside its own environment.
    pub env: Vec<(String, String)>,
}

impl Bench {
    /// A folder with this stack file; `services` is the YAML below that key.
    pub fn new(services: &str) -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap(), env: Vec::new() };
        bench.write("stack.yaml", &stack("demo", services));
        bench
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orco"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("ORCO_STATE_DIR", self.dir.path().join("state"))
            .env_remove("ORCO_LOG")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn orco(&self, args: &[&str]) -> Done {
        let child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        finish(child, args)
    }

    /// Runs to the end and must succeed with a JSON document.
    pub fn json(&self, args: &[&str]) -> Value {
        let done = self.orco(args);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap()
    }

    /// Starts `orco up` and waits until it answers.
    pub fn up(&self, args: &[&str]) -> Up {
        let up = self.up_at_once(args);
        until("`up` answers", || self.orco(&["status"]).code == Some(0));
        up
    }

    /// Starts `orco up` and waits for nothing.
    pub fn up_at_once(&self, args: &[&str]) -> Up {
        let out = self.dir.path().join("up.out");
        let err = self.dir.path().join("up.err");
        let child = self
            .command(&[&["up"], args].concat())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        Up { child, out, err }
    }

    pub fn service(&self, name: &str) -> Value {
        self.json(&["status", "-o", "json"])["services"][name].clone()
    }

    /// Waits until the service is as wanted.
    pub fn until(&self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let last = self.service(name);
            if is(&last) {
                return last;
            }
            assert!(start.elapsed() < LIMIT, "in vain: {name} {what}: {last:#}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn until_ready(&self, name: &str) -> Value {
        self.until(name, "ready", |s| s["ready"] == true)
    }
}

pub fn stack(name: &str, services: &str) -> String {
    format!("version: 0.1\nstack: {{ name: {name} }}\nservices:\n{services}")
}

/// A service that says something and stays.
pub fn sleeper(name: &str) -> String {
    format!("  {name}: {{ command: [sh, -c, \"echo {name} is here; exec sleep 1000\"] }}\n")
}

/// The main process of the first replica.
pub fn pid(service: &Value) -> i32 {
    i32::try_from(service["instances"][0]["pid"].as_i64().expect("a pid")).unwrap()
}

pub fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

pub fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
        && !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

/// Polls, with a bound.
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < LIMIT, "in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

/// Waits for a child with both pipes, and kills it if it takes too long.
pub fn finish(mut child: Child, what: &[&str]) -> Done {
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |from: &mut dyn Read| {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let err = thread::spawn(move || read(&mut err));
    let out = thread::spawn(move || read(&mut out));
    let status = wait(&mut child, what);
    Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() }.into()
}

pub fn wait(child: &mut Child, what: &[&str]) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > LIMIT {
            let _ = child.kill();
            panic!("{what:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A running `orco up`.
pub struct Up {
    pub child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Up {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, with: Signal) {
        signal(self.pid(), with);
    }

    /// Waits for its end.
    pub fn end(&mut self) -> Done {
        let status = wait(&mut self.child, &["up"]);
        Done { code: status.code(), out: self.out(), err: self.err() }
    }

    pub fn out(&self) -> String {
        read(&self.out)
    }

    pub fn err(&self) -> String {
        read(&self.err)
    }
}

fn read(path: &Path) -> String {
    String::from_utf8(fs::read(path).unwrap()).expect("output is UTF-8")
}

impl Drop for Up {
    fn drop(&mut self) {
        // Fate-sharing ends the services.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
