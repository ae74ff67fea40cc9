//! Whether a dependency meets what is required of it.

use crate::spec::Require;

/// What is known of a dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers and a veto")]
pub struct Known {
    /// An instance has been created.
    pub exists: bool,
    /// An instance runs.
    pub started: bool,
    /// It is Ready.
    pub ready: bool,
    /// It completed.
    pub completed: bool,
    /// It is on its way out: nothing may lean on it any more.
    pub leaving: bool,
}

/// Whether the gate is open.
pub const fn open(require: Require, dependency: Known) -> bool {
    !dependency.leaving
        && match require {
            Require::Exists => dependency.exists,
            // A oneshot may be over before anybody looks: whoever only waits for its start must not wait for ever.
            Require::Started => dependency.started || dependency.completed,
            // A oneshot is ready once it completed.
            Require::Ready => dependency.ready,
            Require::Completed => dependency.completed,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_asks_its_own_question() {
        let none = Known::default();
        let table = [
            (Require::Exists, Known { exists: true, ..none }),
            (Require::Started, Known { started: true, ..none }),
            (Require::Ready, Known { ready: true, ..none }),
            (Require::Completed, Known { completed: true, ..none }),
        ];
        for (require, _) in table {
            for (answers, known) in table {
                let over = require == Require::Started && answers == Require::Completed;
                assert_eq!(open(require, known), require == answers || over, "{require:?} {known:?}");
                assert!(!open(require, Known { leaving: true, ..known }), "{require:?} of a leaver");
            }
        }
    }
}
