//! The chain of causes, indented.

use std::fmt::Write;

use orco_api::wire::Why;

use super::{Ink, Paint, printable};

/// A piece of a line.
pub type Piece = (Ink, String);

/// The service, what keeps it from being ready, its last probe, exit and lines; then the same for what it waits for.
pub fn why(why: &Why, paint: Paint) -> String {
    let mut text = String::new();
    for line in why_lines(why) {
        line.iter().for_each(|(ink, piece)| text.push_str(&paint.ink(*ink, piece)));
        text.push('\n');
    }
    text
}

/// The same as lines of pieces.
pub fn why_lines(why: &Why) -> Vec<Vec<Piece>> {
    let mut lines = Vec::new();
    one(why, 0, &mut lines);
    lines
}

fn one(why: &Why, depth: usize, lines: &mut Vec<Vec<Piece>>) {
    let pad = "  ".repeat(depth);
    let mut rest = if why.ready { ", ready".to_owned() } else { String::new() };
    if !why.message.is_empty() {
        let _ = write!(rest, ": {}", printable(&why.message));
    }
    lines.push(vec![
        (Ink::Plain, pad.clone()),
        (Ink::Strong, printable(&why.service).into_owned()),
        (Ink::Plain, ": ".to_owned()),
        (why.state.into(), why.state.as_str().to_owned()),
        (Ink::Plain, rest),
    ]);
    if !why.ready {
        if let Some(exit) = why.exit {
            let at = exit.at.map(|at| format!(" at {at}")).unwrap_or_default();
            lines.push(vec![(Ink::Plain, format!("{pad}  last exit: {}{at}", exit.to_core()))]);
        }
        if let Some(probe) = &why.last_probe {
            lines.push(vec![(Ink::Plain, format!("{pad}  last probe: {}", printable(probe)))]);
        }
        for record in &why.log_tail {
            let msg = printable(&record.msg).into_owned();
            lines.push(vec![(Ink::Plain, format!("{pad}  ")), (Ink::Faint, "| ".to_owned()), (Ink::Plain, msg)]);
        }
    }
    for cause in &why.because {
        lines.push(vec![(Ink::Plain, format!("{pad}  because"))]);
        one(cause, depth + 2, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn chain() {
        insta::assert_snapshot!(why(&samples::why(), Paint(false)));
    }
}
