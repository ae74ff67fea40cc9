//! Text as the inside of JSON strings, harmless to terminals.

/// Appends the text as the inside of a JSON string, lossily decoded.
pub(super) fn escape_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let plain = plain_prefix(bytes);
    out.extend_from_slice(&bytes[..plain]);
    let bytes = &bytes[plain..];
    match std::str::from_utf8(bytes) {
        Ok(text) => escape(text, out),
        Err(_) => {
            for chunk in bytes.utf8_chunks() {
                escape(chunk.valid(), out);
                if !chunk.invalid().is_empty() {
                    out.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        }
    }
}

/// How many bytes from the beginning are printable ASCII that JSON takes as it is, to eight.
fn plain_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    match words.iter().position(|word| has_odd(u64::from_le_bytes(*word))) {
        Some(at) => at * 8,
        None => {
            let mut last = [b' '; 8];
            last[..rest.len()].copy_from_slice(rest);
            if has_odd(u64::from_le_bytes(last)) { bytes.len() - rest.len() } else { bytes.len() }
        }
    }
}

/// Whether one of eight bytes is a control character, a quote, a backslash or beyond ASCII.
const fn has_odd(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // A byte borrows into its high bit where it is below; what it borrows from its neighbour only comes beside a hit.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word
    }
    let quote = below(word ^ (ONES * b'"' as u64), 1);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    let delete = below(word ^ (ONES * 0x7f), 1);
    (word | below(word, 0x20) | quote | backslash | delete) & HIGH != 0
}

/// What to do with a byte: 0 copy, 1 look closer, else the letter after the backslash.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = b'u';
        i += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x7f] = b'u';
    // The first byte of U+0080 to U+00BF: the C1 controls among them act on terminals.
    table[0xc2] = 1;
    table
};

/// Appends the text as the inside of a JSON string. All control characters are escaped, C1 and DEL
/// too, though JSON does not ask for these: a line shown raw does nothing to a terminal.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let (mut from, mut at) = (0, plain_prefix(bytes));
    while at < bytes.len() {
        let action = ESCAPES[usize::from(bytes[at])];
        if action == 0 {
            at += 1;
            continue;
        }
        let (code, width) = if action == 1 { (bytes[at + 1], 2) } else { (bytes[at], 1) };
        if action == 1 && code >= 0xa0 {
            at += 2;
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        if action == 1 || action == b'u' {
            escape_code(code, out);
        } else {
            out.extend_from_slice(&[b'\\', action]);
        }
        at += width;
        from = at;
        at += plain_prefix(&bytes[at..]);
    }
    out.extend_from_slice(&bytes[from..]);
}

pub(super) fn escape_code(code: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u00");
    out.extend_from_slice(&[HEX[usize::from(code >> 4)], HEX[usize::from(code & 15)]]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn quoted(bytes: &[u8]) -> String {
        let mut out = vec![b'"'];
        escape_bytes(bytes, &mut out);
        out.push(b'"');
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn escapes_as_serde_does(text in "\\PC*|[\\x00-\\x7e\u{a0}-\u{2ff}]*") {
            prop_assert_eq!(quoted(text.as_bytes()), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn any_bytes_come_back_lossily_decoded(bytes in proptest::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0xc2), 20 => Just(b'a')], 0..200)) {
            let json = quoted(&bytes);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), String::from_utf8_lossy(&bytes).into_owned());
            prop_assert!(!json.chars().any(char::is_control));
        }
    }

    #[test]
    fn each_byte_is_odd_or_plain() {
        for byte in 0..=u8::MAX {
            let is_plain = matches!(byte, 0x20..0x7f) && !matches!(byte, b'"' | b'\\');
            for at in 0..11 {
                let mut text = *b"plain text!";
                text[at] = byte;
                let want = if is_plain { text.len() } else { at / 8 * 8 };
                assert_eq!(plain_prefix(&text), want, "{byte:#x} at {at}");
            }
        }
    }
}
