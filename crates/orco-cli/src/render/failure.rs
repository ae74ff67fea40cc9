//! An error, once, as a chain, with what to do next.

use std::error::Error;

use super::{Ink, Paint, printable};

/// `error: cannot read `x`: permission denied`, then the way out on a line of its own.
pub fn failure(error: &(dyn Error + 'static), next: Option<&str>, paint: Paint) -> String {
    let chain = chain(error);
    let mut text = format!("{}: {}\n", paint.ink(Ink::Bad, "error"), printable(&chain));
    if let Some(next) = next {
        text.push_str(&format!("{}: {}\n", paint.ink(Ink::Strong, "next"), next));
    }
    text
}

/// The error with what is below it.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut chain = without_number(&error.to_string()).to_owned();
    let mut source = error.source();
    while let Some(below) = source {
        let below_text = below.to_string();
        let below_text = without_number(&below_text);
        // Some errors of other crates repeat what is below them.
        if !chain.ends_with(below_text) {
            chain.push_str(": ");
            chain.push_str(below_text);
        }
        source = below.source();
    }
    chain
}

/// What the system says has its number behind it, for programs.
fn without_number(text: &str) -> &str {
    let words = text.strip_suffix(')').map(|text| text.trim_end_matches(|c: char| c.is_ascii_digit()));
    words.and_then(|words| words.strip_suffix(" (os error ")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `x`")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn words_and_no_number() {
        let error = Outer(std::io::Error::from_raw_os_error(2));
        assert_eq!(chain(&error), "cannot read `x`: No such file or directory");
        assert_eq!(without_number("(os error 2)"), "(os error 2)");
    }

    #[test]
    fn chain_on_one_line() {
        let error = Outer(std::io::Error::other("disk\x1b[2J on fire"));
        assert_eq!(
            failure(&error, Some("put it out"), Paint(false)),
            "error: cannot read `x`: disk\\x1b[2J on fire\nnext: put it out\n"
        );
    }
}
