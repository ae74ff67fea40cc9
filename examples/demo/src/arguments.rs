//! Where settings come from.

use crate::Result;

/// The value after `--name` on the command line.
///
/// # Errors
/// When it is not there.
pub fn argument(name: &str) -> Result<String> {
    let flag = format!("--{name}");
    std::env::args().skip_while(|a| *a != flag).nth(1).ok_or_else(|| format!("needs {flag} VALUE").into())
}

/// The environment variable `name`.
///
/// # Errors
/// When it is not set.
pub fn setting(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("needs the environment variable {name}").into())
}
