//! Who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Subject, of_service};
use crate::{
    graph,
    spec::{Kind, Require, Service, code, value::nearest, yaml::Path},
};

/// Names for which the nearest one is looked for: each search looks at every service.
const SEARCHES: usize = 20;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let index: BTreeMap<&str, usize> =
        subject.services.iter().enumerate().map(|(i, service)| (service.name.as_str(), i)).collect();
    let mut edges = Vec::new();
    let mut searches = SEARCHES;
    for (from, service) in subject.services.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (at, dependency) in service.depends_on.iter().enumerate() {
            let target = dependency.target.as_str();
            let path = place(service, at);
            if target == service.name.as_str() {
                let message = format!("`{target}` depends on itself");
                findings.push(Finding::error(code::SELF_DEPENDENCY, path, message).help("remove it"));
                continue;
            }
            if !seen.insert(target) {
                let message = format!("`{target}` is here twice");
                findings.push(Finding::error(code::DUPLICATE_DEPENDENCY, path, message).help("keep the stricter one"));
                continue;
            }
            match index.get(target) {
                Some(&to) => {
                    edges.push((from, to));
                    completes(dependency.require, &subject.services[to], &path, findings);
                }
                None if subject.broken.contains(target) => {}
                None => {
                    let names = index.keys().copied().take(if searches > 0 { usize::MAX } else { 0 });
                    searches = searches.saturating_sub(1);
                    findings.push(unknown(target, path, names));
                }
            }
        }
    }
    for cycle in graph::cycles(subject.services.len(), &edges) {
        findings.push(circular(subject, &cycle));
    }
}

/// The path of the target of a service's dependency, in the long form; the short form is found by its beginning.
fn place(service: &Service, at: usize) -> Path {
    of_service(service.name.as_str()).key("dependsOn").index(at).key("target")
}

fn unknown<'a>(target: &str, path: Path, names: impl Iterator<Item = &'a str>) -> Finding {
    let finding = Finding::error(code::UNKNOWN_DEPENDENCY, path, format!("unknown dependency `{target}`"));
    match nearest(target, names) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("no service has this name"),
    }
}

fn completes(require: Require, target: &Service, path: &Path, findings: &mut Vec<Finding>) {
    if require == Require::Completed && target.kind != Kind::Oneshot {
        let message = format!("`{}` is a {} and never completes", target.name, target.kind.as_str());
        let mut path = path.clone();
        path.0.pop();
        let finding = Finding::error(code::NEVER_COMPLETES, path.key("require"), message)
            .help(format!("ask for `ready`, or make `{}` a `kind: oneshot`", target.name))
            .also(of_service(target.name.as_str()), "this one");
        findings.push(finding);
    }
}

fn circular(subject: &Subject<'_>, cycle: &[usize]) -> Finding {
    let names: Vec<&str> = cycle.iter().map(|&i| subject.services[i].name.as_str()).collect();
    let mut text = names.join(" -> ");
    text.push_str(" -> ");
    text.push_str(names.first().copied().unwrap_or_default());
    let edge = |from: usize, to: &str| {
        let service = &subject.services[from];
        let at = service.depends_on.iter().position(|dependency| dependency.target == *to).unwrap_or(0);
        place(service, at)
    };
    let targets = names.iter().cycle().skip(1);
    let mut edges = cycle.iter().zip(targets).map(|(&from, to)| edge(from, to));
    let first = edges.next().unwrap_or_default();
    let finding = Finding::error(code::CYCLE, first, format!("dependency cycle: {text}"));
    edges.take(8).fold(finding.help("remove one of these dependencies"), |finding, path| finding.also(path, "and this"))
}
