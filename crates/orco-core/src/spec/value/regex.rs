//! Patterns of log probes.

use super::Flaw;
use crate::spec::code;

/// The most memory a compiled pattern may take: a stack file must not be able to ask for gigabytes.
const LIMIT: usize = 1 << 20;

/// A pattern as log probes use it.
///
/// # Errors
/// What is wrong with it.
pub fn compile(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern).size_limit(LIMIT).dfa_size_limit(LIMIT).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it would take more than 1 MiB of memory".to_owned(),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

pub(crate) fn check(pattern: &str) -> Result<(), Flaw> {
    compile(pattern).map(drop).map_err(|why| {
        Flaw::new(code::BAD_REGEX, format!("`{}` is not a usable pattern: {why}", pattern.escape_debug()))
    })
}
