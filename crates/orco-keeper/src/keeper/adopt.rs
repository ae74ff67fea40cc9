//! Taking over processes of an earlier keeper.

use super::turn::Keeper;
use crate::wire::{Adopt, Report};

impl Keeper {
    /// Takes the process over, if it still is the one that is meant.
    pub(super) fn adopt(&mut self, adopt: &Adopt) {
        self.talk.tell(&Report::Gone { id: adopt.id });
    }
}
