//! The body and the answer of `apply`.

use std::collections::BTreeMap;

use orco_core::spec::{self, Stack};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Outcome;

const fn yes() -> bool {
    true
}

/// The body of `apply`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The resolved stack, as `Stack::to_json` of the core writes it.
    #[schemars(with = "serde_json::Value")]
    pub stack: Box<RawValue>,
    /// The variables that were used when it was resolved.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// Answer when it is done (default), or as soon as it is taken.
    #[serde(default = "yes")]
    pub wait: bool,
    /// Wait no longer than this (`30s`). What was begun goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

impl Apply {
    /// Of a stack: to be taken, without waiting.
    ///
    /// # Errors
    /// Never for a stack of the core; its JSON is checked once more.
    pub fn new(stack: &Stack, variables: BTreeMap<String, String>) -> Result<Self, serde_json::Error> {
        let stack = serde_json::from_slice(&stack.to_json())?;
        Ok(Self { stack, variables, dry_run: false, wait: false, timeout: None })
    }
}

/// The answer to `apply`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// What was changed, or would be.
    pub plan: Plan,
    /// How it went; null where it was only asked what would happen.
    pub outcome: Option<Outcome>,
}

/// The way from the stack that runs to the one that is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Fields of the stack itself that are taken over at once.
    #[serde(default)]
    pub stack: Vec<String>,
    /// Every service of either stack: those of the new one in its order, then the removed ones.
    pub services: Vec<PlanService>,
    /// What happens, in this order. What is taken over in place is no step.
    pub order: Vec<PlanStep>,
}

impl Plan {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty() && self.stack.is_empty() && self.services.iter().all(|s| s.change == Change::Same)
    }
}

/// What becomes of one service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanService {
    /// Which.
    pub service: String,
    /// What becomes of it.
    pub change: Change,
    /// Fields that are taken over by what runs.
    pub fields: Vec<String>,
    /// Why it is replaced.
    pub why: Vec<Reason>,
    /// Replicas before and after.
    pub replicas: Replicas,
}

/// What becomes of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Nothing changes.
    Same,
    /// It is new.
    Added,
    /// It leaves.
    Removed,
    /// Its instances stay, under other rules or in another number.
    Changed,
    /// New instances take the place of the old ones.
    Replaced,
}

/// Replicas before and after.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Replicas {
    /// Before; 0 where the service was not there.
    pub from: u32,
    /// After; 0 where it leaves.
    pub to: u32,
}

/// A field that makes it another program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Its name: `command`, `env.LOG_LEVEL`.
    pub field: String,
    /// What it was, where that may be shown.
    pub from: Option<String>,
    /// What it becomes, where that may be shown.
    pub to: Option<String>,
}

/// Something that happens to a service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// What.
    pub step: Step,
    /// Which service.
    pub service: String,
    /// The dependency that is the cause, where there is one.
    pub because: Option<String>,
}

/// What happens to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Its instances start, behind the gate.
    Start,
    /// Its instances stop.
    Stop,
    /// New instances take the place of the old, one replica at a time.
    Replace,
    /// Instances come or go until the number is right.
    Scale,
    /// Its instances are restarted, for a dependency stops being ready.
    Restart,
}

impl From<&spec::Plan> for Plan {
    fn from(plan: &spec::Plan) -> Self {
        Self {
            stack: plan.stack.iter().map(ToString::to_string).collect(),
            services: plan.services.iter().map(PlanService::from).collect(),
            order: plan.order.iter().map(PlanStep::from).collect(),
        }
    }
}

impl From<&spec::Planned> for PlanService {
    fn from(planned: &spec::Planned) -> Self {
        let reason = |reason: &spec::Reason| {
            let (from, to) = reason.values.clone().unzip();
            Reason { field: reason.field.clone(), from, to }
        };
        Self {
            service: planned.name.to_string(),
            change: match planned.fate {
                spec::Fate::Same => Change::Same,
                spec::Fate::Added => Change::Added,
                spec::Fate::Removed => Change::Removed,
                spec::Fate::Changed => Change::Changed,
                spec::Fate::Replaced => Change::Replaced,
            },
            fields: planned.fields.iter().map(|field| (*field).to_owned()).collect(),
            why: planned.why.iter().map(reason).collect(),
            replicas: Replicas { from: planned.replicas.0, to: planned.replicas.1 },
        }
    }
}

impl From<&spec::PlanStep> for PlanStep {
    fn from(step: &spec::PlanStep) -> Self {
        Self {
            step: match step.kind {
                spec::StepKind::Start => Step::Start,
                spec::StepKind::Stop => Step::Stop,
                spec::StepKind::Replace => Step::Replace,
                spec::StepKind::Scale => Step::Scale,
                spec::StepKind::Restart => Step::Restart,
            },
            service: step.service.to_string(),
            because: step.because.as_ref().map(ToString::to_string),
        }
    }
}
