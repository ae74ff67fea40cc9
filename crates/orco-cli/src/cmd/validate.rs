//! `validate`, also `config lint`.

use orco_core::spec::{Diagnostic, Severity};
use serde::Serialize;

use super::{Failure, pretty, stack, target};
use crate::{
    args::{OutputFormat, StackArgs, Validate},
    exit::Exit,
    terminal,
};

/// A finding as `-o json` prints it.
#[derive(Serialize)]
struct Finding<'a> {
    severity: &'a str,
    code: &'a str,
    message: &'a str,
    path: &'a str,
    help: Option<&'a str>,
    labels: Vec<Place<'a>>,
}

/// A place in a file.
#[derive(Serialize)]
struct Place<'a> {
    file: std::borrow::Cow<'a, str>,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
    text: &'a str,
}

impl<'a> Finding<'a> {
    fn new(found: &'a Diagnostic) -> Self {
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let place = |l: &'a orco_core::spec::Label| Place {
            file: l.file.to_string_lossy(),
            line: l.line,
            column: l.column,
            start: l.range.start,
            end: l.range.end,
            text: &l.text,
        };
        Self {
            severity,
            code: found.code,
            message: &found.message,
            path: &found.path,
            help: found.help.as_deref(),
            labels: found.labels.iter().map(place).collect(),
        }
    }
}

pub fn validate(args: Validate, outer: &StackArgs) -> Result<Exit, Failure> {
    let which = StackArgs { file: args.file, stack: None }.or(outer);
    let file = target::file(&which)?;
    let checked = stack::check(&file);
    match args.output.output {
        OutputFormat::Json => terminal::print(pretty(&checked.found.iter().map(Finding::new).collect::<Vec<_>>()))?,
        OutputFormat::Text => terminal::print(checked.text(terminal::paint()) + &checked.summary(&file))?,
    }
    Ok(if checked.stack.is_some() { Exit::DONE } else { Exit::USAGE })
}
