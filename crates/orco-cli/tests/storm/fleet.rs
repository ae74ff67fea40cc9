//! Thirty services under a daemon: steady ones in layers, ones that crash again and again, trees, a oneshot, writers. Each
//! holds a lock while it lives, so that a second copy betrays itself, and notes each of its starts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::census;

/// Nothing here may take longer.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How often a storm is repeated: a few times in the daily run, `ORCO_ROUNDS` times when the full count is asked for.
pub fn rounds(few: usize) -> usize {
    std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// How long something may take: as promised in a full count, on a machine of its own; in the daily run, beside other
/// tests on whatever machine, five times as long. A busy machine is slow and not wrong.
pub fn promised(limit: Duration) -> Duration {
    if std::env::var_os("ORCO_ROUNDS").is_some() { limit } else { limit * 5 }
}

/// Says a figure of a full count.
pub fn figure(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What `orco` answered.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

pub struct Fleet {
    pub dir: TempDir,
    pub tag: String,
    /// The `orco` that is run.
    pub program: PathBuf,
    /// More variables for every `orco` that is run (and so for the daemon).
    pub env: Vec<(String, String)>,
    /// The stack's key `logging`, if it has one.
    pub logging: Option<&'static str>,
}

/// What a service does besides holding its lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Stays.
    Stay,
    /// Ends with 1 after some tenths of a second.
    Crash,
    /// Stays, with children, one in a session of its own.
    Tree,
    /// Writes numbered lines, and notes how many it has written.
    Write,
    /// Stays, and is ready when its probe says so.
    Probed,
    /// Stays, and ignores the stop signal.
    Deaf,
    /// Writes more than a segment of its log takes.
    Fill,
    /// Ends well, once.
    Once,
    /// Notes the time and ends with 1.
    Fail,
    /// Writes so many numbered lines at a time, with a pause of so many milliseconds; on TERM notes how many they were.
    Flood(u32, u32),
}

/// A service of the fleet.
#[derive(Clone, Debug)]
pub struct Ship {
    pub name: String,
    pub act: Act,
    pub replicas: u32,
    pub after: Option<String>,
    /// Changes the revision.
    pub paint: u32,
    /// The restart policy, if it is not that of its act.
    pub policy: Option<String>,
}

impl Ship {
    pub fn new(name: impl Into<String>, act: Act) -> Self {
        Self { name: name.into(), act, replicas: 1, after: None, paint: 0, policy: None }
    }

    pub fn after(mut self, name: &str) -> Self {
        self.after = Some(name.to_owned());
        self
    }

    fn yaml(&self, out: &mut String) {
        let body = match self.act {
            Act::Stay => "exec sleep 100000".to_owned(),
            Act::Probed => "echo afloat; exec sleep 100000".to_owned(),
            Act::Deaf => "trap \"\" TERM; exec sleep 100000".to_owned(),
            Act::Fill => "head -c 18000000 /dev/zero | tr \"\\0\" x | fold -w 4000; exec sleep 100000".to_owned(),
            Act::Crash => "sleep 0.$$(( $$$$ % 5 + 1 )); exit 1".to_owned(),
            Act::Tree => "sleep 100000 & setsid sleep 100000 & wait".to_owned(),
            Act::Write => "i=0; while :; do i=$$((i+1)); echo line $$i; echo $$i >> wrote; sleep 0.05; done".to_owned(),
            Act::Once => "exit 0".to_owned(),
            Act::Fail => "date +%s.%N >> times; exit 1".to_owned(),
            Act::Flood(lines, pause) => format!(
                "i=0; trap \"echo \\$$i > last.$$STORM_SEAT; exit 0\" TERM; while :; do j=0; \
                 while [ $$j -lt {lines} ]; do i=$$((i+1)); j=$$((j+1)); echo line $$i; done; sleep {}; done",
                f64::from(pause) / 1000.0
            ),
        };
        // The lock is the instance's: it goes with its last process. Whoever finds it taken is a second copy.
        let script = format!(
            "exec 9>>locks/$$STORM_SEAT; flock -n 9 || {{ echo $$STORM_SEAT $$ORCO_INSTANCE >> violations; exit 99; }}; \
             echo $$ORCO_INSTANCE $$$$ >> starts/$$STORM_SEAT; : paint {}; {body}",
            self.paint
        );
        let _ = write!(
            out,
            "  {}:\n    shell: true\n    command: '{}'\n    replicas: {}\n    env: {{ STORM_SEAT: \"${{service}}.${{replica}}\" }}\n",
            self.name, script, self.replicas
        );
        if let Some(after) = &self.after {
            let _ = writeln!(out, "    dependsOn: [{after}]");
        }
        if self.act == Act::Once {
            let _ = writeln!(out, "    kind: oneshot");
        }
        if self.act == Act::Probed {
            let _ = writeln!(out, "    health: {{ log: {{ pattern: afloat }} }}");
        }
        // What is left of a tree gets all of the time too.
        if matches!(self.act, Act::Deaf | Act::Tree) {
            let _ = writeln!(out, "    stop: {{ timeout: 100ms }}");
        }
        let often = "{ maxRetries: unlimited, backoff: { min: 50ms, max: 300ms, factor: 1.5 } }";
        if let Some(policy) = self.policy.as_deref().or((self.act == Act::Crash).then_some(often)) {
            let _ = writeln!(out, "    restartPolicy: {policy}");
        }
    }
}

/// The usual thirty.
pub fn thirty() -> Vec<Ship> {
    let mut ships: Vec<Ship> = (0..20)
        .map(|n| {
            let ship = Ship::new(format!("steady{n:02}"), Act::Stay);
            if n >= 5 { ship.after(&format!("steady{:02}", n - 5)) } else { ship }
        })
        .collect();
    ships.extend((0..4).map(|n| Ship::new(format!("crash{n}"), Act::Crash)));
    ships.extend((0..3).map(|n| Ship::new(format!("tree{n}"), Act::Tree).after("steady00")));
    ships.extend((0..2).map(|n| Ship::new(format!("write{n}"), Act::Write)));
    ships.push(Ship::new("once", Act::Once).after("steady01"));
    ships
}

impl Fleet {
    pub fn new(ships: &[Ship]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let tag = format!("storm-{now}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // A long storm runs a copy of its own, so that nobody builds another below it.
        let program = std::env::var_os("ORCO_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_orco").into()).into();
        let fleet = Self { dir: tempfile::tempdir().unwrap(), tag, program, env: Vec::new(), logging: None };
        for folder in ["locks", "starts"] {
            fs::create_dir(fleet.path(folder)).unwrap();
        }
        fleet.write(ships);
        fleet
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces the stack file.
    pub fn write(&self, ships: &[Ship]) {
        let mut yaml = format!(
            "version: 0.1\nstack: {{ name: storm }}\ndefaults:\n  env: {{ STORM_TAG: {} }}\n  stop: {{ timeout: 3s }}\nservices:\n",
            self.tag
        );
        ships.iter().for_each(|ship| ship.yaml(&mut yaml));
        if let Some(logging) = self.logging {
            yaml = format!("logging: {logging}\n{yaml}");
        }
        fs::write(self.path("stack.yaml"), yaml).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("ORCO_STATE_DIR", self.path("state"))
            .env_remove("ORCO_LOG")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn orco(&self, args: &[&str]) -> Done {
        Done::of(self.command(args).output().unwrap())
    }

    /// Runs beside us.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a command that runs beside us says in the end.
    pub fn finish(&self, mut child: Child, context: &str) -> Done {
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > LIMIT {
                let _ = child.kill();
                panic!("{context}: the command does not end\n{}", self.daemon_log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Done::of(child.wait_with_output().unwrap())
    }

    /// Runs to the end and must succeed.
    pub fn ok(&self, args: &[&str]) -> Done {
        let done = self.orco(args);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}\n{}", self.daemon_log());
        done
    }

    /// The status, if the stack answers.
    pub fn status(&self) -> Option<Value> {
        let done = self.orco(&["status", "-o", "json"]);
        (done.code == Some(0)).then(|| serde_json::from_str(&done.out).unwrap())
    }

    /// The state directory of the one stack.
    pub fn state(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.path("state")).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| path.is_dir())
    }

    pub fn daemon_log(&self) -> String {
        let file = self.state().map(|dir| dir.join("daemon.log"));
        let text = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn meta(&self, key: &str) -> Option<i32> {
        let text = fs::read(self.state()?.join("meta.json")).ok()?;
        let meta: Value = serde_json::from_slice(&text).ok()?;
        i32::try_from(meta.get(key)?.as_i64()?).ok()
    }

    /// The pids as meta.json has them.
    pub fn engine(&self) -> Option<i32> {
        self.meta("pid")
    }

    pub fn keeper(&self) -> Option<i32> {
        self.meta("keeper_pid")
    }

    pub fn violations(&self) -> String {
        fs::read_to_string(self.path("violations")).unwrap_or_default()
    }

    /// The instances that were ever started in a seat.
    pub fn starts(&self, seat: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path("starts").join(seat)).unwrap_or_default();
        text.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
    }

    /// Waits until status shows every service as it must be in the end, and returns it.
    pub fn settled(&self, ships: &[Ship]) -> Value {
        let mut last = None;
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            last = self.status();
            if let Some(status) = &last
                && ships.iter().all(|ship| is_fine(&status["services"][&ship.name], ship))
            {
                return last.unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not settle: {:#}\n{}", last.unwrap_or_default(), self.daemon_log());
    }

    /// The truth outside: at most one instance per seat lives, none twice, none that is not wanted.
    pub fn check(&self, ships: &[Ship]) {
        assert_eq!(self.violations(), "", "a second copy was started");
        let wanted: BTreeMap<String, u32> = ships.iter().map(|s| (s.name.clone(), s.replicas)).collect();
        for (seat, instances) in census::instances(&self.tag) {
            let (service, replica) = seat.rsplit_once('.').unwrap();
            let replicas = wanted.get(service).copied().unwrap_or(0);
            assert!(replica.parse::<u32>().unwrap() < replicas, "{seat} is not wanted and runs");
            assert_eq!(instances.len(), 1, "{seat} runs twice: {instances:?}");
        }
    }

    /// The main processes of steady services: they must never change.
    pub fn steady(&self) -> BTreeMap<String, i32> {
        let main = census::processes(&self.tag).into_iter().filter(|p| p.pid == p.session);
        main.filter(|p| !p.seat.starts_with("crash") && !p.seat.starts_with("once")).map(|p| (p.seat, p.pid)).collect()
    }

    /// `down`, and nothing may be left.
    pub fn down(&self) {
        self.ok(&["down"]);
        let left = census::processes(&self.tag);
        assert!(left.is_empty(), "left after down: {left:?}\n{}", self.daemon_log());
        assert_eq!(self.violations(), "");
    }
}

fn is_fine(service: &Value, ship: &Ship) -> bool {
    match ship.act {
        Act::Once => service["state"] == "Completed",
        // It comes and goes; it must only not be given up.
        Act::Crash | Act::Fail => service["state"] == "Running" || service["state"] == "Starting",
        Act::Stay | Act::Tree | Act::Write | Act::Probed | Act::Deaf | Act::Fill | Act::Flood(..) => {
            service["ready"] == true && service["ready_replicas"] == ship.replicas
        }
    }
}

/// Sends SIGKILL; whether there was somebody.
pub fn kill9(pid: i32) -> bool {
    kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
}

/// Waits until it holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}

impl Drop for Fleet {
    /// A failed test leaves nothing either: keeper and engine first, then what they held.
    fn drop(&mut self) {
        for _ in 0..50 {
            let us: Vec<i32> = [self.engine(), self.keeper()].into_iter().flatten().collect();
            us.into_iter().filter(|pid| belongs(*pid, self.dir.path())).for_each(|pid| _ = kill9(pid));
            let left = census::processes(&self.tag);
            if left.is_empty() {
                return;
            }
            left.iter().for_each(|p| _ = kill9(p.pid));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether this pid is an engine or keeper of the folder: a number in a file alone proves nothing.
fn belongs(pid: i32, dir: &Path) -> bool {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let state = format!("ORCO_STATE_DIR={}", dir.join("state").display());
    environ.split(|byte| *byte == 0).any(|variable| variable == state.as_bytes())
}
