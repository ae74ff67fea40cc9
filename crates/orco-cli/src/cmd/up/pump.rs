//! From the engine's streams to the printer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use orco_api::wire::{Event, LogRecord};
use orco_core::{
    engine::{Engine, EventQuery},
    log::{Query, Record, ndjson},
};
use tokio::{sync::oneshot, task::JoinHandle};

use super::printer::{Piece, Printer};
use crate::{
    args::OutputFormat,
    render::{self, LogLines, PullLines},
    terminal,
};

/// Bars move at most so often.
const FRAME: Duration = Duration::from_millis(100);
/// More bars would leave too little of the terminal to all else.
const BARS: usize = 8;

/// Log lines to stdout until the engine ends; not those of earlier lives, which lie in the same folder.
pub fn logs(engine: &Engine, printer: Printer, format: OutputFormat) -> JoinHandle<()> {
    let mut lines = LogLines::new(terminal::paint(), engine.stack().services().iter().map(|s| s.name.as_str()));
    let mut query = Query::default();
    query.since = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| u64::try_from(d.as_micros()).ok());
    let mut records = Box::pin(engine.logs(query, true));
    tokio::spawn(async move {
        while let Some(batch) = records.next().await {
            printer.print(Piece::Out(render(batch, &mut lines, format))).await;
        }
    })
}

fn render(batch: Vec<Record>, lines: &mut LogLines, format: OutputFormat) -> Vec<u8> {
    match format {
        OutputFormat::Json => {
            let mut text = Vec::new();
            batch.iter().for_each(|record| ndjson::write(record, &mut text));
            text
        }
        OutputFormat::Text => {
            let mut text = String::new();
            batch.into_iter().for_each(|record| lines.write(&LogRecord::from(record), &mut text));
            text.into_bytes()
        }
    }
}

/// State changes to stderr until the engine ends.
pub fn events(engine: &Engine, printer: Printer) -> JoinHandle<()> {
    let mut lines = LogLines::new(terminal::paint_err(), engine.stack().services().iter().map(|s| s.name.as_str()));
    let events = engine.events(EventQuery::following());
    tokio::spawn(async move {
        // Whatever is there at once goes out at once: a thousand services start with few writes.
        let mut batches = Box::pin(events.ready_chunks(256));
        while let Some(batch) = batches.next().await {
            let mut text = String::new();
            batch.iter().for_each(|event| lines.note(&Event::from(&**event), &mut text));
            if !text.is_empty() {
                printer.print(Piece::Err(text.into_bytes())).await;
            }
        }
    })
}

/// Pulls of images to stderr until `over` is dropped: a bar for each on a terminal, lines elsewhere. Nothing wakes up
/// while nothing is pulled.
pub fn pulls(engine: &Engine, printer: Printer, mut over: oneshot::Receiver<()>) -> JoinHandle<()> {
    let mut progress = engine.progress();
    let mut lines = PullLines::new(terminal::paint_err(), terminal::canvas().is_some());
    let mut drawn = false;
    tokio::spawn(async move {
        let mut ends = false;
        while !ends {
            // Both are cancel-safe: the latest state is kept, and the end stays the end.
            let subjects = tokio::select! {
                subjects = progress.changed() => match subjects {
                    Some(subjects) => subjects,
                    None => return,
                },
                _ = &mut over => {
                    ends = true;
                    progress.latest()
                }
            };
            let mut text = String::new();
            lines.news(&subjects, &mut text);
            let board = match terminal::canvas() {
                // The last column stays free: some terminals wrap in it.
                Some((columns, rows)) if !ends => {
                    let most = BARS.min(rows.saturating_sub(1));
                    render::bars(&subjects, columns.saturating_sub(1), most, terminal::paint_err())
                }
                _ => Vec::new(),
            };
            if drawn || !board.is_empty() {
                drawn = !board.is_empty();
                printer.print(Piece::Board(board)).await;
            }
            if !text.is_empty() {
                printer.print(Piece::Err(text.into_bytes())).await;
            }
            if drawn {
                tokio::time::sleep(FRAME).await;
            }
        }
    })
}
