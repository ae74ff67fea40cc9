//! What an engine finds of an earlier one, read once at its start.

use std::collections::BTreeMap;

use super::{clock::Clock, durable::Durable, events::Event, ledger::Files, ports::Seated, saved};
use crate::{
    brain::{Brain, BrainConfig},
    model::{InstanceId, Moment},
    runtime::Handle,
    spec::Stack,
};

/// Everything that was remembered; of a first engine, nothing.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) brain: Brain,
    pub(super) clock: Clock,
    pub(super) restored: bool,
    pub(super) files: Option<Files>,
    pub(super) events: Vec<Event>,
    pub(super) stack: Option<Stack>,
    pub(super) handles: BTreeMap<InstanceId, Handle>,
    pub(super) ports: Vec<(u16, Seated)>,
    pub(super) begun: Option<String>,
}

impl Past {
    /// Reads it. An error says which entry makes no sense.
    pub(super) fn read(durable: Option<Durable>, config: BrainConfig) -> Result<Self, String> {
        let mut past = Self {
            brain: Brain::new(config.clone()),
            clock: Clock::start(),
            restored: false,
            files: None,
            events: Vec::new(),
            stack: None,
            handles: BTreeMap::new(),
            ports: Vec::new(),
            begun: None,
        };
        let Some(Durable { files, past: events, stack, .. }) = durable else { return Ok(past) };
        let entries = files.journal.entries();
        for (key, value) in entries.iter().filter(|(key, _)| key.starts_with(saved::PREFIX)) {
            if let Some(handle) = saved::read_instance(key, value) {
                past.handles.insert(handle.instance, handle);
            } else if let Some(port) = saved::read_port(key, value) {
                past.ports.push(port);
            } else if &**key == saved::OCCASION {
                past.begun = Some(String::from_utf8_lossy(value).into_owned());
            }
        }
        past.clock = Clock::since_boot(Moment::ZERO);
        if stack.is_some() {
            let brains = entries.iter().filter(|(key, _)| !key.starts_with(saved::PREFIX));
            let brains = brains.map(|(key, value)| (&**key, &**value));
            past.brain = Brain::restore(config, brains, past.clock.now()).map_err(|e| e.to_string())?;
            past.restored = true;
        }
        past.files = Some(files);
        past.events = events;
        past.stack = stack;
        Ok(past)
    }
}
