//! Keepers that outlive their engines.

mod charter;
mod inherited;
mod result;

pub use charter::{Charter, become_keeper, start};
pub use inherited::{Inherited, Origin, inherited};
pub(crate) use result::{FAILED, SERVING};
pub use result::{Outcome, Started};
