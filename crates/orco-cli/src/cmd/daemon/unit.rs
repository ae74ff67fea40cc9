//! `systemd-unit`.

use std::{collections::BTreeMap, time::Duration};

use orco_core::spec::{Service, Stack};

use crate::{
    args::{StackArgs, SystemdUnit},
    cmd::{Failure, stack, target},
    exit::Exit,
    render::{Unit, unit},
    terminal,
};

/// What the daemon itself may need beyond its services.
const SLACK: Duration = Duration::from_secs(10);

pub fn systemd_unit(args: SystemdUnit, outer: &StackArgs) -> Result<Exit, Failure> {
    let which = StackArgs { file: args.file, stack: None }.or(outer);
    let file = target::file(&which)?;
    let stack = stack::load(&file)?;
    let program = std::env::current_exe().map_err(|e| Failure::internal("cannot tell where this program is", e))?;
    let state_dir = std::env::var_os("ORCO_STATE_DIR").filter(|dir| !dir.is_empty());
    let state_dir = state_dir.and_then(|dir| std::path::absolute(dir).ok());
    terminal::print(unit(&Unit {
        stack: stack.name().as_str(),
        program: &program,
        file: &file,
        state_dir: state_dir.as_deref(),
        user: args.user,
        stop: longest_stop(&stack) + SLACK,
    }))?;
    Ok(Exit::DONE)
}

/// Services stop one after the other along their dependencies, and otherwise at once: the longest such chain.
fn longest_stop(stack: &Stack) -> Duration {
    let mut known = BTreeMap::new();
    stack.services().iter().map(|service| chain(stack, service, &mut known)).max().unwrap_or_default()
}

/// From this service down to the last that it needs. The graph has no cycle.
fn chain<'a>(stack: &'a Stack, service: &'a Service, known: &mut BTreeMap<&'a str, Duration>) -> Duration {
    if let Some(found) = known.get(service.name.as_str()) {
        return *found;
    }
    let needed = service.depends_on.iter().filter_map(|dependency| stack.service(dependency.target.as_str()));
    let below = needed.map(|service| chain(stack, service, known)).max().unwrap_or_default();
    let hook = service.hooks.pre_stop.as_ref().map_or(Duration::ZERO, |hook| hook.timeout);
    let own = service.stop.timeout.saturating_add(hook).saturating_add(below);
    known.insert(service.name.as_str(), own);
    own
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use orco_core::{load::load_file, spec::Known};

    use super::*;

    #[test]
    fn the_longest_chain_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stack.yaml");
        let text = "version: 0.1
stack: { name: demo }
services:
  db: { command: [\"true\"], stop: { timeout: 60s } }
  cache: { command: [\"true\"], stop: { timeout: 5s } }
  api: { command: [\"true\"], stop: { timeout: 20s }, dependsOn: [db, cache] }
  alone: { command: [\"true\"], stop: { timeout: 70s } }
";
        std::fs::write(&file, text).unwrap();
        let stack = load_file(&file, &Known::new(["process"], [""; 0])).unwrap().stack;
        assert_eq!(longest_stop(&stack), Duration::from_secs(80));
    }
}
