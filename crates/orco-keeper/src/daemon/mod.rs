//! Keepers that outlive their engines.

mod charter;
mod inherited;
mod memory;
mod result;

pub use charter::{Charter, become_keeper, start};
pub use inherited::{Inherited, Origin, inherited};
pub use memory::{give_back, stay_small};
pub(crate) use result::{FAILED, SERVING};
pub use result::{Outcome, Started};
