//! Env files, each read once.

use std::{
    collections::HashMap,
    io,
    path::{Path as FilePath, PathBuf},
};

use super::{
    Sources,
    run::{SHARED, reason},
};
use crate::spec::{
    Diagnostic, SourceMap, code,
    file::{EnvFiles, parse_env_file},
    yaml::{Path, Span},
};

type Variables = Vec<(String, String)>;

/// Reads env files and remembers them.
pub(super) struct EnvReader<'a> {
    sources: &'a dyn Sources,
    map: &'a mut SourceMap,
    /// The stack file's folder, as it is and as the user named it.
    folder: (&'a FilePath, &'a FilePath),
    cache: HashMap<PathBuf, Variables>,
    /// What all services together may still get.
    left: usize,
    pub(super) out: Vec<Diagnostic>,
}

impl<'a> EnvReader<'a> {
    pub(super) fn new(sources: &'a dyn Sources, map: &'a mut SourceMap, folder: (&'a FilePath, &'a FilePath)) -> Self {
        Self { sources, map, folder, cache: HashMap::new(), left: SHARED, out: Vec::new() }
    }

    /// The file's name in messages: as the user would write it, where that is possible.
    fn shown(&self, file: &FilePath) -> PathBuf {
        match file.strip_prefix(self.folder.0) {
            Ok(rest) => self.folder.1.join(rest),
            Err(_) => file.to_owned(),
        }
    }

    /// The variables of a file; every line that is none is reported.
    pub(super) fn read(&mut self, file: &FilePath) -> io::Result<Variables> {
        let bytes = self.sources.read(file)?;
        if bytes.len() as u64 > super::disk::LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 MiB"));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
        let (variables, malformed) = parse_env_file(&text);
        if !malformed.is_empty() {
            let shown = self.shown(file);
            let index = self.map.add(shown, blanked(&text));
            for line in malformed {
                let label = self.map.label(self.map.line(index, line.line), "");
                let message = format!("not a variable: {}", line.why);
                self.out.push(
                    Diagnostic::error(code::ENV_FILE_MALFORMED, message)
                        .label(label)
                        .help("write `NAME=value`, `NAME='value'` or `NAME=\"value\"`"),
                );
            }
        }
        Ok(variables)
    }
}

/// The text as diagnostics may show it, byte for byte as long: names, quotes and spaces, and stars for all else. What is
/// malformed in a file of secrets may be a secret.
fn blanked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (name, rest) = line.split_at(name_len(line));
        shown.push_str(name);
        for c in rest.chars() {
            match c {
                '=' | '"' | '\'' | '#' => shown.push(c),
                c if c.is_whitespace() => shown.push(c),
                c => (0..c.len_utf8()).for_each(|_| shown.push('*')),
            }
        }
    }
    shown
}

/// How far a line is the name of a variable. The last line of something in base64 looks like one without a value.
fn name_len(line: &str) -> usize {
    let Some((name, value)) = line.split_once('=') else { return 0 };
    let bare = name.trim().strip_prefix("export").map_or(name, str::trim_start).trim();
    let is_name = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && !value.trim_matches(['=', '\n', '\r', ' ']).is_empty() { name.len() } else { 0 }
}

impl EnvFiles for EnvReader<'_> {
    fn variables(&mut self, file: &FilePath, at: Span, path: &Path) -> Variables {
        if !self.cache.contains_key(file) {
            match self.read(file) {
                Ok(variables) => drop(self.cache.insert(file.to_owned(), variables)),
                Err(error) => {
                    let shown = self.shown(file);
                    let message = format!("cannot read the env file `{}`: {}", shown.display(), reason(&error));
                    let diagnostic = Diagnostic::error(code::ENV_FILE_MISSING, message)
                        .at(path.to_string())
                        .label(self.map.label(at, ""))
                        .help("paths are relative to `stack.workdir`");
                    self.out.push(diagnostic);
                    return Vec::new();
                }
            }
        }
        let variables = self.cache.get(file).map(Vec::as_slice).unwrap_or_default();
        let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len() + size_of::<String>()).sum();
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                variables.to_vec()
            }
            None => {
                let message = "env files are too large for so many services".to_owned();
                let diagnostic = Diagnostic::error(code::TOO_LARGE, message).at(path.to_string());
                self.out.push(diagnostic.label(self.map.label(at, "")));
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_show_names_and_no_values() {
        let text = "A=hunter2\nexport B = \"hun ter\"\nhunter2 = x y\nhunter2é\nMIIEvQ==\n";
        let shown = blanked(text);
        assert_eq!(shown, "A=*******\nexport B = \"*** ***\"\nhunter2 = * *\n*********\n******==\n");
        assert_eq!(shown.len(), text.len());
    }
}
