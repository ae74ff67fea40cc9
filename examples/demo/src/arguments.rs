//! Where settings come from.

use crate::Result;

/// The value of `--name=VALUE` on the command line.
///
/// # Errors
/// When it is not there.
pub fn argument(name: &str) -> Result<String> {
    let flag = format!("--{name}=");
    let value = std::env::args().find_map(|a| a.strip_prefix(&flag).map(str::to_owned));
    value.ok_or_else(|| format!("needs {flag}VALUE").into())
}

/// The environment variable `name`.
///
/// # Errors
/// When it is not set.
pub fn setting(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("needs the environment variable {name}").into())
}
