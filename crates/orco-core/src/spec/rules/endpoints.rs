//! `${endpoint.X}` only of what is waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Subject, of_service};
use crate::spec::{
    Service, code,
    texts::templates,
    value::nearest,
    vars::{InstanceVar, instance_vars},
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // Only what is asked for is worth an index.
    let mut names: Option<BTreeMap<&str, &Service>> = None;
    for service in subject.services {
        let mut told = BTreeSet::new();
        for (path, text) in templates(service) {
            for var in instance_vars(text) {
                let (InstanceVar::Endpoint { service: target, port }
                | InstanceVar::Endpoints { service: target, port }) = &var
                else {
                    continue;
                };
                if !told.insert((path.to_string(), var.clone())) {
                    continue;
                }
                let names =
                    names.get_or_insert_with(|| subject.services.iter().map(|s| (s.name.as_str(), s)).collect());
                let declared = service.depends_on.iter().any(|dependency| dependency.target == *target.as_str());
                let at = of_service(service.name.as_str()).join(&path);
                match names.get(target.as_str()) {
                    _ if subject.broken.contains(target) => {}
                    None => findings.push(unknown(&var, target, at, names.keys().copied())),
                    Some(_) if !declared => {
                        let message = format!("`{var}` of a service that `{}` does not depend on", service.name);
                        let finding = Finding::error(code::ENDPOINT_NOT_DEPENDENCY, at, message);
                        findings.push(finding.help(match service.name == target.as_str() {
                            true => "its own address is `localhost:${port}`".to_owned(),
                            false => format!("add `{target}` to `dependsOn`"),
                        }));
                    }
                    Some(other) => findings.extend(port.as_ref().and_then(|port| named(&var, other, port, at))),
                }
            }
        }
    }
}

fn unknown<'a>(
    var: &InstanceVar,
    target: &str,
    at: crate::spec::yaml::Path,
    names: impl Iterator<Item = &'a str>,
) -> Finding {
    let finding =
        Finding::error(code::ENDPOINT_NOT_DEPENDENCY, at, format!("`{var}`: no service has the name `{target}`"));
    match nearest(target, names) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// A finding if the service has no port of this name.
fn named(var: &InstanceVar, service: &Service, port: &str, at: crate::spec::yaml::Path) -> Option<Finding> {
    let own = InstanceVar::Port(Some(port.to_owned()));
    let known = service.ports.iter().any(|p| p.name.as_deref() == Some(port))
        || templates(service).any(|(_, text)| instance_vars(text).contains(&own));
    let message = format!("`{var}`: `{}` has no port named `{port}`", service.name);
    (!known).then(|| {
        Finding::error(code::UNKNOWN_PORT_NAME, at, message)
            .help(format!("name one in its `ports`, or use `${{port.{port}}}` in its command"))
            .also(of_service(service.name.as_str()), "this service")
    })
}
