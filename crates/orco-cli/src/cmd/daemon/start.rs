//! What is to run under a daemon.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use orco_api::place::{self, Lock, Place, StateRoot};
use orco_core::{brain::Refused, model::ServiceName};

use super::{incoming::Incoming, launch::Launch};
use crate::{
    args::{LogArgs, StackArgs},
    cmd::{Failure, stack, target},
    exit::Exit,
};

/// A stack file that was read, and the place for its stack.
#[derive(Debug)]
pub struct Wanted {
    pub place: Place,
    pub file: PathBuf,
    pub incoming: Incoming,
}

impl Wanted {
    /// Reads the file; nothing is started before all of it is known to be right.
    pub fn load(which: &StackArgs, services: Vec<String>, deps: bool, logging: LogArgs) -> Result<Self, Failure> {
        let logging = logging.settle().map_err(|invalid| Failure::new(Exit::USAGE, invalid))?;
        let file = target::file(which)?;
        let (stack, variables) = stack::load_with_variables(&file)?;
        let known = |name: String| match ServiceName::new(&name) {
            Ok(service) if stack.service(service.as_str()).is_some() => Ok(service),
            _ => {
                let known: Vec<_> = stack.services().iter().map(|service| service.name.as_str()).collect();
                Err(Failure::new(Exit::USAGE, Refused::UnknownService { name, near: None })
                    .next(format!("the stack has {}", known.join(", "))))
            }
        };
        let services = services.into_iter().map(known).collect::<Result<_, _>>()?;
        let place = Place::new(&StateRoot::from_env()?, place::id_of(&file));
        place.create()?;
        Ok(Self { place, file, incoming: Incoming { id: fresh_id(), stack, variables, services, deps, logging } })
    }

    /// What is to be up: the named services (none named: all), with what they need if that is wanted too.
    pub fn services(&self) -> BTreeSet<ServiceName> {
        let Incoming { stack, services, deps, .. } = &self.incoming;
        let mut queue = services.clone();
        if queue.is_empty() {
            queue.extend(stack.services().iter().map(|service| service.name.clone()));
        }
        let mut found = BTreeSet::new();
        while let Some(name) = queue.pop() {
            let needs = stack.service(name.as_str()).filter(|_| *deps && !found.contains(&name));
            queue.extend(needs.into_iter().flat_map(|service| service.depends_on.iter().map(|d| d.target.clone())));
            found.insert(name);
        }
        found
    }

    /// Settles everything for a daemon that begins with it.
    pub fn prepare(&self, lock: Lock) -> Result<Launch, Failure> {
        let name = self.incoming.stack.name().as_str();
        Launch::prepare(self.place.clone(), lock, name, &self.file, Some(&self.incoming))
    }
}

/// No two starts of a stack have the same: they happen one after the other, under the lock.
fn fresh_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_nanos(), process::id())
}
