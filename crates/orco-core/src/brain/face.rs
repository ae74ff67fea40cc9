//! All that one service may know of another.

use crate::model::ServiceIx;

/// The cached face of a service. Whoever may read it is looked at again when it changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a face is a list of plain answers")]
pub(crate) struct Face {
    /// Some instance has been created.
    pub(crate) exists: bool,
    /// Some instance runs.
    pub(crate) started: bool,
    /// It meets `require: ready`.
    pub(crate) ready: bool,
    /// All seats of the target set ended with a success code.
    pub(crate) completed: bool,
    /// It is on its way out: wanted down, or removed and needed by nobody.
    pub(crate) leaving: bool,
    /// It has failed and is not ready.
    pub(crate) failed: bool,
    /// A replacement is under way.
    pub(crate) changing: bool,
    /// It is listed and wanted up.
    pub(crate) wanted: bool,
    /// An instance exists or may exist.
    pub(crate) live: bool,
    /// Dependencies under instances that are on their way out: they stop after those. Sorted.
    pub(crate) leaning: Vec<ServiceIx>,
}
