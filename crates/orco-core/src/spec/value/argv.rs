//! Command lines, split as a shell would split them, without a shell.

use super::Flaw;
use crate::spec::code;

/// The words of a command line: blanks separate, `'…'` is literal, in `"…"` a backslash escapes `"`, `\`, `$`, `` ` ``
/// and the end of a line, elsewhere it escapes anything. No variables, no patterns, no operators.
pub(crate) fn split(text: &str) -> Result<Vec<String>, Flaw> {
    let open = |quote: char| {
        Flaw::new(code::BAD_COMMAND, format!("`{quote}` is never closed"))
            .help("quotes work as in a shell; a list of arguments needs none")
    };
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(open('\'')),
                    }
                }
            }
            '"' => double_quoted(&mut chars, word.get_or_insert_default()).ok_or_else(|| open('"'))?,
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err(Flaw::new(code::BAD_COMMAND, "the command ends with a single `\\`")),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The rest of a `"…"`; `None` if it does not end.
fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '\\' => match chars.next()? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

/// Words that would mean something to a shell and mean nothing without one.
pub(crate) fn shell_words(text: &str) -> Option<&str> {
    let quoted = text.contains(['\'', '"', '\\']);
    text.split_ascii_whitespace()
        .find(|word| !quoted && matches!(*word, "&&" | "||" | "|" | ";" | "&" | ">" | ">>" | "<" | "2>&1" | "2>"))
}
