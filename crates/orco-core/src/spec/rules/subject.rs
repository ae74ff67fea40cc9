//! All rules over a whole stack.

use std::collections::BTreeSet;

use super::{
    Finding, Known, containers, dependencies, endpoints, logging, of_service, policies, ports, programs, secrets,
};
use crate::spec::Service;

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
        containers::check(service, &mut findings);
        policies::check(service, &mut findings);
        let path = of_service(service.name.as_str()).key("logging");
        logging::check(&service.logging, &path, &mut findings);
        secrets::check(service, &mut findings);
    }
    findings
}
