//! The scalar values of stack files: each reads and writes its own text.

mod argv;
mod duration;
mod flaw;
mod number;
mod port;
mod regex;
mod signal;
mod size;
mod volume;

pub(crate) use argv::{shell_words, split as split_command};
pub(crate) use duration::parse as parse_duration;
pub use duration::show as show_duration;
pub(crate) use flaw::Flaw;
pub use flaw::nearest;
pub(crate) use number::{amount, cpu_millis, integer, percent, ratio, status_range};
pub(crate) use port::{check_address, check_url, parse as parse_port, port_number, url_port};
pub(crate) use regex::check as check_regex;
pub use regex::compile as compile_pattern;
pub(crate) use signal::parse as parse_signal;
pub use signal::{name as signal_name, number as signal_number};
pub(crate) use size::parse as parse_size;
pub use size::read as read_size;
pub(crate) use size::show as show_size;
pub(crate) use volume::{check as check_volume, check_network, check_platform, parse as parse_volume};
#[cfg(test)]
mod tests;
