//! Where a stack lives on this machine: its state directory, its lock, its socket, and how to find them.
//!
//! Server and client must agree on all of this, so both use this module and nothing else.

mod dir;
mod find;
mod id;
mod lock;
mod meta;
mod root;
mod socket;

pub use dir::{Place, PlaceError};
pub use find::{FindError, Found, find_by_name, find_lost, known, running};
pub use id::{StackFileError, find_stack_file, id_of};
pub use lock::{Lock, LockError};
pub use meta::{Meta, MetaError};
pub use root::{StateRoot, StateRootError};
pub use socket::{SOCKET_PATH_MAX, socket_path};
