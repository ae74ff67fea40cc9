//! What services that run in containers have besides, written in Rust.

use super::ServiceBuilder;
use crate::spec::{
    Network, PullPolicy, Service, file,
    rules::{self, Finding},
    value,
    yaml::Path,
};

impl ServiceBuilder {
    /// From this image.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.service.image = Some(image.into());
        self
    }

    /// With this program in the place of the image's entrypoint; nothing: without one. It has no per-instance
    /// variables, and a `$` is only that.
    pub fn entrypoint<S: Into<String>>(mut self, argv: impl IntoIterator<Item = S>) -> Self {
        self.service.entrypoint = Some(argv.into_iter().map(Into::into).collect());
        self
    }

    /// In this directory inside the container, an absolute path.
    pub fn container_workdir(mut self, workdir: impl Into<String>) -> Self {
        self.service.container_workdir = Some(workdir.into());
        self
    }

    /// With a mount as in stack files: `./data:/data:ro` (relative to the stack's workdir), `cache:/cache` (a volume of
    /// the stack), `/scratch` (one that goes with the container).
    pub fn volume(mut self, volume: impl Into<String>) -> Self {
        self.volumes.push(volume.into());
        self
    }

    /// With a label.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.service.labels.insert(key.into(), value.into());
        self
    }

    /// In this network, or the one of this name; the stack's own by default.
    pub fn network(mut self, network: impl Into<Network>) -> Self {
        self.service.network = network.into();
        self
    }

    /// With its image pulled then; by default where it is missing.
    pub const fn pull_policy(mut self, policy: PullPolicy) -> Self {
        self.service.pull_policy = policy;
        self
    }

    /// From the image for this platform, such as `linux/arm64`.
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.service.platform = Some(platform.into());
        self
    }

    /// Whether a small init runs inside; true by default.
    pub const fn init(mut self, init: bool) -> Self {
        self.service.init = init;
        self
    }

    /// Allowed to mount the container engine's socket, and with it to rule this machine.
    pub const fn allow_docker_socket(mut self, allow: bool) -> Self {
        self.service.allow_docker_socket = allow;
        self
    }

    /// With so many thousandths of a processor at the most.
    pub const fn cpu(mut self, millis: u64) -> Self {
        self.service.resources.cpu_millis = Some(millis);
        self
    }

    /// With so many bytes of memory at the most.
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.service.resources.memory = Some(bytes);
        self
    }

    /// With so many processes and threads at the most.
    pub const fn pids(mut self, count: u64) -> Self {
        self.service.resources.pids = Some(count);
        self
    }
}

/// Settles what means one thing to a process and another to a container.
pub(super) fn settle(
    service: &mut Service,
    inherit: Option<bool>,
    stack: &std::path::Path,
    path: &Path,
    findings: &mut Vec<Finding>,
) {
    let container = service.is_container();
    service.inherit_env = inherit.unwrap_or(!container);
    if container && inherit == Some(true) {
        findings.push(rules::inherits(service, path));
    }
    if container && !service.workdir.as_os_str().is_empty() {
        let inside = std::mem::take(&mut service.workdir).to_string_lossy().into_owned();
        service.container_workdir.get_or_insert(inside);
    }
    service.workdir = file::join(stack, &service.workdir);
}

/// The mounts as they were written.
pub(super) fn mount(
    service: &mut Service,
    volumes: Vec<String>,
    stack: &std::path::Path,
    path: &Path,
    findings: &mut Vec<Finding>,
) {
    for (index, text) in volumes.into_iter().enumerate() {
        match value::parse_volume(&text) {
            Ok(volume) => service.volumes.push(volume.seen_from(stack)),
            Err(flaw) => {
                let at = path.clone().key("volumes").index(index);
                findings.push(Finding { help: flaw.help, ..Finding::error(flaw.code, at, flaw.message) });
            }
        }
    }
}
