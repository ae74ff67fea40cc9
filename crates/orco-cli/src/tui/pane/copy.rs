//! Copying to the clipboard.

use super::{
    body::{Body, Form, grouped},
    contract::{PaneEffect, Selection},
    lines::label,
    ring::Id,
    stamp::Times,
    state::Pane,
};

/// Terminals refuse sequences above 100,000 bytes; this is what remains of that for text.
const MOST: usize = 74_994;

impl Pane {
    /// The chosen lines, or those that are seen: whole, as they are shown.
    pub(super) fn copy(&mut self) -> Vec<PaneEffect> {
        let Some((from, to)) = self.chosen().or_else(|| self.seen()) else {
            return vec![PaneEffect::Notice("there is no line to copy".to_owned())];
        };
        let (mut text, mut lines, mut cut) = (String::new(), 0_u64, false);
        for id in self.shown.range(from, to) {
            let before = text.len();
            self.write_line(id, &mut text);
            if text.len() > MOST {
                text.truncate(if before > 0 { before } else { text.floor_char_boundary(MOST) });
                cut = true;
                break;
            }
            lines += 1;
        }
        if let Some(hold) = &mut self.hold {
            hold.mark = None;
        }
        let what = if lines == 1 { "1 line".to_owned() } else { format!("{} lines", grouped(lines)) };
        let told = if cut {
            format!(
                "only {what} given to the terminal: it takes no more than {} bytes; > saves all",
                grouped(MOST as u64)
            )
        } else {
            // Whether it took them, it does not say: within tmux that is a setting.
            format!("{what} given to the terminal's clipboard")
        };
        vec![PaneEffect::Copy(text), PaneEffect::Notice(told)]
    }

    /// The first and the last record that are seen.
    fn seen(&self) -> Option<(Id, Id)> {
        let top = self.top()?;
        let window = self.sheet(|sheet| sheet.window(top));
        Some((window.first()?.id, window.last()?.id))
    }

    /// One record as text with what stands in front of it.
    fn write_line(&self, id: Id, out: &mut String) {
        let Some(held) = self.ring.get(id) else { return };
        if self.times != Times::Off {
            out.push_str(&Times::Absolute.text(held.ts, self.now));
            out.push(' ');
        }
        if self.columns().label > 0 || self.selection == Selection::All {
            out.push_str(&crate::tui::text::clean(&label(held, &self.selection, &self.ring)));
            out.push_str(" | ");
        }
        let form = if self.raw { Form::Raw } else { self.form(id) };
        out.push_str(&Body::of(held, form).text);
        out.push('\n');
    }
}
