//! What must hold between the fields of a stack. The rules see the clean model, so that stacks from files and stacks
//! written in Rust are held to the same.

mod dependencies;
mod endpoints;
mod finding;
mod known;
mod policies;
mod ports;
mod programs;
mod values;

pub(crate) use finding::{Finding, of_service};
pub use known::Known;
pub(crate) use values::check as check_values;

use std::collections::BTreeSet;

use super::Service;

/// What the rules look at.
pub(crate) struct Subject<'a> {
    pub(crate) services: &'a [Service],
    pub(crate) known: &'a Known,
    /// Names under which the file has something that is no service.
    pub(crate) broken: &'a BTreeSet<String>,
}

/// Everything that does not hold.
pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    programs::check(subject, &mut findings);
    dependencies::check(subject, &mut findings);
    endpoints::check(subject, &mut findings);
    ports::check(subject, &mut findings);
    for service in subject.services {
        policies::check(service, &mut findings);
    }
    findings
}
