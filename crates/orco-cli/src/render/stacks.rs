//! The table of running stacks.

use std::fmt::Write;

use super::{Ink, Paint, printable};

const HEAD: [&str; 6] = ["STACK", "STATE", "PID", "MODE", "AGE", "FOLDER"];

/// `STACK STATE PID MODE AGE FOLDER`, one line per stack.
pub fn stacks(rows: &[[String; 6]], paint: Paint) -> String {
    let mut widths = HEAD.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: &[String; 6], ink: Ink| {
        let last = cells.len() - 1;
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let pad = if column == last { 0 } else { width + 2 - cell.chars().count() };
            let _ = write!(text, "{}{:pad$}", paint.ink(ink, printable(cell)), "");
        }
        text.push('\n');
    };
    line(&HEAD.map(str::to_owned), Ink::Strong);
    rows.iter().for_each(|row| line(row, Ink::Plain));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let row = |cells: [&str; 6]| cells.map(str::to_owned);
        let rows = [
            row(["shop", "ready", "4711", "foreground", "3m", "/srv/shop"]),
            row(["a-longer-name", "unreachable", "-", "daemon", "12d", "/srv/other"]),
        ];
        insta::assert_snapshot!(stacks(&rows, Paint(false)));
    }
}
