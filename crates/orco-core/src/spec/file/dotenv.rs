//! Env files: `NAME=value` lines, read and never executed.

/// A line that is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Malformed {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) why: &'static str,
}

/// The variables of a file in its order, and the lines that are none.
///
/// A value may be bare (up to a ` #`), in `'…'` (literal) or in `"…"` (with `\n`, `\t`, `\r`, `\\`, `\"`, `\$`); quoted
/// ones may span lines. `export` before the name is ignored. Nothing is expanded: no variables, no commands.
pub(crate) fn parse(text: &str) -> (Vec<(String, String)>, Vec<Malformed>) {
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (result, after) = statement(rest);
        match result {
            Ok(Some(pair)) => found.push(pair),
            Ok(None) => {}
            Err(why) => bad.push(Malformed { line, why }),
        }
        line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
    }
    (found, bad)
}

type Statement = Result<Option<(String, String)>, &'static str>;

/// What the text begins with, and what is left behind it.
fn statement(text: &str) -> (Statement, &str) {
    let (line, next) = text.split_once('\n').unwrap_or((text, ""));
    let start = line.trim();
    if start.is_empty() || start.starts_with('#') {
        return (Ok(None), next);
    }
    let named = match start.strip_prefix("export") {
        Some(named) if named.starts_with([' ', '\t']) => named.trim_start(),
        _ => start,
    };
    let Some((name, _)) = named.split_once('=') else { return (Err("there is no `=`"), next) };
    let name = name.trim_end();
    let sound = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '\'' | '"' | '$' | '`' | '#');
    if name.is_empty() || !name.chars().all(sound) {
        return (Err("what stands before `=` is no name"), next);
    }
    let value_at = line.find('=').map_or(line.len(), |at| at + 1);
    let raw = text[value_at..].trim_start_matches([' ', '\t']);
    let (value, after) = match raw.as_bytes().first() {
        Some(b'\'') => match raw[1..].find('\'') {
            Some(end) => (Ok(raw[1..=end].to_owned()), &raw[end + 2..]),
            None => return (Err("a quote is never closed"), ""),
        },
        Some(b'"') => match double_quoted(&raw[1..]) {
            Some((value, after)) => (Ok(value), after),
            None => return (Err("a quote is never closed"), ""),
        },
        _ => (Ok(bare(&line[value_at..])), next),
    };
    let quoted = matches!(raw.as_bytes().first(), Some(b'\'' | b'"'));
    let (tail, next) = if quoted { after.split_once('\n').unwrap_or((after, "")) } else { ("", after) };
    let tail = tail.trim();
    if !tail.is_empty() && !tail.starts_with('#') {
        return (Err("something follows the closing quote"), next);
    }
    let checked = value.and_then(|value: String| if value.contains('\0') { Err("a NUL character") } else { Ok(value) });
    (checked.map(|value| Some((name.to_owned(), value))), next)
}

fn bare(text: &str) -> String {
    let text = text.trim();
    let comment = if text.starts_with('#') { Some(0) } else { text.find(" #").or_else(|| text.find("\t#")) };
    text[..comment.unwrap_or(text.len())].trim_end().to_owned()
}

/// The value up to the closing quote, and what follows it.
fn double_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests;
