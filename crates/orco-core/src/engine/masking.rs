//! Keeps secrets out of what the engine tells: whatever quotes a service passes here.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    log::{Masks, Secrets},
    model::{Fact, ServiceName, Verdict},
    spec::{SecretValues, Service, Stack},
};

use super::{driver::Driver, handle::Engine, logs::Logs, report::Report};

fn secrets(service: &Service, SecretValues { declared, from_files, .. }: SecretValues) -> Secrets {
    Secrets { off: !service.mask_secrets, own: from_files, everywhere: declared }
}

impl Logs {
    /// Takes note of a stack's secrets before any of its services can print them. Writes a file, if there are new ones.
    pub(super) fn learn(&self, stack: &Stack) {
        let all = stack.services().iter().map(|s| (&s.name, secrets(s, s.fixed_secret_values())));
        noted(self.masks.learn(all));
    }

    /// Of one instance: with the values that only it has.
    pub(super) fn learn_of(&self, service: &Service, env: &BTreeMap<String, Option<String>>) {
        if !service.secret.is_empty() || !service.env_from_file.is_empty() {
            noted(self.masks.learn([(&service.name, secrets(service, service.secret_values(env)))]));
        }
    }

    /// A text that quotes a service, or something that runs for it.
    pub(super) fn masked(&self, service: &ServiceName, text: Arc<str>) -> Arc<str> {
        match self.masks.of(service) {
            None => text,
            Some(mask) => match mask.text(&text) {
                std::borrow::Cow::Borrowed(_) => text,
                std::borrow::Cow::Owned(shown) => shown.into(),
            },
        }
    }
}

fn noted(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(%error, "cannot write the fingerprints of secrets; they are masked as long as this engine lives");
    }
}

impl Engine {
    /// What is hidden in output.
    pub fn masks(&self) -> Arc<Masks> {
        Arc::clone(&self.world().logs.masks)
    }
}

impl Driver {
    /// The report as it may be shown: events, status and journal get it so.
    pub(super) fn masked(&self, report: Report) -> Report {
        let hide = |service, text| self.world.logs.masked(self.brain.name(service), text);
        match report {
            Report::Fact(Fact::Probed { at, inst, role, version, verdict }) => {
                let verdict = match verdict {
                    Verdict::Pass => Verdict::Pass,
                    Verdict::Fail(why) => Verdict::Fail(hide(at.service, why)),
                    Verdict::Unknown(why) => Verdict::Unknown(hide(at.service, why)),
                };
                Report::Fact(Fact::Probed { at, inst, role, version, verdict })
            }
            Report::Fact(Fact::StartFailed { at, inst, why, certain }) => {
                Report::Fact(Fact::StartFailed { at, inst, why: hide(at.service, why), certain })
            }
            Report::HookFailed { at, hook, why } => Report::HookFailed { at, hook, why: hide(at.service, why) },
            Report::Held { inst, why: Some(why) } => {
                let why = match self.live.get(&inst) {
                    Some(live) => hide(live.seat.service, why),
                    None => why,
                };
                Report::Held { inst, why: Some(why) }
            }
            other @ (Report::Fact(_)
            | Report::Unrecorded { .. }
            | Report::Held { why: None, .. }
            | Report::Heard { .. }
            | Report::Up { .. }
            | Report::Over { .. }
            | Report::Notice { .. }) => other,
        }
    }
}
