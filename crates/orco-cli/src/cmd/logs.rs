//! `logs`: through the running stack, or straight from the files of one that is down.

use std::time::Duration;

use orco_api::{
    client::{Bodies, Client, ClientError, Lines, LogPosition, Resuming},
    place::Place,
    wire::{LogRecord, LogsQuery},
};
use orco_core::log::{Record, Store, ndjson};

use super::{Failure, target};
use crate::{
    args::{LogFormat, Logs as Args, StackArgs},
    exit::Exit,
    render::{LogLines, printable},
    terminal,
};

/// Records read from files at once.
const BATCH: usize = 1024;

/// A duration as the wire wants it.
pub fn duration(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

pub async fn logs(args: Args, outer: &StackArgs) -> Result<Exit, Failure> {
    let place = target::place(&StackArgs::from(args.stack.clone()).or(outer), true)?;
    let (query, follow, format) = (query(&args), args.follow, args.output);
    let client = Client::new(&place)?;
    let running = match (follow, format) {
        (true, _) => match client.follow_logs(query.clone()).await {
            Ok(lines) => Ok(go_on(lines, format).await?),
            Err(error) => Err(error),
        },
        (false, LogFormat::Json) => match client.logs_ndjson(&query).await {
            Ok(bodies) => Ok(pass_on(bodies).await?),
            Err(error) => Err(error),
        },
        (false, LogFormat::Text | LogFormat::Raw) => match client.logs(&query).await {
            Ok(lines) => Ok(show(lines, format).await?),
            Err(error) => Err(error),
        },
    };
    match running {
        Ok(()) => Ok(Exit::DONE),
        Err(error @ ClientError::NotRunning { .. }) => {
            if !place.logs().is_dir() {
                return Err(error.into());
            }
            from_files(&place, &query, format)?;
            if follow {
                terminal::note("the stack does not run, so there is nothing to follow\n");
            }
            Ok(Exit::DONE)
        }
        Err(error) => Err(error.into()),
    }
}

fn query(args: &Args) -> LogsQuery {
    LogsQuery {
        services: args.services.join(","),
        follow: args.follow,
        since: args.since.map(duration),
        until: args.until.map(duration),
        tail: args.tail,
        level: args.level,
        grep: args.grep.clone(),
        invert: args.invert,
        replica: args.replica,
        run: args.run,
        source: args.source,
    }
}

/// NDJSON is what comes over the wire.
async fn pass_on(mut bodies: Bodies) -> Result<(), Failure> {
    while let Some(bytes) = bodies.next().await {
        terminal::print(bytes?)?;
    }
    Ok(())
}

async fn show(mut records: Lines<LogRecord>, format: LogFormat) -> Result<(), Failure> {
    let mut writer = Writer::new(format);
    while let Some(record) = records.next().await {
        writer.add(&record?);
        if !records.has_ready() {
            writer.flush()?;
        }
    }
    writer.flush()
}

/// Each record once, whatever becomes of the engine meanwhile.
async fn go_on(mut records: Resuming<LogPosition>, format: LogFormat) -> Result<(), Failure> {
    let mut writer = Writer::new(format);
    while let Some(next) = records.next_line().await {
        let (line, record) = match next {
            Ok(next) => next,
            Err(error) => {
                writer.flush()?;
                return Err(error.into());
            }
        };
        match format {
            LogFormat::Json => writer.json.extend_from_slice(&line),
            LogFormat::Text | LogFormat::Raw => writer.add(&record),
        }
        if !records.has_ready() {
            writer.flush()?;
        }
    }
    writer.flush()
}

fn from_files(place: &Place, query: &LogsQuery, format: LogFormat) -> Result<(), Failure> {
    let query = query.to_core().map_err(|why| Failure::new(Exit::USAGE, why))?;
    let cannot = |e| Failure::internal("cannot read the logs", e);
    let mut writer = Writer::new(format);
    for batch in query.read(&Store::new(place.logs())).map_err(cannot)?.batches(BATCH) {
        for record in batch.map_err(cannot)? {
            writer.add_core(record);
        }
        writer.flush()?;
    }
    Ok(())
}

/// Collects text and writes it in large pieces.
struct Writer {
    format: LogFormat,
    lines: LogLines,
    text: String,
    json: Vec<u8>,
}

impl Writer {
    fn new(format: LogFormat) -> Self {
        Self { format, lines: LogLines::new(terminal::paint(), []), text: String::new(), json: Vec::new() }
    }

    fn add(&mut self, record: &LogRecord) {
        match self.format {
            LogFormat::Text => self.lines.write(record, &mut self.text),
            // A terminal never gets a stranger's escapes raw, whatever was asked for.
            LogFormat::Raw if terminal::is_terminal() => self.text.extend([&*printable(&record.msg), "\n"]),
            LogFormat::Raw => self.text.extend([record.msg.as_str(), "\n"]),
            LogFormat::Json => self.json.extend(super::line(record)),
        }
    }

    fn add_core(&mut self, record: Record) {
        match self.format {
            LogFormat::Json => ndjson::write(&record, &mut self.json),
            LogFormat::Text | LogFormat::Raw => self.add(&record.into()),
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.format == LogFormat::Json {
            terminal::print(&self.json)?;
        } else {
            terminal::print(&self.text)?;
        }
        self.json.clear();
        self.text.clear();
        Ok(())
    }
}
