//! What is still to be stopped.

use orco_api::wire::{Service, State};

/// Whether anything of a service is still there.
pub fn is_left(service: &Service) -> bool {
    let lives = |state| matches!(state, State::Running | State::Starting | State::Stopping);
    // One that has failed or completed may have a replica that lives.
    lives(service.state) || service.instances.iter().any(|instance| lives(instance.state))
}
