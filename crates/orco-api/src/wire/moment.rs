//! Moments as people write them: so long ago, or a time.

use std::{fmt, str::FromStr, time::Duration};

use super::{Timestamp, parse_duration};

/// A moment in a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// A time.
    At(Timestamp),
}

/// Why a text is no moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidMoment(String);

impl fmt::Display for InvalidMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is neither a duration (`5m`, `2h30m`, `7d`) nor a time with its zone (`2026-01-02T15:04:05Z`, \
             `2026-01-02T15:04:05+01:00`)",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidMoment {}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(age) = parse_duration(text) {
            return Ok(Self::Ago(age));
        }
        text.parse().map(Self::At).map_err(|_| InvalidMoment(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(age) => write!(f, "{}ms", age.as_millis()),
            Self::At(time) => time.fmt(f),
        }
    }
}

impl Moment {
    /// As Unix microseconds, seen from now.
    pub fn micros(self) -> u64 {
        match self {
            Self::Ago(age) => {
                Timestamp::now().unix_micros().saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX))
            }
            Self::At(time) => time.unix_micros(),
        }
    }

    /// The same moment, seen from later.
    #[must_use]
    pub const fn later(self, by: Duration) -> Self {
        match self {
            Self::Ago(age) => Self::Ago(age.saturating_add(by)),
            Self::At(time) => Self::At(time),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn moments() {
        let at = |micros| Moment::At(Timestamp::from_unix_micros(micros));
        let ago = |seconds| Moment::Ago(Duration::from_secs(seconds));
        for (text, moment) in [
            ("5m", ago(300)),
            ("2h30m", ago(9000)),
            ("2026-11-18T11:06:40Z", at(1_795_000_000_000_000)),
            ("2026-11-18T12:06:40.5+01:00", at(1_795_000_000_500_000)),
            ("2026-11-18 11:06:40z", at(1_795_000_000_000_000)),
        ] {
            assert_eq!(text.parse(), Ok(moment), "{text}");
            assert_eq!(moment.to_string().parse(), Ok(moment), "{text}");
        }
        for bad in ["", "5", "yesterday", "2026-11-18", "2026-11-18T11:06:40", "2026-13-18T11:06:40Z", "-5m", "5 m"] {
            let why = bad.parse::<Moment>().unwrap_err().to_string();
            assert!(why.contains(bad) && why.contains("5m"), "{why}");
        }
        assert_eq!(ago(5).later(Duration::from_secs(2)), ago(7));
        assert_eq!(at(5).later(Duration::from_secs(2)), at(5));
    }
}
