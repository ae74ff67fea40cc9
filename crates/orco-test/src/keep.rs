//! Services that a failed test leaves running for whoever wants to look at them.

use std::{env, time::Duration};

use crate::host::About;

/// For so long, unless said otherwise.
pub(crate) const TIME: Duration = Duration::from_secs(600);
/// The switch: `1`, or a number of seconds above that.
pub(crate) const VARIABLE: &str = "ORCO_TEST_KEEP";

/// What the environment asks for.
pub(crate) fn from_env() -> Option<Duration> {
    parse(env::var(VARIABLE).ok()?.trim())
}

fn parse(text: &str) -> Option<Duration> {
    match text {
        "" | "0" | "false" | "no" => None,
        text => match text.parse() {
            Ok(seconds) if seconds > 1 => Some(Duration::from_secs(seconds)),
            Ok(_) | Err(_) => Some(TIME),
        },
    }
}

/// Tells the reader of a failed test how to look at what it has left.
#[expect(clippy::print_stderr, reason = "the place for it is the output of the failed test")]
pub(crate) fn announce(stack: &str, time: Duration, about: &About) {
    eprintln!(
        "orco-test: the services of `{stack}` are left running for {time:?} (to end them now: kill {})",
        about.pid
    );
    eprintln!("orco-test:   logs: {}", about.logs.display());
    about.endpoints.iter().for_each(|endpoint| eprintln!("orco-test:   {endpoint}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_or_seconds() {
        let seconds = |n| Some(Duration::from_secs(n));
        let cases =
            [("", None), ("0", None), ("false", None), ("1", seconds(600)), ("yes", seconds(600)), ("30", seconds(30))];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
