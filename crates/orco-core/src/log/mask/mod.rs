//! Hides secrets in what is shown: values of variables that are declared secret, or that came from env files.
//!
//! The segments keep what a service printed; whoever reads them for somebody masks whole lines. Values are never stored:
//! a file beside the segments holds a random salt and fingerprints, so that the logs of a stack that is down are masked
//! as well, and values that are out of use still are.

mod base64;
mod file;
mod forms;
mod line;
mod masks;
mod print;
mod scan;
#[cfg(test)]
mod tests;

pub use masks::{Masks, Secrets};
pub use scan::Mask;

/// What stands where a secret was.
pub const MASKED: &str = "***";
/// Shorter values are not masked.
pub const SHORTEST: usize = 8;
