//! The status table.

use std::{cmp::Reverse, fmt::Write};

use orco_api::wire::{Service, Status, Timestamp};

use super::{Ink, Paint, age, printable};

/// How wide the table may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Cut to this many columns: a terminal.
    Columns(usize),
    /// As wide as it is: a file or a pipe.
    Whole,
}

/// So many addresses are shown of a service.
const ADDRESSES: usize = 4;

const HEAD: [&str; 7] = ["SERVICE", "STATE", "READY", "REPL", "RESTARTS", "AGE", "MESSAGE"];

/// `SERVICE STATE READY REPL RESTARTS AGE MESSAGE`, one line per service, in the order of the stack file.
/// READY says whether dependents may go on; REPL is replicas ready of replicas wanted.
pub fn status_table(status: &Status, now: Timestamp, paint: Paint, fit: Fit) -> String {
    let rows: Vec<(Ink, [String; 7])> =
        status.services.values().map(|s| (s.state.into(), status_cells(s, now))).collect();
    let mut widths = HEAD.map(str::len);
    for (_, row) in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Fit::Columns(columns) = fit {
        // Long names give way so that a useful part of the message is seen.
        let rest: usize = widths[1..6].iter().map(|w| w + 2).sum();
        widths[0] = widths[0].min(columns.saturating_sub(rest + 2 + HEAD[6].len()).max(HEAD[0].len()));
        let left = columns.saturating_sub(widths[..6].iter().map(|w| w + 2).sum());
        widths[6] = left.max(1);
    } else {
        widths[6] = usize::MAX;
    }
    let mut text = String::new();
    line(&mut text, &HEAD.map(str::to_owned), &widths, |_| Ink::Strong, paint);
    for (state, row) in rows {
        line(&mut text, &row, &widths, |column| if column == 1 { state } else { Ink::Plain }, paint);
    }
    text
}

/// What stands in the columns for a service: harmless text.
pub fn status_cells(service: &Service, now: Timestamp) -> [String; 7] {
    // The youngest live instance: after a restart, the age shows it.
    let live = service.instances.iter().filter_map(|i| i.started_at).min_by_key(|t| Reverse(*t));
    let since = live.unwrap_or(service.last_event);
    [
        service.name.clone(),
        service.state.as_str().to_owned(),
        service.ready.to_string(),
        format!("{}/{}", service.ready_replicas, service.replicas),
        service.restarts.to_string(),
        age(since.until(now)),
        if service.message.is_empty() { reached(service) } else { printable(&service.message).into_owned() },
    ]
}

/// Where it is reached, if there is nothing else to say: one address per replica, or each port of the only one.
fn reached(service: &Service) -> String {
    let all: Vec<String> = match service.instances.as_slice() {
        [one] if one.endpoints.len() > 1 => one.endpoints.iter().map(|(port, at)| format!("{at} for {port}")).collect(),
        many => many.iter().filter_map(|instance| instance.endpoint.clone()).collect(),
    };
    let (shown, rest) = all.split_at(all.len().min(ADDRESSES));
    match (shown, rest.len()) {
        ([], _) => String::new(),
        (_, 0) => format!("at {}", shown.join(", ")),
        (_, more) => format!("at {} and {more} more", shown.join(", ")),
    }
}

fn line(text: &mut String, cells: &[String; 7], widths: &[usize; 7], ink: impl Fn(usize) -> Ink, paint: Paint) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = cut(cell, *width);
        let pad = if column == 6 { 0 } else { width + 2 - cell.chars().count() };
        if column == 6 && cell.is_empty() {
            break;
        }
        let _ = write!(text, "{}{:pad$}", paint.ink(ink(column), &cell), "");
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

/// At most `width` characters, the last one an ellipsis where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn table() {
        let (status, now) = samples::status();
        insta::assert_snapshot!(status_table(&status, now, Paint(false), Fit::Whole));
    }

    #[test]
    fn table_fits_the_terminal() {
        let (mut status, now) = samples::status();
        let narrow = status_table(&status, now, Paint(false), Fit::Columns(80));
        insta::assert_snapshot!(narrow);
        assert!(narrow.lines().all(|l| l.chars().count() <= 80), "{narrow}");

        status.services[0].name = "x".repeat(63);
        let narrow = status_table(&status, now, Paint(false), Fit::Columns(80));
        assert!(narrow.lines().all(|l| l.chars().count() <= 80), "{narrow}");
    }

    #[test]
    fn addresses_stand_where_there_is_nothing_else_to_say() {
        let (mut status, _) = samples::status();
        let api = &mut status.services["api"];
        assert_eq!(reached(api), "at 127.0.0.1:20001");
        api.instances[0].endpoints =
            [("80", "0.0.0.0:8080"), ("443", "0.0.0.0:8443")].map(|(port, at)| (port.to_owned(), at.to_owned())).into();
        assert_eq!(reached(api), "at 0.0.0.0:8080 for 80, 0.0.0.0:8443 for 443");
        let one = api.instances[0].clone();
        api.instances.extend(vec![one; 5]);
        let four = ["127.0.0.1:20001"; 4].join(", ");
        assert_eq!(reached(api), format!("at {four} and 2 more"));
        assert_eq!(reached(&status.services["db"]), "");
    }

    #[test]
    fn colour_only_adds_escapes() {
        let (status, now) = samples::status();
        let coloured = status_table(&status, now, Paint(true), Fit::Whole);
        assert!(coloured.contains("\x1b["));
        let plain = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(plain, status_table(&status, now, Paint(false), Fit::Whole));
    }
}
