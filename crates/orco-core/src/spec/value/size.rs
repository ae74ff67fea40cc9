//! Sizes: `512MiB`, `128000`.

use super::Flaw;
use crate::spec::code;

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

pub(crate) fn parse(text: &str) -> Result<u64, Flaw> {
    let flaw = || Flaw::new(code::BAD_SIZE, format!("`{text}` is not a size"));
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" => Some(1),
        unit => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
    };
    let (Some(factor), false) = (factor, digits.is_empty()) else {
        return Err(flaw().help("write it as `128000` (bytes), `64KiB`, `512MiB` or `2GiB`"));
    };
    // What does not fit a signed 64-bit number fits no system call either.
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(factor))
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| flaw().help("it is too large"))
}

/// Reads a size as stack files have it, for flags and variables.
///
/// # Errors
/// A message that says what is wrong with it.
pub fn read(text: &str) -> Result<u64, String> {
    parse(text).map_err(|flaw| match flaw.help {
        Some(help) => format!("{}: {help}", flaw.message),
        None => flaw.message,
    })
}

pub(crate) fn show(bytes: u64) -> String {
    match UNITS[..4].iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}
