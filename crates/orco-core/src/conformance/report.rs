//! What a kit found.

use std::{fmt, panic::AssertUnwindSafe};

use futures::FutureExt as _;

/// How a check came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The plug-in does as it should.
    Passed,
    /// The fixture has nothing to check it with.
    Skipped(String),
    /// It does not, and in which way.
    Failed(String),
}

/// One check.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What the contract asks, in a few words.
    pub name: &'static str,
    /// How it came out.
    pub outcome: Outcome,
}

/// All checks of a kit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use]
pub struct Report {
    checks: Vec<Check>,
}

impl Report {
    /// The checks, in the order in which they ran.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether none failed.
    pub fn is_ok(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.outcome, Outcome::Failed(_)))
    }

    /// For tests.
    ///
    /// # Panics
    /// With the whole list, if a check failed.
    pub fn assert(&self) {
        assert!(self.is_ok(), "the contract is broken:\n{self}");
    }

    /// Runs a check and keeps what it found; one that panics has failed.
    pub(super) async fn check(&mut self, name: &'static str, case: impl Future<Output = Result<(), Stop>>) {
        let outcome = match AssertUnwindSafe(case).catch_unwind().await {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(Stop::Skip(why))) => Outcome::Skipped(why),
            Ok(Err(Stop::Fail(why))) => Outcome::Failed(why),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Outcome::Failed(format!("panicked: {}", text.unwrap_or("?")))
            }
        };
        self.checks.push(Check { name, outcome });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, outcome } in &self.checks {
            match outcome {
                Outcome::Passed => writeln!(f, "passed   {name}")?,
                Outcome::Skipped(why) => writeln!(f, "skipped  {name}: {why}")?,
                Outcome::Failed(why) => writeln!(f, "FAILED   {name}: {why}")?,
            }
        }
        Ok(())
    }
}

/// Why a check ended early.
#[derive(Debug)]
pub(super) enum Stop {
    Skip(String),
    Fail(String),
}

pub(super) fn fail<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fail(why.into()))
}

pub(super) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { fail(why()) }
}
