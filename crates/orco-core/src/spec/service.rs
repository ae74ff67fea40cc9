//! One service, as everything below the loader sees it: complete, resolved and valid.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::model::{Kind, Require, Revision, ServiceName};

/// What a service does when, after both run, its dependency stops being ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
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
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Dependency {
    /// Who is depended on.
    pub target: ServiceName,
    /// What is asked of it.
    pub require: Require,
    /// After this long a closed gate is reported.
    pub timeout: Duration,
    /// What happens when it stops being ready later.
    pub on_failure: OnFailure,
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Command {
    /// The argument vector; never empty. With `shell: true` it is `sh -c TEXT`. May hold `${port}` and
    /// the other per-instance variables, as written.
    pub argv: Vec<String>,
}

/// The transport a port speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
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
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Port {
    /// The address on the host to listen on; `None`: loopback.
    pub ip: Option<IpAddr>,
    /// The port on the host, if fixed.
    pub host: Option<u16>,
    /// The port the program itself listens on.
    pub target: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// A name for `${port.NAME}` and `${endpoint.SERVICE.NAME}`.
    pub name: Option<String>,
}

/// One probe of a check, by kind. The `kind` finds the plug-in; the rest is its configuration.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum ProbeSpec {
    /// An HTTP request.
    Http {
        /// `http://host:port/path`, or `None` where `path` and `port` say it.
        url: Option<String>,
        /// The path, if there is no URL.
        path: Option<String>,
        /// The port the program listens on; `None`: the first one it publishes (or `${port}`).
        port: Option<u16>,
        /// Accepted statuses as inclusive ranges; default 200 to 399.
        expect_status: Vec<(u16, u16)>,
        /// The method.
        method: String,
        /// Request headers.
        headers: Vec<(String, String)>,
        /// A text the body must contain.
        expect_body: Option<String>,
    },
    /// A TCP connect.
    Tcp {
        /// `host:port`.
        address: Option<String>,
        /// Or the port the program listens on.
        port: Option<u16>,
    },
    /// A command beside the process or inside the container; exit code 0 passes.
    Cmd {
        /// What to run.
        command: Command,
        /// Its own timeout, if it has one.
        timeout: Option<Duration>,
    },
    /// A pattern in the instance's own output; passes for good once seen `count` times.
    Log {
        /// A regular expression (linear time).
        pattern: String,
        /// stdout, stderr; empty means both.
        sources: Vec<String>,
        /// Levels; empty means all.
        levels: Vec<String>,
        /// How many matching lines.
        count: u32,
    },
    /// A probe of a plug-in that is not of this list.
    Custom {
        /// The probe's registered name.
        name: String,
        /// Its configuration.
        config: serde_json::Value,
    },
}

impl ProbeSpec {
    /// The name by which an expression and the registry know it.
    pub fn name(&self) -> &str {
        match self {
            Self::Http { .. } => "http",
            Self::Tcp { .. } => "tcp",
            Self::Cmd { .. } => "cmd",
            Self::Log { .. } => "log",
            Self::Custom { name, .. } => name,
        }
    }
}

/// The thresholds of a check: how verdicts become readiness. Kubernetes' semantics of a probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Tally {
    /// Failures do not count before this; a success does.
    pub grace_period: Duration,
    /// Time between rounds.
    pub interval: Duration,
    /// The time one probe may take.
    pub timeout: Duration,
    /// Passes in a row to become ready.
    pub success_threshold: u32,
    /// Failures in a row to become unready.
    pub failure_threshold: u32,
    /// Not ready by then: the start has failed.
    pub start_timeout: Duration,
}

/// What decides readiness (or liveness) of an instance.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Health {
    /// The thresholds.
    pub tally: Tally,
    /// The check.
    pub check: Arc<Check>,
}

/// Probes and the expression that joins them.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Check {
    /// At least one.
    pub probes: Vec<ProbeSpec>,
    /// Over indexes into `probes`; without one in the file: all of them.
    pub expression: super::expr::Expr,
}

/// How many retries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetryLimit {
    /// That many.
    Limited(u32),
    /// Without end.
    Unlimited,
}

/// When an ended instance is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Condition {
    /// Always.
    Always,
    /// Only after a failure.
    OnFailure,
    /// Not at all.
    Never,
}

/// The delays between retries.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Backoff {
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
    /// Growth per retry, at least 1.
    pub factor: f64,
}

/// What happens after an exit.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Restart {
    /// When to try again.
    pub condition: Condition,
    /// How often.
    pub max_retries: RetryLimit,
    /// With which delays.
    pub backoff: Backoff,
    /// Running and ready this long: the count starts again.
    pub reset_after: Duration,
    /// Exit codes that are no failure.
    pub success_exit_codes: Vec<i32>,
    /// Exit codes after which there is no other try.
    pub no_restart_exit_codes: Vec<i32>,
}

/// How an instance is asked to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stop {
    /// The signal's number.
    pub signal: i32,
    /// After this long the whole tree is killed.
    pub timeout: Duration,
}

/// A command at a turning point of an instance's life.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Hook {
    /// What to run.
    pub command: Command,
    /// Its tree is killed after this long.
    pub timeout: Duration,
}

/// The four turning points.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_millis: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub memory_reservation: Option<u64>,
}

/// How `apply` replaces a changed service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Strategy {
    /// A few at a time.
    #[default]
    Rolling,
    /// Some first, the rest after a trial.
    Canary,
    /// A full second set, then one switch.
    BlueGreen,
    /// All old ones first.
    Recreate,
}

/// A number or a percentage of the replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many in a hundred.
    Percent(u32),
}

/// A canary's size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Canary {
    /// Replicas of the new revision.
    pub replicas: u32,
    /// Their share of the traffic in percent.
    pub weight: Option<u32>,
}

/// Blue/green timings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BlueGreen {
    /// How long old requests may take.
    pub drain_timeout: Duration,
    /// How long the old set stays.
    pub rollback_window: Duration,
}

/// How a changed service is replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Update {
    /// The strategy.
    pub strategy: Strategy,
    /// How many may be missing meanwhile; a percentage rounds down.
    pub max_unavailable: Amount,
    /// How many more there may be; a percentage rounds up. `None`: `auto`.
    pub max_surge: Option<Amount>,
    /// Ready this long before it counts.
    pub min_ready: Duration,
    /// Without progress for this long: it has failed.
    pub progress_deadline: Duration,
    /// A canary is promoted by itself after this long.
    pub promote_after: Option<Duration>,
    /// So many failures undo it.
    pub abort_after_failures: u32,
    /// How long it is watched after the last replica.
    pub observation_window: Option<Duration>,
    /// Canary settings.
    pub canary: Option<Canary>,
    /// Blue/green settings.
    pub blue_green: Option<BlueGreen>,
}

/// One service of a valid [`Stack`](super::Stack).
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// The runtime's registered name (`process`, `docker`, ...).
    pub runtime: String,
    /// Service, oneshot or daemon.
    pub kind: Kind,
    /// The container image.
    pub image: Option<String>,
    /// What to run; `None` only with an image.
    pub command: Option<Command>,
    /// Where to run it, absolute.
    pub workdir: PathBuf,
    /// As whom.
    pub user: Option<String>,
    /// Variables: `None` removes an inherited one. Env files are already merged in.
    pub env: BTreeMap<String, Option<String>>,
    /// Whether the engine's own variables are passed on.
    pub inherit_env: bool,
    /// Names of variables whose values are masked.
    pub secret: Vec<String>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Mounts, as written (containers).
    pub volumes: Vec<String>,
    /// Labels (containers).
    pub labels: BTreeMap<String, String>,
    /// How many.
    pub replicas: u32,
    /// On what it depends, in file order.
    pub depends_on: Vec<Dependency>,
    /// Readiness, if there is a check.
    pub health: Option<Health>,
    /// Liveness, if there is a check.
    pub liveness: Option<Health>,
    /// After an exit.
    pub restart: Restart,
    /// How it is stopped.
    pub stop: Stop,
    /// Hooks.
    pub hooks: Hooks,
    /// Limits.
    pub resources: Resources,
    /// How it is replaced.
    pub update: Update,
    /// The hash over what makes it another program (see stack-spec: ports, endpoints, inherited variables and
    /// everything that is taken over in place are left out).
    pub revision: Revision,
}
