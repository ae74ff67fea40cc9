//! `${endpoint.X}` only of what is waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Subject, of_service};
use crate::spec::{
    Service, code,
    texts::templates,
    value::nearest,
    vars::{InstanceVar, instance_vars},
    yaml::Path,
};

/// Names for which the nearest one is looked for: each search looks at every service.
const SEARCHES: usize = 20;

/// What is known about the services, built when the first variable asks for it.
struct Index<'a> {
    services: BTreeMap<&'a str, &'a Service>,
    ports: BTreeMap<&'a str, BTreeSet<String>>,
    searches: usize,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut index: Option<Index<'_>> = None;
    for service in subject.services {
        let mut needs: Option<BTreeSet<&str>> = None;
        let mut told = BTreeSet::new();
        for (path, text) in templates(service) {
            for var in instance_vars(text) {
                let (InstanceVar::Endpoint { service: target, port }
                | InstanceVar::Endpoints { service: target, port }) = &var
                else {
                    continue;
                };
                if subject.broken.contains(target) || !told.insert((path.to_string(), var.clone())) {
                    continue;
                }
                let index = index.get_or_insert_with(|| Index {
                    services: subject.services.iter().map(|s| (s.name.as_str(), s)).collect(),
                    ports: BTreeMap::new(),
                    searches: SEARCHES,
                });
                let needs =
                    needs.get_or_insert_with(|| service.depends_on.iter().map(|need| need.target.as_str()).collect());
                let at = of_service(service.name.as_str()).join(&path);
                match index.services.get(target.as_str()).copied() {
                    None => findings.push(index.unknown(&var, target, at)),
                    Some(_) if !needs.contains(target.as_str()) => findings.push(not_needed(&var, service, target, at)),
                    Some(other) => findings.extend(port.as_ref().and_then(|port| index.port(&var, other, port, at))),
                }
            }
        }
    }
}

fn not_needed(var: &InstanceVar, service: &Service, target: &str, at: Path) -> Finding {
    let message = format!("`{var}` of a service that `{}` does not depend on", service.name);
    Finding::error(code::ENDPOINT_NOT_DEPENDENCY, at, message).help(match service.name == target {
        true => "its own address is `localhost:${port}`".to_owned(),
        false => format!("add `{target}` to `dependsOn`"),
    })
}

impl<'a> Index<'a> {
    fn unknown(&mut self, var: &InstanceVar, target: &str, at: Path) -> Finding {
        let message = format!("`{var}`: no service has the name `{target}`");
        let finding = Finding::error(code::ENDPOINT_NOT_DEPENDENCY, at, message);
        let names = self.services.keys().copied().take(if self.searches > 0 { usize::MAX } else { 0 });
        let near = nearest(target, names);
        self.searches = self.searches.saturating_sub(1);
        match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        }
    }

    /// A finding if the service has no port of this name.
    fn port(&mut self, var: &InstanceVar, service: &'a Service, port: &str, at: Path) -> Option<Finding> {
        let ports = self.ports.entry(service.name.as_str()).or_insert_with(|| port_names(service));
        let message = format!("`{var}`: `{}` has no port named `{port}`", service.name);
        (!ports.contains(port)).then(|| {
            Finding::error(code::UNKNOWN_PORT_NAME, at, message)
                .help(format!("name one in its `ports`, or use `${{port.{port}}}` in its command"))
                .also(of_service(service.name.as_str()), "this service")
        })
    }
}

fn port_names(service: &Service) -> BTreeSet<String> {
    let published = service.ports.iter().filter_map(|port| port.name.clone());
    let own = service.instance_vars().into_iter().filter_map(|var| match var {
        InstanceVar::Port(name) => name,
        _ => None,
    });
    published.chain(own).collect()
}
