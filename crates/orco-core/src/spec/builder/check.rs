//! Checks, written in Rust.

use std::{sync::Arc, time::Duration};

use crate::spec::{Check, Command, Health, ProbeSpec, Tally, code, expr::Expr, rules::Finding, yaml::Path};

/// Probes, how they are joined, and how their verdicts count. Begin with [`Check::http`], [`Check::tcp`],
/// [`Check::cmd`], [`Check::log`] or [`Check::custom`].
///
/// ```
/// use std::time::Duration;
/// use orco_core::spec::Check;
///
/// let check = Check::http("http://localhost:${port}/health")
///     .and_log("listening")
///     .expression("http || log")
///     .interval(Duration::from_millis(500));
/// # let _ = check;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CheckBuilder {
    probes: Vec<ProbeSpec>,
    expression: Option<String>,
    tally: Tally,
}

fn http(url: String) -> ProbeSpec {
    ProbeSpec::Http {
        url: Some(url),
        path: None,
        port: None,
        expect_status: vec![(200, 399)],
        method: "GET".to_owned(),
        headers: Vec::new(),
        expect_body: None,
    }
}

impl Check {
    /// A GET of `http://host:port/path` that is answered with a status from 200 to 399.
    pub fn http(url: impl Into<String>) -> CheckBuilder {
        CheckBuilder::of(http(url.into()))
    }

    /// A connection to `host:port`.
    pub fn tcp(address: impl Into<String>) -> CheckBuilder {
        CheckBuilder::of(ProbeSpec::Tcp { address: Some(address.into()), port: None })
    }

    /// A command that exits with 0.
    pub fn cmd<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> CheckBuilder {
        let command = Command { argv: argv.into_iter().map(Into::into).collect() };
        CheckBuilder::of(ProbeSpec::Cmd { command, timeout: None })
    }

    /// A line of output that matches a regular expression.
    pub fn log(pattern: impl Into<String>) -> CheckBuilder {
        let (sources, levels) = (Vec::new(), Vec::new());
        CheckBuilder::of(ProbeSpec::Log { pattern: pattern.into(), sources, levels, count: 1 })
    }

    /// A registered probe by its name, with its own configuration.
    pub fn custom(name: impl Into<String>, config: serde_json::Value) -> CheckBuilder {
        CheckBuilder::of(ProbeSpec::Custom { name: name.into(), config })
    }
}

impl CheckBuilder {
    fn of(probe: ProbeSpec) -> Self {
        Self { probes: vec![probe], expression: None, tally: Tally::default() }
    }

    /// With another probe, whatever its kind. All must hold unless an [`expression`](Self::expression) says otherwise.
    pub fn and(mut self, other: Self) -> Self {
        self.probes.extend(other.probes);
        self
    }

    /// With an HTTP probe.
    pub fn and_http(self, url: impl Into<String>) -> Self {
        self.and(Check::http(url))
    }

    /// With a TCP probe.
    pub fn and_tcp(self, address: impl Into<String>) -> Self {
        self.and(Check::tcp(address))
    }

    /// With a log probe.
    pub fn and_log(self, pattern: impl Into<String>) -> Self {
        self.and(Check::log(pattern))
    }

    /// With a change to the probes, for what has no method of its own.
    pub fn probes(mut self, change: impl FnOnce(&mut Vec<ProbeSpec>)) -> Self {
        change(&mut self.probes);
        self
    }

    /// How the probes are joined, by their names: `http || log`.
    pub fn expression(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// Time between rounds; 2 s by default.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.tally.interval = interval;
        self
    }

    /// The time one probe may take; 1 s by default.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.tally.timeout = timeout;
        self
    }

    /// Failures do not count before this; 5 s by default.
    pub const fn grace_period(mut self, grace_period: Duration) -> Self {
        self.tally.grace_period = grace_period;
        self
    }

    /// Not ready by then, the start has failed; 5 minutes by default.
    pub const fn start_timeout(mut self, start_timeout: Duration) -> Self {
        self.tally.start_timeout = start_timeout;
        self
    }

    /// Passes in a row that make it ready, and failures in a row that make it unready; 1 and 3 by default.
    pub const fn thresholds(mut self, success: u32, failure: u32) -> Self {
        self.tally.success_threshold = success;
        self.tally.failure_threshold = failure;
        self
    }

    pub(super) fn finish(self, path: Path, findings: &mut Vec<Finding>) -> Health {
        let names: Vec<&str> = self.probes.iter().map(ProbeSpec::name).collect();
        let expression = match &self.expression {
            None => Expr::all(names.len()),
            Some(text) => Expr::parse(text, &names).unwrap_or_else(|error| {
                let finding = Finding::error(code::BAD_EXPRESSION, path.key("expression"), error.to_string());
                findings.push(match error.help() {
                    Some(help) => finding.help(help),
                    None => finding,
                });
                Expr::all(names.len())
            }),
        };
        Health { tally: self.tally, check: Arc::new(Check { probes: self.probes, expression }) }
    }
}
