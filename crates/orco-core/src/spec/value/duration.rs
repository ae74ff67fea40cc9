//! Durations: `500ms`, `1m30s`, `7d`.

use std::{fmt::Write as _, time::Duration};

use super::Flaw;
use crate::spec::code;

/// From the largest: a duration names each unit at most once, in this order.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A hundred years: nobody waits longer, and sums of moments and durations stay far from overflow.
const LONGEST_MS: u64 = 36_500 * 86_400_000;

pub(crate) fn parse(text: &str) -> Result<Duration, Flaw> {
    let flaw = || Flaw::new(code::BAD_DURATION, format!("`{text}` is not a duration"));
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Flaw::new(code::BAD_DURATION, format!("duration `{text}` has no unit"))
            .help(format!("write `{text}s` for seconds, `{text}ms` for milliseconds")));
    }
    let mut rest = text;
    let mut total = 0_u64;
    let mut allowed = &UNITS[..];
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let (unit, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let place = allowed.iter().position(|(name, _)| *name == unit);
        let (Some(place), false) = (place, digits.is_empty()) else {
            return Err(flaw().help("write it as `500ms`, `1s`, `1m30s`, `2h` or `7d`"));
        };
        let part = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(allowed[place].1));
        total = match part.and_then(|part| total.checked_add(part)) {
            Some(total) if total <= LONGEST_MS => total,
            _ => return Err(flaw().help("the longest duration is `36500d`")),
        };
        allowed = &allowed[place + 1..];
        rest = next;
    }
    if text.is_empty() {
        return Err(flaw().help("write it as `500ms`, `1s`, `1m30s`, `2h` or `7d`"));
    }
    Ok(Duration::from_millis(total))
}

/// The duration as a stack file has it (`1m30s`), rounded down to milliseconds.
pub fn show(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if left >= millis {
            let _ = write!(text, "{}{unit}", left / millis);
            left %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
