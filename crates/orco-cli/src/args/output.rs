//! Output formats.

use clap::ValueEnum;

/// `-o` of most commands.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputFormat {
    /// For people
    Text,
    /// One document, or NDJSON where it streams
    Json,
}

/// `-o` of `logs`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// A label and the line, without terminal escapes
    Text,
    /// NDJSON
    Json,
    /// The line alone
    Raw,
}

/// `-o` of `graph`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum GraphFormat {
    /// A tree
    Text,
    /// Graphviz
    Dot,
    /// One document
    Json,
    /// A Mermaid flowchart
    Mermaid,
}
