//! A run before it is run: plain data, so that a failing one can be made smaller.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use super::{Crash, Faults, Outage, Weather};
use crate::{
    brain::{Command, Plant},
    model::{Moment, ServiceName},
    spec::{Service, Stack},
};

/// Everything that makes one run what it is.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of all chance in the run.
    pub seed: u64,
    /// No faults, stricter promises.
    pub quiet: bool,
    /// What may go wrong.
    pub faults: Faults,
    /// What the operator does.
    pub orders: Vec<(Moment, Command)>,
    /// Services that never come up, with their exit code (`None`: refused).
    pub cursed: BTreeMap<ServiceName, Option<i32>>,
    /// How long things may go wrong.
    pub chaos: Duration,
    /// How often the world may move meanwhile.
    pub steps: u32,
    /// Restarts per second for the whole stack.
    pub restarts_per_second: u32,
    /// What dies, in order of time.
    pub crashes: Vec<Crash>,
    /// When the journal's disk fails, in order of time.
    pub outages: Vec<Outage>,
    /// What container engines do.
    pub weather: Weather,
    /// What dies while everything goes down at the end (its moment counts from then).
    pub parting: Option<Crash>,
    /// Starts everything again once all is calm.
    pub revive: bool,
    /// A planted bug.
    pub plant: Option<Plant>,
}

impl Plan {
    /// The names of all services of all stacks.
    pub fn services(&self) -> BTreeSet<ServiceName> {
        let stacks = self.orders.iter().filter_map(|(_, command)| match command {
            Command::Apply(stack) => Some(stack),
            _ => None,
        });
        stacks.flat_map(|stack| stack.services().iter().map(|s| s.name.clone())).collect()
    }

    /// The same without one service, wherever it is named.
    #[must_use]
    pub fn without_service(&self, gone: &ServiceName) -> Self {
        let mut plan = self.clone();
        plan.cursed.remove(gone);
        plan.orders.retain_mut(|(_, command)| match command {
            Command::Apply(stack) => {
                *stack = Arc::new(stack_without(stack, gone));
                true
            }
            Command::Start { services, .. } | Command::Stop { services } | Command::Restart { services } => {
                let named = services.len();
                services.retain(|name| name != gone);
                named == 0 || !services.is_empty()
            }
            Command::Scale { service, .. } => service != gone,
            Command::Down | Command::Kill => true,
        });
        plan
    }

    /// The same with each service changed.
    #[must_use]
    pub fn with_services(&self, change: impl Fn(&mut Service)) -> Self {
        let mut plan = self.clone();
        for (_, command) in &mut plan.orders {
            if let Command::Apply(stack) = command {
                let services = stack.services().iter().map(|service| {
                    let mut service = Service::clone(service);
                    change(&mut service);
                    Arc::new(service)
                });
                *stack = Arc::new(restack(stack, services.collect()));
            }
        }
        plan
    }
}

fn restack(stack: &Stack, services: Vec<Arc<Service>>) -> Stack {
    Stack::assume_valid(stack.name().clone(), stack.workdir().to_owned(), services, Vec::new())
}

fn stack_without(stack: &Stack, gone: &ServiceName) -> Stack {
    let services = stack.services().iter().filter(|service| service.name != *gone).map(|service| {
        let mut service = Service::clone(service);
        service.depends_on.retain(|d| d.target != *gone);
        Arc::new(service)
    });
    restack(stack, services.collect())
}

/// A command in a line of a trace.
pub(super) fn describe(command: &Command) -> String {
    let list = |names: &[ServiceName]| names.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(" ");
    match command {
        Command::Apply(stack) => {
            let services = stack.services().iter().map(|s| one_line(s)).collect::<Vec<_>>();
            format!("apply\n    {}", services.join("\n    "))
        }
        Command::Start { services, deps } => {
            format!("start {}{}", list(services), if *deps { " (with dependencies)" } else { "" })
        }
        Command::Stop { services } => format!("stop {}", list(services)),
        Command::Restart { services } => format!("restart {}", list(services)),
        Command::Scale { service, replicas } => format!("scale {service}={replicas}"),
        Command::Down => "down".to_owned(),
        Command::Kill => "kill".to_owned(),
    }
}

/// A service in a line of a trace: what differs from the plainest one.
fn one_line(s: &Service) -> String {
    let mut text = format!("{} {} x{} {:?}", s.name, s.kind.as_str(), s.replicas, s.revision);
    for d in &s.depends_on {
        text += &format!(" <-{}:{}:{:?}", d.target, d.require.as_str(), d.on_failure);
    }
    if let Some(h) = &s.health {
        text += &format!(" health[{}]", tally(&h.tally));
    }
    if let Some(h) = &s.liveness {
        text += &format!(" liveness[{}]", tally(&h.tally));
    }
    let (r, u) = (&s.restart, &s.update);
    let (b, surge) = (&r.backoff, u.max_surge);
    text += &format!(" restart[{:?} {:?} {:?}..{:?}x{:.1}", r.condition, r.max_retries, b.min, b.max, b.factor);
    text += &format!(" reset {:?}] stop {:?}", r.reset_after, s.stop.timeout);
    text += &format!(" update[{:?} unavailable {:?} surge {surge:?}", u.strategy, u.max_unavailable);
    text += &format!(" minReady {:?}]", u.min_ready);
    if !s.ports.is_empty() {
        text += " fixed-port";
    }
    if s.image.is_some() {
        text += &format!(" in {}", s.runtime);
    }
    text
}

fn tally(t: &crate::spec::Tally) -> String {
    format!(
        "every {:?} timeout {:?} +{} -{} grace {:?} within {:?}",
        t.interval, t.timeout, t.success_threshold, t.failure_threshold, t.grace_period, t.start_timeout
    )
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}{}", self.seed, if self.quiet { " (quiet)" } else { "" })?;
        writeln!(f, "faults: {}", self.faults.on().join(" "))?;
        writeln!(f, "cursed: {:?}", self.cursed)?;
        writeln!(f, "chaos {:?}, at most {} steps; revive {}", self.chaos, self.steps, self.revive)?;
        for crash in self.crashes.iter().chain(&self.parting) {
            writeln!(f, "  {crash}")?;
        }
        for outage in &self.outages {
            writeln!(f, "  {:?} OUTAGE {:?} for {:?}", outage.at, outage.how, outage.lasts)?;
        }
        let Weather { absences, mischief, late_born } = &self.weather;
        for absence in absences {
            writeln!(f, "  {absence}")?;
        }
        for prank in mischief {
            writeln!(f, "  {prank}")?;
        }
        if *late_born > 0 {
            writeln!(f, "late-born {late_born}")?;
        }
        for (at, command) in &self.orders {
            writeln!(f, "  {at:?} {}", describe(command))?;
        }
        Ok(())
    }
}
