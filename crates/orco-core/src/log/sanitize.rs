//! Makes a service's text harmless to a terminal.

use std::{borrow::Cow, fmt::Write as _};

/// The text with everything that acts on a terminal shown instead of done: C0 (but tab), DEL and C1
/// controls, with them all escape sequences (CSI, OSC, DCS), and the characters that turn the direction
/// of text or end a line. Borrowed where there is nothing to do.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| acts(char::from(b))) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(acts) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if acts(c) && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if acts(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would do something else than to show it.
const fn acts(c: char) -> bool {
    matches!(c,
        '\0'..='\x08' | '\n'..' ' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_lines() {
        let table = [
            ("plain\ttext é 漢 😀", "plain\ttext é 漢 😀"),
            ("\x1b[2J\x1b[31mred\x1b[0m", "\\x1b[2J\\x1b[31mred\\x1b[0m"),
            ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
            ("\x1b]8;;http://x\x1b\\link", "\\x1b]8;;http://x\\x1b\\link"),
            ("\x1bP$q\x1b\\", "\\x1bP$q\\x1b\\"),
            ("\u{9b}31m\u{9d}0;t\u{9c}", "\\x9b31m\\x9d0;t\\x9c"),
            ("50%\rdone\n", "50%\\rdone\\n"),
            ("a\u{202e}cba\u{2066}", "a\\u{202e}cba\\u{2066}"),
            ("\0\x7f", "\\x00\\x7f"),
        ];
        for (text, want) in table {
            assert_eq!(sanitize(text), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in any::<String>()) {
            prop_assert!(!sanitize(&text).chars().any(|c| acts(c) || (c.is_control() && c != '\t')));
        }
    }
}
