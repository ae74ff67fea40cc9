//! From a stack file on disk to a [`Stack`](crate::spec::Stack): the one part of the core that reads files and the
//! environment, through [`Sources`].

mod disk;
mod env_files;
mod find;
mod loader;
mod outcome;
mod run;
mod tree;

pub use disk::{Disk, Sources};
pub use find::{find_stack_file, stack_id};
pub use loader::{Loader, load_file};
pub use outcome::{Loaded, Rejected};
