//! Why a service is replaced: the fields that make it another program.

use std::collections::BTreeSet;

use crate::spec::{Hooks, Service, secrets::hide};

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Reason {
    /// Its name in stack files: `command`, `env.LOG_LEVEL`.
    pub field: String,
    /// What it was and what it becomes, where that may be shown. Values of variables never are.
    pub values: Option<(String, String)>,
}

/// Everything that differs between two revisions of a service. Never empty: where no field does, the rules by which
/// revisions are computed have changed.
///
/// `declared`: secrets of any service, which no text may show.
pub(super) fn between(old: &Service, new: &Service, declared: &BTreeSet<String>) -> Vec<Reason> {
    let (before, after) = (old, new);
    let mut found = Vec::new();
    let mut shown = |field: &str, old: String, new: String| {
        if old != new {
            let shown = |text: &str| hide(text, [before, after], declared);
            found.push(Reason { field: field.to_owned(), values: Some((shown(&old), shown(&new))) });
        }
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    shown("runtime", old.runtime.clone(), new.runtime.clone());
    shown("kind", old.kind.as_str().to_owned(), new.kind.as_str().to_owned());
    shown("image", text(&old.image), text(&new.image));
    shown("command", command(old), command(new));
    shown("entrypoint", words(&old.entrypoint), words(&new.entrypoint));
    shown("workdir", workdir(old), workdir(new));
    shown("user", text(&old.user), text(&new.user));
    shown("inheritEnv", old.inherit_env.to_string(), new.inherit_env.to_string());
    shown("network", old.network.as_str().to_owned(), new.network.as_str().to_owned());
    shown("platform", text(&old.platform), text(&new.platform));
    shown("init", old.init.to_string(), new.init.to_string());
    let mut named = |field: String| found.push(Reason { field, values: None });
    let names: BTreeSet<&String> = old.env.keys().chain(new.env.keys()).collect();
    for name in names.into_iter().filter(|name| old.env.get(*name) != new.env.get(*name)) {
        named(format!("env.{name}"));
    }
    for (turn, differs) in hooks(&old.hooks, &new.hooks) {
        if differs {
            named(format!("hooks.{turn}"));
        }
    }
    let others = [
        ("command", command(old) == command(new) && old.command != new.command),
        ("entrypoint", words(&old.entrypoint) == words(&new.entrypoint) && old.entrypoint != new.entrypoint),
        ("secret", old.secret != new.secret),
        ("ports", old.ports != new.ports),
        ("volumes", old.volumes != new.volumes),
        ("labels", old.labels != new.labels),
        ("resources", old.resources != new.resources),
    ];
    for (field, differs) in others {
        if differs {
            named(field.to_owned());
        }
    }
    if found.is_empty() {
        found.push(Reason { field: "revision".to_owned(), values: None });
    }
    found
}

fn command(service: &Service) -> String {
    service.command.as_ref().map(|command| command.argv.join(" ")).unwrap_or_default()
}

fn words(argv: &Option<Vec<String>>) -> String {
    argv.as_deref().map(|argv| argv.join(" ")).unwrap_or_default()
}

/// The directory in which the program runs. That of the stack is not one of a container's.
fn workdir(service: &Service) -> String {
    match service.is_container() {
        true => service.container_workdir.clone().unwrap_or_default(),
        false => service.workdir.display().to_string(),
    }
}

fn hooks(old: &Hooks, new: &Hooks) -> [(&'static str, bool); 4] {
    [
        ("preStart", old.pre_start != new.pre_start),
        ("postStart", old.post_start != new.post_start),
        ("preStop", old.pre_stop != new.pre_stop),
        ("postStop", old.post_stop != new.post_stop),
    ]
}
