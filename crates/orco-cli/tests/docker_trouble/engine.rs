//! The engine as it is, past Orco: what runs there, and what is left.

use std::{
    collections::BTreeSet,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::bench::Bench;

/// A busybox.
pub const IMAGE: &str = "orco-test/busybox:1";
/// The machine's own engine.
pub const SOCKET: &str = "/var/run/docker.sock";

/// Says what is skipped where something is missing; under CI nothing is.
pub fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what}");
    eprintln!("skipped: {what}");
}

/// How often something is repeated: `ORCO_ROUNDS` times when the full count is asked for.
pub fn rounds(few: u32) -> u32 {
    std::env::var("ORCO_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// A name of a stack that no other test has.
pub fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("bad{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An engine, asked through its own command.
#[derive(Clone, Debug)]
pub struct Engine {
    host: String,
}

impl Engine {
    /// The machine's own one, or `None` after saying what is skipped.
    pub fn system() -> Option<Self> {
        let engine = Self::at(SOCKET);
        if engine.ask(&["image", "inspect", "--format", "ok", IMAGE]).as_deref() == Ok("ok") {
            return Some(engine);
        }
        missing(&format!("no container engine with {IMAGE} answers"));
        None
    }

    pub fn at(socket: &str) -> Self {
        Self { host: format!("unix://{socket}") }
    }

    /// Its own command.
    pub fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.arg("-H").arg(&self.host);
        command
    }

    /// What it prints, or says it cannot.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command().args(arguments).output();
        let output = output.map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    pub fn must(&self, arguments: &[&str]) -> String {
        self.ask(arguments).unwrap_or_else(|why| panic!("docker {arguments:?}: {why}"))
    }

    /// Ids of a stack's containers, and their services; also those that do not run if `all`.
    pub fn containers(&self, stack: &str, all: bool) -> BTreeSet<(String, String)> {
        let filter = format!("name=^/?{stack}-");
        let mut arguments = vec!["ps", "--no-trunc", "--filter", &filter, "--format"];
        arguments.push("{{.ID}} {{.Label \"orco.service\"}}");
        if all {
            arguments.push("-a");
        }
        let pair = |line: &str| line.split_once(' ').map(|(id, service)| (service.to_owned(), id.to_owned()));
        self.must(&arguments).lines().filter_map(pair).collect()
    }

    /// What there is of a stack: containers, and networks of stacks that have this id.
    pub fn left(&self, stack: &str, id: &str) -> Vec<String> {
        let label = format!("label=orco.stack={id}");
        let mut left: Vec<String> = self.containers(stack, true).into_iter().map(|(_, id)| id).collect();
        let networks = self.must(&["network", "ls", "-q", "--filter", &label]);
        left.extend(networks.lines().map(str::to_owned));
        left
    }

    /// The id of a stack, from any of its containers.
    pub fn stack_id(&self, stack: &str) -> String {
        let containers = self.containers(stack, true);
        let (_, container) = containers.first().expect("a container");
        self.must(&["inspect", "--format", "{{index .Config.Labels \"orco.stack\"}}", container])
    }
}

/// A bench whose stack is on an engine; whatever a failing test leaves goes when this is dropped.
pub struct Yard {
    pub bench: Bench,
    pub name: String,
    engine: Engine,
}

impl Yard {
    /// `services` is the YAML below that key; `socket` is what `orco` takes for the engine.
    pub fn new(engine: &Engine, socket: &str, services: &str) -> Self {
        let name = unique();
        let mut bench = Bench::new(services);
        let head = "defaults: { restartPolicy: { backoff: { min: 50ms, max: 500ms }, maxRetries: unlimited }, \
                    stop: { timeout: 1s } }";
        let text = format!("version: 0.1\nstack: {{ name: {name} }}\n{head}\nservices:\n{services}");
        bench.write("stack.yaml", &text);
        bench.env.push(("DOCKER_HOST".to_owned(), format!("unix://{socket}")));
        Self { bench, name, engine: engine.clone() }
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let _ = self.bench.command(&["down", "--timeout", "1s"]).output();
        let engine = std::panic::AssertUnwindSafe(&self.engine);
        let _ = std::panic::catch_unwind(|| {
            for (_, id) in engine.containers(&self.name, true) {
                let network = engine.ask(&["inspect", "--format", "{{.HostConfig.NetworkMode}}", &id]);
                let _ = engine.ask(&["rm", "-fv", &id]);
                if let Some(network) = network.ok().filter(|network| network.starts_with("orco-")) {
                    let _ = engine.ask(&["network", "rm", &network]);
                }
            }
        });
    }
}
