//! Which values of a service are secret.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Service, Stack,
    vars::{fill, instance_vars},
};

/// Values of one service that are not to be shown.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SecretValues {
    /// Of variables that are declared secret: nowhere.
    pub declared: BTreeSet<String>,
    /// Of variables from env files: not in what the service itself prints.
    pub from_files: BTreeSet<String>,
}

/// Does not say them.
impl std::fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretValues({}, {})", self.declared.len(), self.from_files.len())
    }
}

impl Service {
    /// Its secret values, given its variables with those of an instance filled in. None where it does not want masks.
    pub fn secret_values(&self, env: &BTreeMap<String, Option<String>>) -> SecretValues {
        let mut found = SecretValues::default();
        if !self.mask_secrets {
            return found;
        }
        let value = |name: &String| env.get(name).cloned().flatten();
        found.declared = self.secret.iter().filter_map(value).collect();
        found.from_files =
            self.env_from_file.iter().filter_map(value).filter(|v| !found.declared.contains(v)).collect();
        found
    }

    /// Those that are the same in all instances.
    pub fn fixed_secret_values(&self) -> SecretValues {
        let fixed = |value: &String| match instance_vars(value).is_empty() {
            true => fill(value, |_| Err(())).ok(),
            false => None,
        };
        let env = self.env.iter().map(|(name, value)| (name.clone(), value.as_ref().and_then(fixed))).collect();
        self.secret_values(&env)
    }
}

/// The values that are secret for everybody in these stacks.
pub(super) fn declared(stacks: [&Stack; 2]) -> BTreeSet<String> {
    let services = stacks.into_iter().flat_map(Stack::services);
    services.flat_map(|service| service.fixed_secret_values().declared).collect()
}

/// The text without the fixed secret values of these services, and those that are declared anywhere.
pub(super) fn hide(text: &str, services: [&Service; 2], declared: &BTreeSet<String>) -> String {
    let mut values: Vec<String> = services
        .into_iter()
        .map(Service::fixed_secret_values)
        .flat_map(|values| values.declared.into_iter().chain(values.from_files))
        .chain(declared.iter().cloned())
        .filter(|value| value.len() >= super::rules::SHORTEST_SECRET)
        .collect();
    // The longest first: one may be a part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), "***"))
}
