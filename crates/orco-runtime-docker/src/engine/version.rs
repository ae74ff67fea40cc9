//! Versions of the engine's API, and the one to speak.

use std::{fmt, str::FromStr};

/// A version of the API, `1.41`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version {
    /// Before the dot.
    pub(crate) major: u16,
    /// After it.
    pub(crate) minor: u16,
}

/// All versions from `min` to `max`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    /// The oldest.
    pub(crate) min: Version,
    /// The newest.
    pub(crate) max: Version,
}

impl Version {
    /// A version.
    pub(crate) const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl Range {
    /// What this program speaks: from Docker 19.03 (2019), the first with all we use, to the version that the types of
    /// our requests are made from.
    pub(crate) const OURS: Self = Self { min: Version::new(1, 40), max: Version::new(1, 53) };

    /// The newest version that both know.
    pub(crate) fn agree(self, theirs: Self) -> Option<Version> {
        let newest = self.max.min(theirs.max);
        (newest >= self.min && newest >= theirs.min).then_some(newest)
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(Self { major: number(major)?, minor: number(minor)? })
    }
}

/// Digits alone: `parse` would take a sign.
fn number(text: &str) -> Result<u16, ()> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().map_err(|_| ()) } else { Err(()) }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn range(min: &str, max: &str) -> Range {
        Range { min: min.parse().unwrap(), max: max.parse().unwrap() }
    }

    #[test]
    fn the_newest_version_that_both_know_is_spoken() {
        let cases = [
            (("1.12", "1.41"), Some("1.41")),
            (("1.24", "1.40"), Some("1.40")),
            (("1.44", "1.52"), Some("1.52")),
            (("1.44", "1.53"), Some("1.53")),
            (("1.44", "1.60"), Some("1.53")),
            (("1.53", "1.60"), Some("1.53")),
            (("1.12", "1.39"), None),
            (("1.54", "1.60"), None),
            (("2.0", "2.4"), None),
            // Numbers, not texts: 1.9 is older than 1.40.
            (("1.2", "1.9"), None),
        ];
        for ((min, max), spoken) in cases {
            let agreed = Range::OURS.agree(range(min, max)).map(|version| version.to_string());
            assert_eq!(agreed.as_deref(), spoken, "{min} to {max}");
        }
    }

    #[test]
    fn nonsense_is_no_version() {
        for text in ["", "1", "1.", ".41", "1.41.2", "1.x", "+1.41", "1.99999999", "v1.41", "1. 41"] {
            assert_eq!(text.parse::<Version>(), Err(()), "{text}");
        }
    }

    /// Whoever updates the library sees here that it may speak newer versions now.
    #[test]
    fn our_newest_is_the_one_our_types_are_made_from() {
        let types = bollard::API_DEFAULT_VERSION;
        assert_eq!(Range::OURS.max.to_string(), types.to_string());
    }
}
