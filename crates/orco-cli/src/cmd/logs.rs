//! `logs`: through the running stack, or straight from the files of one that is down.

use std::{collections::BTreeSet, time::Duration};

use orco_api::{
    client::{Bodies, Client, ClientError, Lines, LogBytes, LogPosition, Resuming},
    place::Place,
    wire::{LogRecord, LogsQuery, no_service},
};
use orco_core::log::{Gather, More, Record, Store, ndjson};

use super::{Failure, target};
use crate::{
    args::{LogFormat, Logs as Args, StackArgs, Tail},
    exit::Exit,
    render::{LogLines, LogStyle, printable},
    terminal,
};

/// Records read from files at once.
const BATCH: usize = 4096;

/// A duration as the wire wants it.
pub fn duration(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

pub async fn logs(args: Args, outer: &StackArgs) -> Result<Exit, Failure> {
    let place = target::place(&StackArgs::from(args.stack.clone()).or(outer), true)?;
    let (query, writer) = (query(&args), Writer::new(&args));
    let client = Client::new(&place)?;
    match running(&client, &query, writer).await {
        Ok(()) => Ok(Exit::DONE),
        Err(Ended::Client(error @ ClientError::NotRunning { .. })) => {
            if !place.logs().is_dir() {
                return Err(error.into());
            }
            from_files(&place, &query, Writer::new(&args))?;
            if query.follow {
                terminal::note("the stack does not run, so there is nothing to follow\n");
            }
            Ok(Exit::DONE)
        }
        Err(Ended::Client(error)) => Err(error.into()),
        Err(Ended::Failure(failure)) => Err(failure),
    }
}

/// Why it ended early.
enum Ended {
    /// Before anything was printed.
    Client(ClientError),
    Failure(Failure),
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

async fn running(client: &Client, query: &LogsQuery, writer: Writer) -> Result<(), Ended> {
    match (query.follow, writer.format) {
        (true, LogFormat::Json) => pass_on(client.follow_logs_ndjson(query.clone()).await?).await?,
        (false, LogFormat::Json) => pass_all(client.logs_ndjson(query).await?).await?,
        (true, LogFormat::Text | LogFormat::Raw) => go_on(client.follow_logs(query.clone()).await?, writer).await?,
        (false, LogFormat::Text | LogFormat::Raw) => show(client.logs(query).await?, writer).await?,
    }
    Ok(())
}

fn query(args: &Args) -> LogsQuery {
    LogsQuery {
        services: args.services.join(","),
        follow: args.follow,
        since: args.since.map(|moment| moment.to_string()),
        until: args.until.map(|moment| moment.to_string()),
        tail: match args.tail {
            Tail::All => None,
            Tail::Last(lines) => Some(lines),
        },
        level: args.level,
        grep: args.grep.clone(),
        invert: args.invert,
        replica: args.replica,
        run: args.run,
        source: args.source,
        // A person sees a question that waits for its answer; a program gets each line once.
        partial: args.output == LogFormat::Text && terminal::is_terminal(),
    }
}

/// NDJSON is what comes over the wire.
async fn pass_all(mut bodies: Bodies) -> Result<(), Failure> {
    while let Some(bytes) = bodies.next().await {
        terminal::print(bytes?)?;
    }
    Ok(())
}

/// Each record once, whatever becomes of the engine meanwhile.
async fn pass_on(mut lines: LogBytes) -> Result<(), Failure> {
    while let Some(bytes) = lines.next().await {
        terminal::print(bytes?)?;
    }
    Ok(())
}

async fn show(mut records: Lines<LogRecord>, mut writer: Writer) -> Result<(), Failure> {
    while let Some(record) = records.next().await {
        writer.add(&record?);
        if !records.has_ready() {
            writer.flush()?;
        }
    }
    writer.end()
}

/// As [`pass_on`], for people.
async fn go_on(mut records: Resuming<LogPosition>, mut writer: Writer) -> Result<(), Failure> {
    while let Some(next) = records.next().await {
        match next {
            Ok(record) => writer.add(&record),
            Err(error) => {
                writer.end()?;
                return Err(error.into());
            }
        }
        if !records.has_ready() {
            writer.flush()?;
        }
    }
    writer.end()
}

fn from_files(place: &Place, query: &LogsQuery, mut writer: Writer) -> Result<(), Failure> {
    let query = query.to_core().map_err(|why| Failure::new(Exit::USAGE, why))?;
    let cannot = |e| Failure::internal("cannot read the logs", e);
    let store = Store::new(place.logs());
    let known = store.instances().map_err(cannot)?;
    let names: BTreeSet<&str> = known.iter().map(|origin| origin.service.as_str()).collect();
    if let Some(unknown) = query.services.iter().find(|name| !names.contains(name.as_str())) {
        let none = no_service(unknown.as_str(), names.iter().copied());
        let why = format!("{none} (the stack is down: only services that have left logs are known)");
        return Err(Failure::new(Exit::USAGE, why));
    }
    let mut follower = query.read(&store).map_err(cannot)?;
    loop {
        let more = match writer.format {
            LogFormat::Json => follower.each(BATCH, |origin, line| writer.json.push(origin, line)),
            LogFormat::Text | LogFormat::Raw => {
                follower.each(BATCH, |origin, line| Gather::push(&mut writer.records, origin, line))
            }
        };
        writer.flush()?;
        match more.map_err(cannot)? {
            More::Now => {}
            More::Later | More::Never => return writer.end(),
        }
    }
}

/// Collects text and writes it in large pieces.
struct Writer {
    format: LogFormat,
    timestamps: bool,
    lines: LogLines,
    text: String,
    json: ndjson::Batch,
    records: Vec<Record>,
}

impl Writer {
    fn new(args: &Args) -> Self {
        let style = LogStyle { timestamps: args.timestamps, prefix: !args.no_prefix };
        Self {
            format: args.output,
            timestamps: args.timestamps,
            lines: LogLines::new(terminal::paint(), []).with(style),
            text: String::new(),
            json: ndjson::Batch::default(),
            records: Vec::new(),
        }
    }

    fn add(&mut self, record: &LogRecord) {
        match self.format {
            LogFormat::Text => self.lines.write(record, &mut self.text),
            LogFormat::Raw => {
                if self.timestamps {
                    self.text.extend([&record.ts.to_string(), " "]);
                }
                if terminal::is_terminal() {
                    // A terminal never gets a stranger's escapes raw, whatever was asked for.
                    self.text.extend([&*printable(&record.msg), "\n"]);
                } else {
                    self.text.extend([record.msg.as_str(), "\n"]);
                }
            }
            // Those never come as records.
            LogFormat::Json => {}
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        for record in std::mem::take(&mut self.records) {
            self.add(&record.into());
        }
        if !self.json.text().is_empty() {
            terminal::print(self.json.text())?;
            self.json.clear();
        }
        if !self.text.is_empty() {
            terminal::print(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.lines.end(&mut self.text);
        self.flush()
    }
}
