//! Another stack for a running engine.

use std::sync::Arc;

use crate::{
    brain::Command,
    spec::{Diagnostic, Known, Severity, Stack},
};

use super::{
    handle::{CommandError, Engine},
    ticket::Ticket,
};

impl Engine {
    /// The stack as it is wanted now: the one it was started with, or the one that was last applied.
    pub fn stack(&self) -> Stack {
        self.shared.world.wanted().clone()
    }

    /// The runtimes and probes that are registered.
    pub fn known(&self) -> Known {
        let registry = &self.shared.world.registry;
        Known::new(registry.runtimes.keys().cloned(), registry.probes.keys().cloned())
    }

    /// Makes this the wanted stack: new services start, missing ones leave, changed ones change in place or are
    /// replaced one replica at a time. In the middle of another apply it just changes the goal.
    ///
    /// # Errors
    /// [`CommandError::Unfit`] with all that the plug-ins have against it; then nothing has changed.
    pub async fn apply(&self, stack: Stack) -> Result<Ticket, CommandError> {
        self.check(&stack)?;
        let (logs, wanted) = (Arc::clone(&self.world().logs), stack.clone());
        // It can only fail when the runtime is shutting down.
        let _ = logs.clone().tasks.spawn_blocking(move || logs.learn(&wanted)).await;
        self.command(Command::Apply(Arc::new(stack))).await
    }

    /// Whether the plug-ins can do what the stack asks for.
    ///
    /// # Errors
    /// [`CommandError::Unfit`] with all that they have against it.
    pub fn check(&self, stack: &Stack) -> Result<(), CommandError> {
        let mut found = self.shared.world.registry.check(stack);
        found.retain(|diagnostic| diagnostic.severity == Severity::Error);
        if found.is_empty() { Ok(()) } else { Err(CommandError::Unfit(found)) }
    }
}

pub(super) fn list(found: &[Diagnostic]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
