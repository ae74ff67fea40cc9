//! Commands that do not exist yet.

use super::Failure;
use crate::exit::Exit;

/// Says with what the command will come.
pub fn later(command: &str, with: &str) -> Failure {
    Failure::new(Exit::USAGE, format!("`orco {command}` comes with {with}, in a later version"))
}
