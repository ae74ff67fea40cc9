//! Findings about a stack file, with the lines they are about.

use std::{ops::Range, path::Path};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use orco_core::spec::{Diagnostic, Label, Severity};

use super::Paint;

/// All findings in the order given. `source` gives the text of a file that was read.
pub fn diagnostics<'a>(found: &[Diagnostic], source: &dyn Fn(&Path) -> Option<&'a str>, paint: Paint) -> String {
    let renderer = if paint.0 { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in found {
        let body = diagnostic.labels.first().and_then(|label| source(&label.file));
        text.push_str(&renderer.render(&[group(diagnostic, body)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(found: &'a Diagnostic, body: Option<&'a str>) -> Group<'a> {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&found.message).id(found.code));
    if let Some(first) = found.labels.first() {
        match body.and_then(|body| snippet(&found.labels, first, body)) {
            Some(snippet) => group = group.element(snippet),
            None => {
                let origin = annotate_snippets::Origin::path(first.file.to_string_lossy());
                group = group.element(origin.line(first.line).char_column(first.column));
            }
        }
        for other in found.labels.iter().skip(1).filter(|l| l.file != first.file) {
            let place = format!("{}:{}:{}: {}", other.file.display(), other.line, other.column, other.text);
            group = group.element(Level::NOTE.message(place));
        }
    }
    if !found.path.is_empty() {
        group = group.element(Level::NOTE.with_name("path").message(&found.path));
    }
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(help));
    }
    group
}

/// The lines from the first label to the last one of the same file, and nothing else of it: a file of 4 MiB
/// with thousands of findings is not gone through again for each.
fn snippet<'a>(
    labels: &'a [Label],
    first: &'a Label,
    body: &'a str,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let here: Vec<_> = labels.iter().filter(|l| l.file == first.file).map(|l| (l, clamp(&l.range, body))).collect();
    let from = here.iter().map(|(_, r)| r.start).min()?;
    let to = here.iter().map(|(_, r)| r.end).max()?;
    let from = body[..from].rfind('\n').map_or(0, |at| at + 1);
    let to = body[to..].find('\n').map_or(body.len(), |at| to + at);
    let line = here.iter().map(|(l, _)| l.line).min()?.max(1);
    let mut snippet = Snippet::source(&body[from..to]).line_start(line).path(first.file.to_string_lossy());
    for (index, (label, range)) in here.into_iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(range.start - from..range.end - from);
        if !label.text.is_empty() {
            annotation = annotation.label(&label.text);
        }
        snippet = snippet.annotation(annotation);
    }
    Some(snippet)
}

/// The range inside the text and on character boundaries, wherever it came from: the renderer panics otherwise.
fn clamp(range: &Range<usize>, body: &str) -> Range<usize> {
    let edge = |mut at: usize| {
        at = at.min(body.len());
        while !body.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = edge(range.start);
    start..edge(range.end).max(start)
}

/// `stack.yaml: 2 errors, 1 warning`.
pub fn summary(found: &[Diagnostic]) -> String {
    let count = |severity| found.iter().filter(|d| d.severity == severity).count();
    let part = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts: Vec<_> = [
        part(count(Severity::Error), "error"),
        part(count(Severity::Warning), "warning"),
        part(count(Severity::Note), "note"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 0.1\nservices:\n  api:\n    dependson: [db]\n    replicas: 0\n";

    fn at(text: &str, says: &str) -> Label {
        let start = FILE.find(text).unwrap_or(0);
        let line = FILE[..start].matches('\n').count() + 1;
        let column = start - FILE[..start].rfind('\n').map_or(0, |n| n + 1) + 1;
        Label::new("stack.yaml", start..start + text.len(), line, column, says)
    }

    fn found() -> Vec<Diagnostic> {
        vec![
            Diagnostic::error("unknown-key", "unknown key `dependson`")
                .at("services.api.dependson")
                .label(at("dependson", "not a key of a service"))
                .help("did you mean `dependsOn`?"),
            Diagnostic::warning("odd", "replicas is 0").label(at("0\n", "")).label(at("api", "of this service")),
            Diagnostic::note("no-effect", "`secret` has no effect yet"),
        ]
    }

    #[test]
    fn with_source() {
        let text = diagnostics(&found(), &|_| Some(FILE), Paint(false));
        insta::assert_snapshot!(text);
        assert_eq!(summary(&found()), "1 error, 1 warning, 1 note");
    }

    #[test]
    fn without_source_or_with_another() {
        let gone = diagnostics(&found(), &|_| None, Paint(false));
        assert!(gone.contains("stack.yaml:4:5"), "{gone}");
        // Ranges that lead out of the text, or into the middle of a character.
        diagnostics(&found(), &|_| Some("é"), Paint(false));
        diagnostics(&found(), &|_| Some(""), Paint(true));
    }
}
