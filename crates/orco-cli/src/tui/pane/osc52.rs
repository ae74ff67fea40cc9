//! The clipboard of the terminal, which may be on another machine: OSC 52.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The escape sequence that puts a text into the clipboard. tmux takes it only when it is told to, and then passes it on
/// or not; so within tmux it is written a second time, wrapped, for the terminal around it.
pub fn encode(text: &str, in_tmux: bool) -> String {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    if in_tmux {
        let wrapped = plain.replace('\x1b', "\x1b\x1b");
        return format!("{plain}\x1bPtmux;{wrapped}\x1b\\");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences() {
        assert_eq!(encode("hi", false), "\x1b]52;c;aGk=\x07");
        assert_eq!(encode("hi", true), "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        let hostile = encode("\x1b]0;x\x07", false);
        assert_eq!(hostile.matches('\x1b').count(), 1, "the text itself is never more than letters");
    }
}
