//! Signals by name or number, as Linux counts them.

use super::{Flaw, nearest};
use crate::spec::code;

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// The number of a signal: `SIGTERM`, `TERM` (in any case) or `15`. Real-time signals go by number, up to 64.
pub fn number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES.iter().position(|name| *name == short).and_then(|index| i32::try_from(index + 1).ok())
}

/// The name of a signal, such as `SIGTERM`; `None` for real-time signals and everything else.
pub fn name(number: i32) -> Option<String> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    NAMES.get(index).map(|name| format!("SIG{name}"))
}

pub(crate) fn parse(text: &str) -> Result<i32, Flaw> {
    number(text).ok_or_else(|| {
        let flaw = Flaw::new(code::UNKNOWN_SIGNAL, format!("unknown signal `{text}`"));
        let upper = text.to_ascii_uppercase();
        match nearest(upper.strip_prefix("SIG").unwrap_or(&upper), NAMES) {
            Some(near) => flaw.help(format!("did you mean `SIG{near}`?")),
            None => flaw.help("write a name such as `SIGTERM`, or a number from 1 to 64"),
        }
    })
}
