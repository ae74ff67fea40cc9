//! Durations in query strings and request bodies, written as in stack files.

use std::{fmt, time::Duration};

/// Why a text is not a duration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidDuration(String);

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a duration: write `500ms`, `10s`, `1m30s`, `2h` or `7d`", self.0.escape_debug())
    }
}

impl std::error::Error for InvalidDuration {}

/// Reads `500ms`, `1s`, `1m30s`, `2h`, `7d`.
///
/// # Errors
/// [`InvalidDuration`] for anything else, a bare number included.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let wrong = || InvalidDuration(text.chars().take(40).collect());
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        rest = &rest[letters..];
        total = number.checked_mul(unit).and_then(|ms| total.checked_add(ms)).ok_or_else(wrong)?;
    }
    Ok(Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in
            [("500ms", 500), ("1s", 1000), ("1m30s", 90_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for bad in
            ["", "5", "s", "-1s", "1.5s", "1s ", "1 s", "1y", "99999999999999999999s", "9999999999999999d", "1sé"]
        {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
