//! The texts behind a stack, so that a diagnostic can show the line it speaks of.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{Label, yaml::Span};

#[derive(Clone, Debug)]
struct File {
    path: PathBuf,
    text: Arc<str>,
    /// The offset of each line's first byte.
    lines: OnceLock<Vec<usize>>,
}

/// Every file that was read for a stack, by the name under which its diagnostics know it.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

impl SourceMap {
    /// The text of a file that was read.
    pub fn get(&self, path: &Path) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| &*file.text)
    }

    /// All files in the order in which they were read.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|file| (&*file.path, &*file.text))
    }

    pub(crate) fn add(&mut self, path: PathBuf, text: impl Into<Arc<str>>) -> u32 {
        self.files.push(File { path, text: text.into(), lines: OnceLock::new() });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn text(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", |file| &file.text)
    }

    pub(crate) fn label(&self, span: Span, text: impl Into<String>) -> Label {
        let Some(file) = self.files.get(span.file as usize) else {
            return Label::new(PathBuf::new(), 0..0, 1, 1, text);
        };
        let range = clip(&file.text, span.start as usize..span.end as usize);
        let (line, column) = file.position(range.start);
        Label::new(file.path.clone(), range, line, column, text)
    }

    /// The place of a line, counted from 1.
    pub(crate) fn line(&self, file: u32, line: usize) -> Span {
        let empty = Span { file, ..Span::default() };
        let Some(source) = self.files.get(file as usize) else { return empty };
        let start = source.line_starts().get(line.saturating_sub(1)).copied().unwrap_or(source.text.len());
        let end = source.text[start..].find('\n').map_or(source.text.len(), |at| start + at);
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file, start: offset(start), end: offset(end) }
    }
}

impl File {
    fn line_starts(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
        })
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= offset);
        let start = starts.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }
}

/// The part of the range that is on its first line: a whole service is not worth underlining.
fn clip(text: &str, range: Range<usize>) -> Range<usize> {
    let end = range.end.clamp(range.start.min(text.len()), text.len());
    let start = range.start.min(end);
    let part = text.get(start..end).unwrap_or("");
    let line = part.lines().next().unwrap_or("").trim_end();
    start..start + line.len()
}
