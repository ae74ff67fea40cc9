//! A stack of containers and processes under the whole program.

use std::{collections::BTreeMap, fmt::Write as _, fs::OpenOptions, io::Write as _, thread::sleep, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::dock::{self, Found, IMAGE};
use crate::{
    fleet::{Fleet, Ship},
    strike::holders,
};

/// A service in containers: its name, and YAML beside image and label, one key a line.
#[derive(Clone)]
pub struct Crate {
    pub name: String,
    pub replicas: u32,
    pub keys: Vec<String>,
}

impl Crate {
    /// Runs a script (with `$` written twice) in the image's shell.
    pub fn new(name: &str, script: &str) -> Self {
        let keys = vec!["shell: true".to_owned(), format!("command: '{script}'")];
        Self { name: name.to_owned(), replicas: 1, keys }
    }

    /// Only stays, and ends when it is told to.
    pub fn stays(name: &str) -> Self {
        Self::new(name, "exec sleep 100000")
    }

    /// Stays, whatever signal it gets that can be ignored.
    pub fn deaf(name: &str) -> Self {
        Self::new(name, "trap \"\" TERM INT HUP; while :; do sleep 1; done").with("stop: { timeout: 300ms }")
    }

    /// Writes numbered lines; when it is stopped, the last number again.
    pub fn counts(name: &str) -> Self {
        Self::new(
            name,
            "i=0; trap \"echo last \\$$i; exit 0\" TERM; \
             while :; do i=$$((i+1)); echo line $$i; sleep 0.05; done",
        )
    }

    pub fn with(mut self, key: &str) -> Self {
        self.keys.push(key.to_owned());
        self
    }
}

pub struct Mixed {
    pub fleet: Fleet,
    pub ships: Vec<Ship>,
    pub crates: Vec<Crate>,
}

/// Seats and what is in them.
pub type Seats = BTreeMap<String, String>;

impl Mixed {
    pub fn new(ships: Vec<Ship>, crates: Vec<Crate>) -> Self {
        let mixed = Self { fleet: Fleet::new(&[]), ships, crates };
        mixed.write();
        mixed
    }

    /// Replaces the stack file.
    pub fn write(&self) {
        self.fleet.write(&self.ships);
        let mut yaml = String::new();
        for Crate { name, replicas, keys } in &self.crates {
            let _ = write!(
                yaml,
                "  {name}:\n    image: {IMAGE}\n    labels: {{ storm.tag: {} }}\n    replicas: {replicas}\n",
                self.fleet.tag
            );
            keys.iter().for_each(|key| _ = writeln!(yaml, "    {key}"));
        }
        let mut file = OpenOptions::new().append(true).open(self.fleet.path("stack.yaml")).unwrap();
        file.write_all(yaml.as_bytes()).unwrap();
    }

    /// What our containers have, and nobody else's.
    pub fn label(&self) -> String {
        format!("storm.tag={}", self.fleet.tag)
    }

    /// The stack's id, once there is one.
    pub fn id(&self) -> Option<String> {
        Some(self.fleet.state()?.file_name()?.to_str()?.to_owned())
    }

    /// What everything of the stack has.
    pub fn of_stack(&self) -> String {
        format!("orco.stack={}", self.id().unwrap())
    }

    pub fn found(&self) -> Vec<Found> {
        dock::containers(&self.label())
    }

    /// The containers that run.
    pub fn running(&self) -> Seats {
        self.found().into_iter().filter(Found::runs).map(|found| (found.seat, found.id)).collect()
    }

    /// The container of a service with one replica.
    pub fn container(&self, name: &str) -> String {
        let seat = format!("{name}.0");
        self.running().remove(&seat).unwrap_or_else(|| panic!("{seat} does not run\n{}", self.fleet.daemon_log()))
    }

    /// Every seat that there should be.
    pub fn seats(&self) -> Vec<String> {
        let seats = |one: &Crate| (0..one.replicas).map(|n| format!("{}.{n}", one.name)).collect::<Vec<_>>();
        let mut all: Vec<String> = self.crates.iter().flat_map(seats).collect();
        all.sort();
        all
    }

    /// Exactly what is wanted is there, once, and runs.
    pub fn check(&self, context: &str) -> Seats {
        let found = self.found();
        let mut seats: Vec<String> = found.iter().filter(|one| one.runs()).map(|one| one.seat.clone()).collect();
        seats.sort();
        let log = || self.fleet.daemon_log();
        assert_eq!((seats, found.len()), (self.seats(), self.seats().len()), "{context}: {found:#?}\n{}", log());
        found.into_iter().map(|one| (one.seat, one.id)).collect()
    }

    /// What is left when it should be nothing: containers, networks, and volumes without a name.
    pub fn left<'a>(&self, nameless: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let mut left: Vec<String> = self.found().into_iter().map(|one| format!("{one:?}")).collect();
        if self.id().is_some() {
            let hidden = dock::containers(&self.of_stack());
            left.extend(hidden.into_iter().map(|one| format!("container {}", one.name)));
            left.extend(dock::networks(&self.of_stack()).into_iter().map(|id| format!("network {id}")));
        }
        let there = nameless.into_iter().filter(|name| dock::exists("volumes", name));
        left.extend(there.map(|name| format!("volume {name}")));
        left
    }

    pub fn status(&self) -> Value {
        self.fleet.status().unwrap_or_else(|| panic!("no status\n{}", self.fleet.daemon_log()))
    }
}

impl Drop for Mixed {
    /// A failed test leaves nothing either: first who could make more, then what was made.
    fn drop(&mut self) {
        for _ in 0..100 {
            let us = holders(&self.fleet);
            if us == Default::default() {
                break;
            }
            us.engines.iter().chain(&us.keepers).for_each(|pid| _ = kill(Pid::from_raw(*pid), Signal::SIGKILL));
            sleep(Duration::from_millis(20));
        }
        dock::sweep(&self.label());
        if self.id().is_some() {
            dock::sweep(&self.of_stack());
        }
    }
}
