//! The chain of causes, indented.

use std::fmt::Write;

use orco_api::wire::Why;

use super::{Ink, Paint, printable};

/// The service, what keeps it from being ready, its last probe, exit and lines; then the same for what it waits for.
pub fn why(why: &Why, paint: Paint) -> String {
    let mut text = String::new();
    one(why, paint, 0, &mut text);
    text
}

fn one(why: &Why, paint: Paint, depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    let state = paint.ink(why.state.into(), why.state.as_str());
    let ready = if why.ready { ", ready" } else { "" };
    let _ = write!(text, "{pad}{}: {state}{ready}", paint.ink(Ink::Strong, &why.service));
    if !why.message.is_empty() {
        let _ = write!(text, ": {}", printable(&why.message));
    }
    text.push('\n');
    if !why.ready {
        if let Some(exit) = why.exit {
            let at = exit.at.map(|at| format!(" at {at}")).unwrap_or_default();
            let _ = writeln!(text, "{pad}  last exit: {}{at}", exit.to_core());
        }
        if let Some(probe) = &why.last_probe {
            let _ = writeln!(text, "{pad}  last probe: {}", printable(probe));
        }
        for record in &why.log_tail {
            let _ = writeln!(text, "{pad}  {} {}", paint.ink(Ink::Faint, "|"), printable(&record.msg));
        }
    }
    for cause in &why.because {
        let _ = writeln!(text, "{pad}  because");
        one(cause, paint, depth + 2, text);
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
