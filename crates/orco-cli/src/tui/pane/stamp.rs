//! Times in front of lines.

use orco_api::wire::Timestamp;

use crate::render;

/// How times are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Times {
    /// Not at all.
    #[default]
    Off,
    /// As ages.
    Relative,
    /// As the time of day in UTC.
    Absolute,
}

impl Times {
    /// The one after this.
    pub const fn next(self) -> Self {
        match self {
            Self::Off => Self::Relative,
            Self::Relative => Self::Absolute,
            Self::Absolute => Self::Off,
        }
    }

    /// The columns it takes.
    pub const fn columns(self) -> u16 {
        match self {
            Self::Off => 0,
            Self::Relative => 4,
            Self::Absolute => 13,
        }
    }

    /// The text, of that many columns.
    pub fn text(self, ts: u64, now: Timestamp) -> String {
        let ts = Timestamp::from_unix_micros(ts);
        match self {
            Self::Off => String::new(),
            Self::Relative => format!("{:>4}", render::age(ts.until(now))),
            Self::Absolute => {
                let millis = ts.unix_micros() / 1000;
                let (seconds, millis) = (millis / 1000, millis % 1000);
                let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
                format!("{hours:02}:{minutes:02}:{:02}.{millis:03}Z", seconds % 60)
            }
        }
    }
}
