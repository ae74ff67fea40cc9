//! What tests on a real engine have in common: the engine, an image, services and requests.
#![allow(dead_code, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

use std::{
    hash::{BuildHasher as _, RandomState},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use orco_core::{
    model::{InstanceId, StackId},
    runtime::{Handle, LogTarget, Runtime, StartRequest},
    spec::{ServiceBuilder, Stack},
};
use orco_runtime_docker::Docker;

/// An image with all that tests need: a busybox.
pub const IMAGE: &str = "orco-test/busybox:1";

/// Whether an engine with the image answers. Where there is none tests are left out, but not in CI.
pub fn engine() -> bool {
    let answers = docker(&["image", "inspect", "--format", "ok", IMAGE]);
    if answers == "ok" {
        return true;
    }
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!in_ci, "no container engine with {IMAGE} answers");
    eprintln!("skipped: no container engine with {IMAGE} answers");
    false
}

/// What the engine's own command prints; nothing where it fails.
pub fn docker(arguments: &[&str]) -> String {
    let Ok(output) = Command::new("docker").args(arguments).output() else { return String::new() };
    if output.status.success() { String::from_utf8_lossy(&output.stdout).trim().to_owned() } else { String::new() }
}

pub fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

pub fn service(name: &str, argv: Vec<String>) -> ServiceBuilder {
    ServiceBuilder::container(name, IMAGE).command(argv)
}

/// A number that nobody has.
pub fn chance() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

pub fn some_stack() -> StackId {
    StackId::from_bits(chance())
}

/// A stack of a test, and the runtime that it is on. What a failing test leaves goes when this is dropped.
pub struct Lab {
    pub docker: Docker,
    pub stack: StackId,
    next: std::sync::atomic::AtomicU32,
}

impl Lab {
    pub fn on(docker: Docker) -> Self {
        Self { docker, stack: some_stack(), next: 1.into() }
    }

    pub fn new() -> Self {
        Self::on(Docker::new())
    }

    pub fn request(&self, service: ServiceBuilder) -> StartRequest {
        let built = Stack::builder("lab").workdir("/tmp").service(service).build().unwrap();
        let instance = InstanceId(u128::from(chance()) << 64 | u128::from(chance()));
        let log = LogTarget::new("/tmp", "0.1");
        let mut request = StartRequest::new(self.stack, instance, Arc::clone(&built.services()[0]), log);
        request.stack_name = "lab".into();
        request.replica = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        request
    }

    pub fn script(&self, script: &str) -> StartRequest {
        self.request(service("api", shell(script)))
    }

    pub async fn start(&self, script: &str) -> Handle {
        self.docker.start(self.script(script)).await.unwrap()
    }

    /// The ids of this stack's containers, running or not.
    pub fn containers(&self) -> Vec<String> {
        let filter = format!("label=orco.stack={}", self.stack);
        let text = docker(&["ps", "-aq", "--no-trunc", "--filter", &filter]);
        text.lines().map(str::to_owned).collect()
    }

    pub fn networks(&self) -> Vec<String> {
        let filter = format!("label=orco.stack={}", self.stack);
        docker(&["network", "ls", "-q", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    pub fn volumes(&self) -> Vec<String> {
        let filter = format!("label=orco.stack={}", self.stack);
        docker(&["volume", "ls", "-q", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    /// Ends everything, and nothing is left.
    pub async fn end(self) {
        self.docker.shutdown().await;
        assert_eq!(self.containers(), Vec::<String>::new());
        assert_eq!(self.networks(), Vec::<String>::new());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for container in self.containers() {
            docker(&["rm", "-fv", &container]);
        }
        for network in self.networks() {
            docker(&["network", "rm", &network]);
        }
        for volume in self.volumes() {
            docker(&["volume", "rm", &volume]);
        }
    }
}

/// Looks until it is so; panics when that takes too long.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
