//! What a story shows: the status table and the events.

use crate::{
    brain::Brain,
    model::{Happening, Moment, Snapshot},
};

/// The status table.
pub(super) fn status(snapshot: &Snapshot) -> Vec<String> {
    let header = ["SERVICE", "STATE", "READY", "REPL", "RESTARTS", "MESSAGE"].map(str::to_owned);
    let mut rows = vec![header];
    for s in &snapshot.services {
        rows.push([
            s.name.to_string(),
            s.state.to_string(),
            s.ready.to_string(),
            format!("{}/{}", s.ready_replicas, s.replicas),
            s.restarts.to_string(),
            s.message.clone(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let text = format!("  {}  {}", cells.collect::<Vec<_>>().join("  "), row[5]);
        text.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// One event with its time.
pub(super) fn event(brain: &Brain, at: Moment, happening: &Happening) -> String {
    let ms = at.as_micros() / 1000;
    let who = match (happening.service, happening.replica) {
        (Some(ix), Some(replica)) => format!("{}/{replica}", brain.name(ix)),
        (Some(ix), None) => brain.name(ix).to_string(),
        (None, _) => "stack".to_owned(),
    };
    let reason = match &happening.reason {
        Some(reason) if !happening.message.contains(&**reason) => format!(" ({reason})"),
        _ => String::new(),
    };
    let text = format!(
        "  {:>4}.{:03}s  {who:<10}  {:<17}  {}{reason}",
        ms / 1000,
        ms % 1000,
        happening.kind.as_str(),
        happening.message
    );
    text.trim_end().to_owned()
}
