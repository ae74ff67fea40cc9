//! Durations, names, paths, amounts, and the defaults of missing fields.

use std::{fmt::Display, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    model::Revision,
    spec::{
        Amount, RetryLimit,
        defaults::{DEPENDENCY_TIMEOUT, HOOK_TIMEOUT},
    },
};

pub(crate) const fn yes() -> bool {
    true
}

pub(crate) const fn one() -> u32 {
    1
}

pub(crate) const fn first_format() -> u32 {
    1
}

pub(crate) const fn hook_timeout() -> Duration {
    HOOK_TIMEOUT
}

pub(crate) const fn dependency_timeout() -> Duration {
    DEPENDENCY_TIMEOUT
}

pub(crate) fn get() -> String {
    "GET".to_owned()
}

pub(crate) fn fine() -> Vec<(u16, u16)> {
    vec![(200, 399)]
}

/// Stands for a revision that was not written.
pub(crate) const fn unhashed() -> Revision {
    Revision(0)
}

/// A text, borrowed where the document allows it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

fn parsed<'de, D: Deserializer<'de>, T>(from: D, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, D::Error> {
    let Text(text) = Text::deserialize(from)?;
    parse(&text).map_err(D::Error::custom)
}

/// What has a text and is read from it: names.
pub(crate) mod text {
    use super::{Deserializer, Display, FromStr, Serializer, parsed};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        parsed(from, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }
}

/// A duration as in stack files, or in nanoseconds where that would not be exact.
pub(crate) mod duration {
    use super::{Deserializer, Duration, Serializer, parsed};
    use crate::spec::value;

    /// The longest that stack files can say.
    const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

    pub(crate) fn show(value: Duration) -> String {
        match value.subsec_nanos().is_multiple_of(1_000_000) && value <= LONGEST {
            true => value::show_duration(value),
            false => format!("{}ns", value.as_nanos()),
        }
    }

    pub(crate) fn read(text: &str) -> Result<Duration, String> {
        let Some(nanos) = text.strip_suffix("ns") else {
            return value::parse_duration(text).map_err(|flaw| flaw.message);
        };
        let flaw = || format!("`{text}` is not a duration");
        let nanos: u128 = nanos.parse().map_err(|_| flaw())?;
        let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| flaw())?;
        Ok(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).unwrap_or_default()))
    }

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&show(*value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        parsed(from, read)
    }
}

/// A duration, or null.
pub(crate) mod optional_duration {
    use super::{Deserialize as _, Deserializer, Duration, Serializer, Text, duration};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_str(&duration::show(*value)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Text<'_>>::deserialize(from)?;
        text.map(|Text(text)| duration::read(&text)).transpose().map_err(D::Error::custom)
    }
}

/// A revision with all its digits.
pub(crate) mod revision {
    use super::{Deserializer, Revision, Serializer, parsed};

    pub(crate) fn serialize<S: Serializer>(value: &Revision, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:016x}", value.0))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Revision, D::Error> {
        parsed(from, |text| match text.len() == 16 {
            true => u64::from_str_radix(text, 16).map(Revision).map_err(|error| error.to_string()),
            false => Err("a revision has 16 hex digits".to_owned()),
        })
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $ty:ident, $($variant:ident)*) => {
        $(#[$doc])*
        pub(crate) mod $name {
            use super::{Deserializer, Serializer, parsed};
            use crate::model::$ty;

            const ALL: &[$ty] = &[$($ty::$variant),*];

            pub(crate) fn serialize<S: Serializer>(value: &$ty, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value.as_str())
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$ty, D::Error> {
                parsed(from, |text| {
                    let found = ALL.iter().copied().find(|word| word.as_str() == text);
                    found.ok_or_else(|| format!("`{text}` is no {}", stringify!($name)))
                })
            }
        }
    };
}

words! {
    /// The kind of a service.
    kind: Kind, Service Oneshot Daemon
}
words! {
    /// What is asked of a dependency.
    require: Require, Exists Started Ready Completed
}

/// A path: a text, or its bytes where it is none.
pub(crate) mod path {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::Path, path::PathBuf};

    use super::{Deserialize, Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<P: AsRef<Path> + ?Sized, S: Serializer>(value: &P, to: S) -> Result<S::Ok, S::Error> {
        let path = value.as_ref();
        match path.to_str() {
            Some(text) => to.serialize_str(text),
            None => path.as_os_str().as_encoded_bytes().serialize(to),
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Text(text) => text.into(),
            Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
        })
    }
}

/// A path, or null.
pub(crate) mod optional_path {
    use std::path::PathBuf;

    use super::{Deserialize, Deserializer, Serializer, path};

    #[derive(Deserialize)]
    struct Written(#[serde(with = "path")] PathBuf);

    pub(crate) fn serialize<S: Serializer>(value: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => path::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(|Written(path)| path))
    }
}

/// A number, or a word that stands for one: `25%`, `unlimited`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum NumberOr {
    Number(u32),
    Text(String),
}

impl From<Amount> for NumberOr {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Count(count) => Self::Number(count),
            Amount::Percent(percent) => Self::Text(format!("{percent}%")),
        }
    }
}

impl TryFrom<NumberOr> for Amount {
    type Error = String;

    fn try_from(written: NumberOr) -> Result<Self, String> {
        match written {
            NumberOr::Number(count) => Ok(Self::Count(count)),
            NumberOr::Text(text) => {
                let percent = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
                percent.map(Self::Percent).ok_or_else(|| format!("`{text}` is no amount"))
            }
        }
    }
}

impl From<RetryLimit> for NumberOr {
    fn from(limit: RetryLimit) -> Self {
        match limit {
            RetryLimit::Limited(count) => Self::Number(count),
            RetryLimit::Unlimited => Self::Text("unlimited".to_owned()),
        }
    }
}

impl TryFrom<NumberOr> for RetryLimit {
    type Error = String;

    fn try_from(written: NumberOr) -> Result<Self, String> {
        match written {
            NumberOr::Number(count) => Ok(Self::Limited(count)),
            NumberOr::Text(text) if text == "unlimited" => Ok(Self::Unlimited),
            NumberOr::Text(text) => Err(format!("`{text}` is no number of retries")),
        }
    }
}
