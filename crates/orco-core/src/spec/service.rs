//! One service, as everything below the loader sees it: complete, resolved and valid.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Health, Logging, Network, PullPolicy, Update, Volume, resolved::json};
use crate::model::{Kind, Require, Revision, ServiceName};

/// What a service does when, after both run, its dependency stops being ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// Nothing.
    #[default]
    Ignore,
    /// Its instances are restarted, behind the gate.
    Restart,
    /// It is stopped, until somebody starts it.
    Stop,
}

/// An edge of the graph.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Dependency {
    /// Who is depended on.
    #[serde(with = "json::text")]
    pub target: ServiceName,
    /// What is asked of it.
    #[serde(with = "json::require", default)]
    pub require: Require,
    /// After this long a closed gate is reported.
    #[serde(with = "json::duration", default = "json::dependency_timeout")]
    pub timeout: Duration,
    /// What happens when it stops being ready later.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Command {
    /// The argument vector; never empty. With `shell: true` it is `sh -c TEXT`. May hold `${port}` and
    /// the other per-instance variables, as written.
    pub argv: Vec<String>,
}

/// The transport a port speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// HTTP over TCP.
    Http,
}

/// A published port.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Port {
    /// The address on the host to listen on; `None`: loopback.
    #[serde(default)]
    pub ip: Option<IpAddr>,
    /// The port on the host, if fixed.
    #[serde(default)]
    pub host: Option<u16>,
    /// The port the program itself listens on.
    pub target: u16,
    /// What it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// A name for `${port.NAME}` and `${endpoint.SERVICE.NAME}`.
    #[serde(default)]
    pub name: Option<String>,
}

/// How many retries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "json::NumberOr", try_from = "json::NumberOr")]
pub enum RetryLimit {
    /// That many.
    Limited(u32),
    /// Without end.
    Unlimited,
}

/// When an ended instance is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Always.
    Always,
    /// Only after a failure.
    OnFailure,
    /// Not at all.
    Never,
}

/// The delays between retries.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Backoff {
    /// The shortest.
    #[serde(with = "json::duration")]
    pub min: Duration,
    /// The longest.
    #[serde(with = "json::duration")]
    pub max: Duration,
    /// Growth per retry, at least 1.
    pub factor: f64,
}

/// What happens after an exit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Restart {
    /// When to try again.
    pub condition: Condition,
    /// How often.
    pub max_retries: RetryLimit,
    /// With which delays.
    pub backoff: Backoff,
    /// Running and ready this long: the count starts again.
    #[serde(with = "json::duration")]
    pub reset_after: Duration,
    /// Exit codes that are no failure.
    pub success_exit_codes: Vec<i32>,
    /// Exit codes after which there is no other try.
    pub no_restart_exit_codes: Vec<i32>,
}

/// How an instance is asked to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Stop {
    /// The signal's number.
    pub signal: i32,
    /// After this long the whole tree is killed.
    #[serde(with = "json::duration")]
    pub timeout: Duration,
}

/// A command at a turning point of an instance's life.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Hook {
    /// What to run.
    pub command: Command,
    /// Its tree is killed after this long.
    #[serde(with = "json::duration", default = "json::hook_timeout")]
    pub timeout: Duration,
}

/// The four turning points.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Hooks {
    /// Before every spawn; its failure is a start failure.
    pub pre_start: Option<Hook>,
    /// Once the process exists.
    pub post_start: Option<Hook>,
    /// Before the stop signal.
    pub pre_stop: Option<Hook>,
    /// After the exit.
    pub post_stop: Option<Hook>,
}

/// Limits of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_millis: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub memory_reservation: Option<u64>,
    /// Processes and threads; `None`: as many as the runtime thinks fit.
    pub pids: Option<u64>,
}

/// One service of a valid [`Stack`](super::Stack).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Service {
    /// Its name.
    #[serde(with = "json::text")]
    pub name: ServiceName,
    /// The runtime's registered name (`process`, `docker`, ...).
    pub runtime: String,
    /// Service, oneshot or daemon.
    #[serde(with = "json::kind", default)]
    pub kind: Kind,
    /// The container image.
    #[serde(default)]
    pub image: Option<String>,
    /// What to run; `None` only with an image.
    #[serde(default)]
    pub command: Option<Command>,
    /// What the image's own entrypoint is replaced by; empty: by nothing. Without per-instance variables (containers).
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// Where to run it, absolute; of a container, the stack's.
    #[serde(with = "json::path")]
    pub workdir: PathBuf,
    /// Where to run it inside the container, absolute; `None`: as the image says.
    #[serde(default)]
    pub container_workdir: Option<String>,
    /// As whom.
    #[serde(default)]
    pub user: Option<String>,
    /// Variables: `None` removes an inherited one. Env files are already merged in.
    #[serde(default)]
    pub env: BTreeMap<String, Option<String>>,
    /// Whether the engine's own variables are passed on; never to containers.
    #[serde(default = "json::yes")]
    pub inherit_env: bool,
    /// Names of variables whose values are masked, wherever they are printed.
    #[serde(default)]
    pub secret: Vec<String>,
    /// Names of the variables that came from env files: their values are masked in what this service prints.
    #[serde(default)]
    pub env_from_file: BTreeSet<String>,
    /// Whether anything is masked in its output, and whether its values are.
    #[serde(default = "json::yes")]
    pub mask_secrets: bool,
    /// Published ports.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// Mounts (containers).
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Labels (containers).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The network (containers).
    #[serde(default)]
    pub network: Network,
    /// When the image is pulled (containers).
    #[serde(default)]
    pub pull_policy: PullPolicy,
    /// The platform of the image, `linux/amd64`; `None`: the engine's own (containers).
    #[serde(default)]
    pub platform: Option<String>,
    /// Whether a small init reaps orphans and passes signals on inside (containers).
    #[serde(default = "json::yes")]
    pub init: bool,
    /// Whether it may mount the engine's socket, which makes it root of this machine (containers).
    #[serde(default)]
    pub allow_docker_socket: bool,
    /// How many.
    #[serde(default = "json::one")]
    pub replicas: u32,
    /// On what it depends, in file order.
    #[serde(default)]
    pub depends_on: Vec<Dependency>,
    /// Readiness, if there is a check.
    #[serde(default)]
    pub health: Option<Health>,
    /// Liveness, if there is a check.
    #[serde(default)]
    pub liveness: Option<Health>,
    /// After an exit.
    #[serde(default)]
    pub restart: Restart,
    /// How it is stopped.
    #[serde(default)]
    pub stop: Stop,
    /// Hooks.
    #[serde(default)]
    pub hooks: Hooks,
    /// Limits.
    #[serde(default)]
    pub resources: Resources,
    /// How it is replaced.
    #[serde(default)]
    pub update: Update,
    /// How much of its output is kept; `directory` is the stack's alone.
    #[serde(default, skip_serializing_if = "Logging::is_empty")]
    pub logging: Logging,
    /// The hash over what makes it another program: without the ports that are chosen, endpoints, inherited variables
    /// and everything that is taken over in place.
    #[serde(with = "json::revision", default = "json::unhashed")]
    pub revision: Revision,
}
