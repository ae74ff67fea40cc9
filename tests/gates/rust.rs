//! Rust files as the gates see them: tokens without comments, literals and test code.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One token: an identifier or a single punctuation character, with its line (from 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A file of one package.
pub struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The code outside of `#[cfg(test)]`.
    pub code: Vec<Token>,
    /// The file's lines outside of `#[cfg(test)]`.
    pub lines: usize,
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// All Rust files under `folder` (relative to the workspace), in order.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root().join(folder), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            parse(path, &fs::read_to_string(&file).unwrap())
        })
        .collect()
}

/// A file from its text.
pub fn parse(path: impl Into<String>, text: &str) -> Source {
    let (code, test_lines) = without_tests(tokens(text));
    Source { path: path.into(), code, lines: text.lines().count() - test_lines }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Whether a file holds nothing but tests.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

/// Identifiers and punctuation; comments, string and character literals and lifetimes are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut i, mut line, mut out) = (0, 1, Vec::new());
    while i < chars.len() {
        let c = chars[i];
        let end = match c {
            '/' if chars.get(i + 1) == Some(&'/') => past(&chars, i, |c| c != '\n'),
            '/' if chars.get(i + 1) == Some(&'*') => block_comment(&chars, i),
            '"' => string(&chars, i),
            '\'' => character(&chars, i),
            _ if raw_string(&chars, i).is_some() => raw_string(&chars, i).unwrap_or(i + 1),
            _ if c.is_alphabetic() || c == '_' => past(&chars, i, |c| c.is_alphanumeric() || c == '_'),
            _ if c.is_ascii_digit() => past(&chars, i, |c| c.is_alphanumeric() || c == '_'),
            _ => i + 1,
        };
        let word = c.is_alphabetic() || c == '_';
        let literal = chars[i..end].contains(&'"');
        if (word && !literal) || (end == i + 1 && !c.is_whitespace() && c != '"') {
            out.push(Token { text: chars[i..end].iter().collect(), line });
        }
        line += chars[i..end].iter().filter(|c| **c == '\n').count();
        i = end;
    }
    out
}

fn past(chars: &[char], from: usize, holds: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|c| !holds(*c)).map_or(chars.len(), |n| from + n)
}

fn block_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0, from);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string(chars: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// `'x'` and `'\n'` end at their quote, a lifetime at its name's end.
fn character(chars: &[char], from: usize) -> usize {
    if chars.get(from + 1) == Some(&'\\') {
        return past(chars, from + 3, |c| c != '\'') + 1;
    }
    if chars.get(from + 2) == Some(&'\'') {
        return from + 3;
    }
    past(chars, from + 1, |c| c.is_alphanumeric() || c == '_').max(from + 1)
}

/// The end of a raw or byte string that begins here.
fn raw_string(chars: &[char], from: usize) -> Option<usize> {
    let before = from.checked_sub(1).map(|i| chars[i]);
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let mut i = from;
    if matches!(chars.get(i), Some('b' | 'c')) {
        i += 1;
    }
    if chars.get(i) == Some(&'"') && i > from {
        return Some(string(chars, i));
    }
    if chars.get(i) != Some(&'r') {
        return None;
    }
    let hashes = past(chars, i + 1, |c| c == '#') - (i + 1);
    let open = i + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    (open + 1..chars.len())
        .find(|&at| chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes)
        .map(|at| at + 1 + hashes)
}

/// Without the items under `#[cfg(test)]`, and how many lines those took.
fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, usize) {
    let (mut kept, mut lines, mut i) = (Vec::new(), 0, 0);
    while i < tokens.len() {
        if is_test_attribute(&tokens[i..]) {
            let end = item_end(&tokens, i);
            lines += tokens[end - 1].line - tokens[i].line + 1;
            i = end;
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    (kept, lines)
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    if text(0) != "#" || text(1) != "[" || text(2) != "cfg" {
        return false;
    }
    let inside: Vec<&str> = tokens[3..].iter().map(|t| t.text.as_str()).take_while(|t| *t != "]").collect();
    inside.contains(&"test") && !inside.contains(&"not") && !inside.contains(&"any")
}

/// Past the attributes and the item after them: its closing brace or its semicolon.
fn item_end(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The paths that begin with `start` (`crate`, a crate's name, ...), groups opened: `a::{b, c::d}` gives `b` and
/// `c::d`. With the line.
pub fn paths(code: &[Token], start: &str) -> Vec<(usize, Vec<String>)> {
    let mut out = Vec::new();
    for i in 0..code.len() {
        let begins = code[i].text == start && (i == 0 || !matches!(code[i - 1].text.as_str(), ":" | "."));
        if begins && is_path_separator(code, i + 1) {
            let mut found = Vec::new();
            tree(code, i + 3, &mut Vec::new(), &mut found);
            out.extend(found.into_iter().map(|path| (code[i].line, path)));
        }
    }
    out
}

fn is_path_separator(code: &[Token], at: usize) -> bool {
    matches!((code.get(at), code.get(at + 1)), (Some(a), Some(b)) if a.text == ":" && b.text == ":")
}

fn tree(code: &[Token], mut at: usize, prefix: &mut Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    match code.get(at).map(|t| t.text.as_str()) {
        Some("{") => {
            at += 1;
            while code.get(at).is_some_and(|t| t.text != "}") {
                at = tree(code, at, prefix, out);
                while code.get(at).is_some_and(|t| t.text != "," && t.text != "}") {
                    at += 1;
                }
                if code.get(at).is_some_and(|t| t.text == ",") {
                    at += 1;
                }
            }
            at + 1
        }
        Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') || name == "*" => {
            prefix.push(name.to_owned());
            let end = if is_path_separator(code, at + 1) {
                tree(code, at + 3, prefix, out)
            } else {
                out.push(prefix.clone());
                at + 1
            };
            prefix.pop();
            end
        }
        _ => {
            out.push(prefix.clone());
            at
        }
    }
}

#[test]
fn comments_literals_and_tests_are_left_out() {
    let source = parse(
        "x.rs",
        "// fs\n/* env /* x */ */\nuse a::b; const S: &str = \"net \\\" io\"; const R: &str = r#\"raw \" x\"#;\n\
         fn f<'a>(c: &'a char) -> bool { *c == 'q' || *c == '\\'' }\n#[cfg(test)]\nmod tests {\n use z::y;\n}\nfn g() {}\n",
    );
    let words: Vec<&str> =
        source.code.iter().map(|t| t.text.as_str()).filter(|t| t.starts_with(char::is_alphabetic)).collect();
    assert_eq!(words.join(" "), "use a b const S str const R str fn f c char bool c c fn g", "{:?}", source.code);
    assert_eq!(source.lines, 5);
    assert_eq!(source.code.last().unwrap().line, 9);
}

#[test]
fn groups_are_opened() {
    let code = tokens("use crate::{a::{self, B as C}, d::*}; fn f() -> crate::e::G<u8> { other::crate_::x() }");
    let paths: Vec<String> = paths(&code, "crate").into_iter().map(|(_, p)| p.join("::")).collect();
    assert_eq!(paths, ["a::self", "a::B", "d::*", "e::G"]);
}
