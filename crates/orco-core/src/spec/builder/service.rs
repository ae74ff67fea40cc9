//! Services, written in Rust.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use super::{CheckBuilder, Need, container};
use crate::{
    model::{Revision, ServiceName},
    spec::{
        Command, Dependency, Hook, Hooks, Kind, Logging, Network, Port, PullPolicy, Resources, Restart, Service, Stop,
        Update, code,
        defaults::HOOK_TIMEOUT,
        revision,
        rules::{Finding, of_service},
        value,
    },
};

/// When a hook runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HookAt {
    /// Before every spawn; its failure is a failed start.
    PreStart,
    /// Once the process exists.
    PostStart,
    /// Before the stop signal.
    PreStop,
    /// After the exit.
    PostStop,
}

/// A service to be. Texts may hold `${port}` and the other per-instance variables (see [`crate::spec::vars`]); a `$`
/// that is meant is written `$$`.
///
/// ```
/// use std::time::Duration;
/// use orco_core::spec::{Check, Need, ServiceBuilder, Stack};
///
/// let stack = Stack::builder("shop")
///     .workdir("/srv/shop")
///     .service(ServiceBuilder::process("db", ["./db", "--port", "${port}"]).health(Check::tcp("localhost:${port}")))
///     .service(ServiceBuilder::process("seed", ["./seed"]).oneshot().depends_on("db"))
///     .service(
///         ServiceBuilder::process("api", ["./api", "--port", "${port}"])
///             .env("DB", "${endpoint.db}")
///             .replicas(2)
///             .depends_on("db")
///             .depends_on(Need::completed("seed").timeout(Duration::from_secs(60)))
///             .health(Check::http("http://localhost:${port}/health"))
///             .restart(|restart| restart.reset_after = Duration::from_secs(10)),
///     )
///     .build()?;
/// assert_eq!(stack.services().len(), 3);
/// # Ok::<(), orco_core::spec::Invalid>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceBuilder {
    name: String,
    /// Complete but for what can be wrong; its name is a place-holder.
    pub(super) service: Service,
    ports: Vec<(String, Option<String>)>,
    pub(super) volumes: Vec<String>,
    inherit: Option<bool>,
    needs: Vec<Need>,
    health: Option<CheckBuilder>,
    liveness: Option<CheckBuilder>,
}

impl ServiceBuilder {
    /// A service of any registered runtime, so far without a command.
    pub fn new(name: impl Into<String>, runtime: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            service: blank(runtime.into()),
            ports: Vec::new(),
            volumes: Vec::new(),
            inherit: None,
            needs: Vec::new(),
            health: None,
            liveness: None,
        }
    }

    /// A process of this machine.
    pub fn process<S: Into<String>>(name: impl Into<String>, argv: impl IntoIterator<Item = S>) -> Self {
        Self::new(name, "process").command(argv)
    }

    /// A container of the runtime `docker`.
    pub fn container(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self::new(name, "docker").image(image)
    }

    /// With this program and its arguments.
    pub fn command<S: Into<String>>(mut self, argv: impl IntoIterator<Item = S>) -> Self {
        self.service.command = Some(Command { argv: argv.into_iter().map(Into::into).collect() });
        self
    }

    /// With a text that `/bin/sh -c` runs.
    pub fn shell(self, script: impl Into<String>) -> Self {
        self.command(["/bin/sh".to_owned(), "-c".to_owned(), script.into()])
    }

    /// As a oneshot: runs to its end once per `up`, and again after failures only. Call it before
    /// [`restart`](Self::restart).
    pub fn oneshot(mut self) -> Self {
        self.service.kind = Kind::Oneshot;
        self.service.restart.condition = Restart::of(Kind::Oneshot).condition;
        self
    }

    /// As a daemon: a service whose health gates nobody.
    pub const fn daemon(mut self) -> Self {
        self.service.kind = Kind::Daemon;
        self
    }

    /// In this directory, relative to the stack's; for a container, an absolute one inside it.
    pub fn workdir(mut self, workdir: impl Into<PathBuf>) -> Self {
        self.service.workdir = workdir.into();
        self
    }

    /// As this user.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.service.user = Some(user.into());
        self
    }

    /// With a variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.service.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Without an inherited variable.
    pub fn without_env(mut self, name: impl Into<String>) -> Self {
        self.service.env.insert(name.into(), None);
        self
    }

    /// Whether it gets the engine's own variables; true by default. Containers never do.
    pub const fn inherit_env(mut self, inherit: bool) -> Self {
        self.inherit = Some(inherit);
        self
    }

    /// With a variable whose value is masked, whoever prints it. It is also to be given with [`env`](Self::env).
    pub fn secret(mut self, name: impl Into<String>) -> Self {
        self.service.secret.push(name.into());
        self
    }

    /// Whether secrets are masked in what it prints, and its own elsewhere; true by default.
    pub const fn mask_secrets(mut self, mask: bool) -> Self {
        self.service.mask_secrets = mask;
        self
    }

    /// With a published port as in stack files: `8080:8080`, `127.0.0.1:8080:80/http`, `3000`.
    pub fn port(mut self, port: impl Into<String>) -> Self {
        self.ports.push((port.into(), None));
        self
    }

    /// With a published port that has a name.
    pub fn named_port(mut self, name: impl Into<String>, port: impl Into<String>) -> Self {
        self.ports.push((port.into(), Some(name.into())));
        self
    }

    /// So many instances; 1 by default.
    pub const fn replicas(mut self, replicas: u32) -> Self {
        self.service.replicas = replicas;
        self
    }

    /// Only after this: a name, or a [`Need`] with more to say.
    pub fn depends_on(mut self, need: impl Into<Need>) -> Self {
        self.needs.push(need.into());
        self
    }

    /// Ready when this holds.
    pub fn health(mut self, check: CheckBuilder) -> Self {
        self.health = Some(check);
        self
    }

    /// Restarted when this fails.
    pub fn liveness(mut self, check: CheckBuilder) -> Self {
        self.liveness = Some(check);
        self
    }

    /// With a change to the restart policy.
    pub fn restart(mut self, change: impl FnOnce(&mut Restart)) -> Self {
        change(&mut self.service.restart);
        self
    }

    /// With these delays between tries.
    pub fn backoff(self, min: Duration, max: Duration, factor: f64) -> Self {
        self.restart(|restart| {
            restart.backoff.min = min;
            restart.backoff.max = max;
            restart.backoff.factor = factor;
        })
    }

    /// Stopped by this signal (its number), and killed after the timeout.
    pub const fn stop(mut self, signal: i32, timeout: Duration) -> Self {
        self.service.stop = Stop { signal, timeout };
        self
    }

    /// With a command at a turning point. It may take 10 s.
    pub fn hook<S: Into<String>>(self, at: HookAt, argv: impl IntoIterator<Item = S>) -> Self {
        self.hook_within(at, argv, HOOK_TIMEOUT)
    }

    /// With a command at a turning point that may take so long.
    pub fn hook_within<S: Into<String>>(
        mut self,
        at: HookAt,
        argv: impl IntoIterator<Item = S>,
        timeout: Duration,
    ) -> Self {
        let hook = Some(Hook { command: Command { argv: argv.into_iter().map(Into::into).collect() }, timeout });
        match at {
            HookAt::PreStart => self.service.hooks.pre_start = hook,
            HookAt::PostStart => self.service.hooks.post_start = hook,
            HookAt::PreStop => self.service.hooks.pre_stop = hook,
            HookAt::PostStop => self.service.hooks.post_stop = hook,
        }
        self
    }

    /// With limits.
    pub fn resources(mut self, change: impl FnOnce(&mut Resources)) -> Self {
        change(&mut self.service.resources);
        self
    }

    /// With a change to how much of its output is kept.
    pub fn logging(mut self, change: impl FnOnce(&mut Logging)) -> Self {
        change(&mut self.service.logging);
        self
    }

    /// With a change to how it is replaced.
    pub fn update(mut self, change: impl FnOnce(&mut Update)) -> Self {
        change(&mut self.service.update);
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The service, if its name is one; everything else that is wrong becomes a finding.
    pub(super) fn finish(mut self, workdir: &std::path::Path, findings: &mut Vec<Finding>) -> Option<Service> {
        let path = of_service(&self.name);
        match ServiceName::new(&self.name) {
            Ok(name) => self.service.name = name,
            Err(error) => {
                findings.push(Finding::error(code::BAD_NAME, path, error.to_string()));
                return None;
            }
        }
        for (index, (text, name)) in self.ports.into_iter().enumerate() {
            match value::parse_port(&text) {
                Ok(port) => self.service.ports.push(Port { name, ..port }),
                Err(flaw) => {
                    let at = path.clone().key("ports").index(index);
                    findings.push(Finding { help: flaw.help, ..Finding::error(flaw.code, at, flaw.message) });
                }
            }
        }
        for (index, need) in self.needs.into_iter().enumerate() {
            let Need { target, require, timeout, on_failure } = need;
            match ServiceName::new(&target) {
                Ok(target) => self.service.depends_on.push(Dependency { target, require, timeout, on_failure }),
                Err(error) => {
                    let at = path.clone().key("dependsOn").index(index);
                    findings.push(Finding::error(code::BAD_NAME, at, error.to_string()));
                }
            }
        }
        self.service.health = self.health.map(|check| check.finish(path.clone().key("health"), findings));
        self.service.liveness = self.liveness.map(|check| check.finish(path.clone().key("liveness"), findings));
        container::mount(&mut self.service, self.volumes, workdir, &path, findings);
        container::settle(&mut self.service, self.inherit, workdir, &path, findings);
        self.service.revision = revision::of(&self.service);
        Some(self.service)
    }
}

fn blank(runtime: String) -> Service {
    Service {
        name: ServiceName::placeholder(),
        runtime,
        kind: Kind::Service,
        image: None,
        command: None,
        entrypoint: None,
        workdir: PathBuf::new(),
        container_workdir: None,
        user: None,
        env: BTreeMap::new(),
        inherit_env: true,
        secret: Vec::new(),
        env_from_file: BTreeSet::new(),
        mask_secrets: true,
        ports: Vec::new(),
        volumes: Vec::new(),
        labels: BTreeMap::new(),
        network: Network::default(),
        pull_policy: PullPolicy::default(),
        platform: None,
        init: true,
        allow_docker_socket: false,
        replicas: 1,
        depends_on: Vec::new(),
        health: None,
        liveness: None,
        restart: Restart::default(),
        stop: Stop::default(),
        hooks: Hooks::default(),
        resources: Resources::default(),
        update: Update::default(),
        logging: Logging::default(),
        revision: Revision(0),
    }
}
