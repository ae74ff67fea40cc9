//! `events`.

use orco_api::{
    client::{ClientError, EventPosition, Lines, Resuming},
    wire::{Event, EventsQuery},
};

use super::{Failure, line, target};
use crate::{
    args::{Events as Args, OutputFormat, StackArgs},
    exit::Exit,
    render, terminal,
};

pub async fn events(args: Args, outer: &StackArgs) -> Result<Exit, Failure> {
    let client = target::client(&StackArgs::from(args.stack).or(outer))?;
    let query =
        EventsQuery { follow: args.follow, since: args.since.map(super::logs::duration), after: None, tail: args.tail };
    let mut events = if query.follow {
        Source::Following(client.follow_events(query).await?)
    } else {
        Source::Past(client.events(&query).await?)
    };
    let paint = terminal::paint();
    let mut text = Vec::new();
    while let Some(event) = events.next().await {
        let event = event?;
        match args.output {
            OutputFormat::Json => text.extend(line(&event)),
            OutputFormat::Text => {
                text.extend_from_slice(render::event(&event, paint).as_bytes());
                text.push(b'\n');
            }
        }
        if !events.has_ready() {
            terminal::print(&text)?;
            text.clear();
        }
    }
    Ok(Exit::DONE)
}

enum Source {
    Past(Lines<Event>),
    Following(Resuming<EventPosition>),
}

impl Source {
    async fn next(&mut self) -> Option<Result<Event, ClientError>> {
        match self {
            Self::Past(lines) => lines.next().await,
            Self::Following(lines) => lines.next().await,
        }
    }

    fn has_ready(&self) -> bool {
        match self {
            Self::Past(lines) => lines.has_ready(),
            Self::Following(lines) => lines.has_ready(),
        }
    }
}
