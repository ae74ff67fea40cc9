//! Numbers, percentages and what is written like them.

use super::Flaw;
use crate::spec::{Amount, code};

/// A whole number in a range. Only plain decimal digits: `012`, `0x10` and `1e3` mean different things to different
/// readers.
pub(crate) fn integer(text: &str, low: i64, high: i64) -> Result<i64, Flaw> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Flaw::new(code::WRONG_TYPE, format!("expected a whole number, found `{text}`")));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(Flaw::new(code::WRONG_TYPE, format!("expected a whole number, found `{text}`"))
            .help("numbers have no leading zeros"));
    }
    text.parse::<i64>().ok().filter(|value| (low..=high).contains(value)).ok_or_else(|| {
        let range = match high {
            i64::MAX => format!("at least {low}"),
            high => format!("{low} to {high}"),
        };
        Flaw::new(code::OUT_OF_RANGE, format!("`{text}` is out of range: {range}"))
    })
}

/// A number of at least `low`, with or without a fraction.
pub(crate) fn ratio(text: &str, low: f64) -> Result<f64, Flaw> {
    let shaped = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    let value = shaped.then(|| text.parse::<f64>().ok()).flatten();
    match value {
        Some(value) if value >= low && value <= 1e6 => Ok(value),
        Some(_) => Err(Flaw::new(code::OUT_OF_RANGE, format!("`{text}` is out of range: {low} to 1000000"))),
        None => Err(Flaw::new(code::WRONG_TYPE, format!("expected a number, found `{text}`"))),
    }
}

pub(crate) fn percent(text: &str) -> Result<u32, Flaw> {
    let flaw = || Flaw::new(code::BAD_PERCENT, format!("`{text}` is not a percentage"));
    let Some(digits) = text.strip_suffix('%') else {
        return Err(flaw().help("write it as `25%`"));
    };
    integer(digits, 0, 100)
        .ok()
        .and_then(|value| u32::try_from(value).ok())
        .ok_or_else(|| flaw().help("a whole number from `0%` to `100%`"))
}

/// A number or a percentage.
pub(crate) fn amount(text: &str) -> Result<Amount, Flaw> {
    if text.ends_with('%') {
        return percent(text).map(Amount::Percent);
    }
    let count = integer(text, 0, 1_000).map_err(|flaw| flaw.help("write a number or a percentage such as `25%`"))?;
    Ok(Amount::Count(u32::try_from(count).unwrap_or(0)))
}

/// Cores as thousandths (`500m`) or as a number (`0.5`, `2`).
pub(crate) fn cpu_millis(text: &str) -> Result<u64, Flaw> {
    let flaw = || {
        Flaw::new(code::WRONG_TYPE, format!("`{text}` is not a share of processors"))
            .help("write `500m` for half a core, or `0.5`, or `2`")
    };
    if let Some(millis) = text.strip_suffix('m') {
        return integer(millis, 1, 1_024_000).ok().and_then(|m| u64::try_from(m).ok()).ok_or_else(flaw);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fine = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let whole = integer(whole, 0, 1_024).ok().filter(|_| fine).ok_or_else(flaw)?;
    let millis = whole * 1_000 + format!("{fraction:0<3}").parse::<i64>().map_err(|_| flaw())?;
    u64::try_from(millis).ok().filter(|m| *m > 0).ok_or_else(flaw)
}

/// A status (`200`) or a range of them (`200-299`).
pub(crate) fn status_range(text: &str) -> Result<(u16, u16), Flaw> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let status = |part: &str| integer(part, 100, 599).ok().and_then(|value| u16::try_from(value).ok());
    match (status(low), status(high)) {
        (Some(low), Some(high)) if low <= high => Ok((low, high)),
        _ => Err(Flaw::new(code::OUT_OF_RANGE, format!("`{text}` is not an HTTP status"))
            .help("write a status from 100 to 599, or a range such as `200-299`")),
    }
}
