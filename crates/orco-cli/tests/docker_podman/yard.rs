//! A stack, and the Podman that it is on.

use std::{collections::BTreeMap, fs};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    bench::{Bench, signal},
    podman::{IMAGE, Podman},
};

/// A stack, and the Podman that it is on, asked through its own command.
pub struct Yard {
    pub bench: Bench,
    pub podman: Podman,
}

/// YAML of a service in a container.
pub fn container(name: &str, script: &str, keys: &str) -> String {
    format!("  {name}: {{ image: \"{IMAGE}\", runtime: podman, command: [sh, -c, \"{script}\"]{keys} }}\n")
}

impl Yard {
    /// `None` where there is no Podman.
    pub fn new(services: &str) -> Option<Self> {
        let podman = Podman::start()?;
        let mut bench = Bench::new("");
        let head = "defaults: { restartPolicy: { backoff: { min: 50ms, max: 500ms }, maxRetries: unlimited }, \
                    stop: { timeout: 1s } }";
        bench.write("stack.yaml", &format!("version: 0.1\nstack: {{ name: pods }}\n{head}\nservices:\n{services}"));
        bench.env.push(("CONTAINER_HOST".to_owned(), podman.host()));
        Some(Self { bench, podman })
    }

    /// Containers that run, by service.
    pub fn running(&self) -> BTreeMap<String, String> {
        let format = "{{.ID}} {{index .Labels \"orco.service\"}}";
        let lines = self.podman.must(&["ps", "--no-trunc", "--format", format]);
        let pairs: Vec<_> = lines.lines().filter_map(|line| line.split_once(' ')).collect();
        let running: BTreeMap<String, String> =
            pairs.iter().map(|(id, service)| ((*service).to_owned(), (*id).to_owned())).collect();
        assert_eq!(running.len(), pairs.len(), "one runs twice: {lines}");
        running
    }

    /// Containers, and networks but Podman's own.
    pub fn left(&self) -> Vec<String> {
        let containers = self.podman.must(&["ps", "--all", "--quiet"]);
        let networks = self.podman.must(&["network", "ls", "--format", "{{.Name}}"]);
        let ours = networks.lines().filter(|name| *name != "podman");
        containers.lines().chain(ours).map(str::to_owned).collect()
    }

    pub fn is_ready(&self, name: &str, restarts: u64) -> bool {
        let service = self.bench.service(name);
        service["ready"] == true && service["restarts"] == restarts
    }

    /// Orco's engine behind `up -d`.
    pub fn engine(&self) -> i32 {
        let state = fs::read_dir(self.bench.dir.path().join("state")).unwrap().next().unwrap().unwrap().path();
        let meta: Value = serde_json::from_slice(&fs::read(state.join("meta.json")).unwrap()).unwrap();
        i32::try_from(meta["pid"].as_i64().unwrap()).unwrap()
    }

    pub fn kill_engine(&self) -> i32 {
        let engine = self.engine();
        signal(engine, Signal::SIGKILL);
        engine
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = self.bench.command(&["down", "--timeout", "1s"]).output();
    }
}
