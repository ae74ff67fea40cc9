//! Name to plug-in.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    probe::{Probe, ProbeFactory},
    runtime::Runtime,
    spec::{Diagnostic, Health, ProbeSpec, Service, Stack},
};

/// The plug-ins of one engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    pub(super) runtimes: BTreeMap<String, Arc<dyn Runtime>>,
    pub(super) probes: BTreeMap<String, Arc<dyn ProbeFactory>>,
}

impl Registry {
    /// What the plug-ins have against the stack. Errors keep the engine from starting.
    pub(super) fn check(&self, stack: &Stack) -> Vec<Diagnostic> {
        stack.services().iter().flat_map(|s| self.check_service(s)).collect()
    }

    fn check_service(&self, service: &Service) -> Vec<Diagnostic> {
        let path = format!("services.{}", service.name);
        let Some(runtime) = self.runtimes.get(&service.runtime) else {
            return vec![
                Diagnostic::error("unknown-runtime", format!("runtime `{}` is not registered", service.runtime))
                    .at(path),
            ];
        };
        let mut found = runtime.validate(service);
        let hooks = &service.hooks;
        let has_hooks =
            [&hooks.pre_start, &hooks.post_start, &hooks.pre_stop, &hooks.post_stop].iter().any(|h| h.is_some());
        if has_hooks && !runtime.can_exec() {
            let text = format!("runtime `{}` cannot execute commands, so `hooks` cannot run", service.runtime);
            found.push(Diagnostic::error("no-exec", text).at(format!("{path}.hooks")));
        }
        for (key, health) in [("health", &service.health), ("liveness", &service.liveness)] {
            let Some(health) = health else { continue };
            for spec in &health.check.probes {
                let at = format!("{path}.{key}.{}", spec.name());
                match self.probes.get(spec.name()) {
                    None => {
                        let text = format!("probe `{}` is not registered", spec.name());
                        found.push(Diagnostic::error("unknown-probe", text).at(at));
                    }
                    Some(factory) => found.extend(factory.validate(spec, service)),
                }
                if matches!(spec, ProbeSpec::Cmd { .. }) && !runtime.can_exec() {
                    let text =
                        format!("runtime `{}` cannot execute commands, so a `cmd` probe cannot run", service.runtime);
                    found.push(Diagnostic::error("no-exec", text).at(format!("{path}.{key}.cmd")));
                }
            }
        }
        found
    }

    /// The probes of a check, built for one instance.
    pub(super) fn build(
        &self,
        health: &Health,
        expand: impl Fn(&ProbeSpec) -> Result<ProbeSpec, String>,
    ) -> Result<Vec<Arc<dyn Probe>>, String> {
        health
            .check
            .probes
            .iter()
            .map(|spec| match self.probes.get(spec.name()) {
                Some(factory) => factory.build(&expand(spec)?),
                None => Err(format!("probe `{}` is not registered", spec.name())),
            })
            .collect()
    }
}
