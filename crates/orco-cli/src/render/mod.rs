//! Text from data. Pure: no clock, no environment, no terminal; all of that comes in as arguments.

mod age;
mod diagnostics;
mod event;
mod failure;
mod graph;
mod log_line;
mod paint;
mod plan;
mod pulls;
#[cfg(test)]
mod samples;
mod stacks;
mod status;
mod unit;
mod why;

pub use age::age;
pub use diagnostics::{diagnostics, summary};
pub use event::event;
#[cfg(feature = "tui")]
pub use event::{event_clock, event_ink, event_subject, event_words};
pub use failure::{chain, failure};
#[cfg(feature = "tui")]
pub use graph::{GraphRow, graph_rows};
pub use graph::{dot, mermaid, text as graph_text};
pub use log_line::{LogLines, LogStyle};
pub use orco_core::log::sanitize as printable;
pub use paint::{Ink, Paint};
pub use plan::plan;
pub use pulls::{PullLines, bars};
pub use stacks::stacks;
#[cfg(feature = "tui")]
pub use status::status_cells;
pub use status::{Fit, status_table};
pub use unit::{Unit, unit};
pub use why::why;
#[cfg(feature = "tui")]
pub use why::why_lines;
