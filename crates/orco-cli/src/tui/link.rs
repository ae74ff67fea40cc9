//! The tasks that speak with the stack. Each ends with the [`Link`]; what they learn goes through one bounded channel.

use std::time::Duration;

use futures::{StreamExt, stream};
use orco_api::{
    client::{Client, ClientError},
    place::Lock,
    wire::{EventsQuery, LogsQuery, Outcome, Scale, Signal, Wait},
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{
    file,
    model::EVENTS,
    news::{News, Question, Request},
};
use crate::render::chain;

/// News that wait to be taken; beyond them, their sources wait.
const QUEUE: usize = 32;
/// Records or events handed over at once.
const BATCH: usize = 512;
/// The pauses between two tries to reach the stack: they double.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// A request without an answer for this long is worth a question why.
const SILENCE: Duration = Duration::from_secs(5);

/// The connection.
#[derive(Debug)]
pub struct Link {
    client: Client,
    news: mpsc::Sender<News>,
    /// Dropped with the link, and with it all of them end.
    tasks: JoinSet<()>,
    logs: Option<AbortHandle>,
}

impl Link {
    /// Begins to follow status and events.
    pub fn open(client: Client) -> (Self, mpsc::Receiver<News>) {
        let (news, taken) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        tasks.spawn(status(client.clone(), news.clone()));
        tasks.spawn(events(client.clone(), news.clone()));
        (Self { client, news, tasks, logs: None }, taken)
    }

    fn reap(&mut self) {
        while self.tasks.try_join_next().is_some() {}
    }

    /// Asks. The answer is news.
    pub fn ask(&mut self, question: Question) {
        self.reap();
        let (client, news) = (self.client.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let answer = match question {
                Question::Usage => News::Usage(client.status().await.ok().map(Box::new)),
                Question::Why(service) => {
                    let why = client.why(&service).await.map(Box::new).map_err(|e| chain(&e));
                    News::Why(service, why)
                }
                Question::Graph => News::Graph(client.graph().await.map(Box::new).map_err(|e| chain(&e))),
            };
            // Nobody takes it any more: the end.
            let _ = news.send(answer).await;
        });
    }

    /// Has something done. How it went is news.
    pub fn carry_out(&mut self, request: Request) {
        self.reap();
        let (client, news) = (self.client.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let answer = carry_out(&client, &request).await.map_err(|e| chain(&e));
            let _ = news.send(News::Done(request, answer)).await;
        });
    }

    /// Writes a file. What became of it is news.
    pub fn save(&mut self, path: String, text: String, replace: bool) {
        self.reap();
        let news = self.news.clone();
        self.tasks.spawn_blocking(move || {
            let saved = file::write(path, &text, replace);
            // Nobody takes it any more: the end.
            let _ = news.blocking_send(News::Saved(saved));
        });
    }

    /// Follows these log records, and no others any more.
    pub fn follow(&mut self, number: u64, query: LogsQuery) {
        self.reap();
        if let Some(before) = self.logs.take() {
            before.abort();
        }
        let task = self.tasks.spawn(logs(self.client.clone(), self.news.clone(), number, query));
        self.logs = Some(task);
    }
}

async fn carry_out(client: &Client, request: &Request) -> Result<Outcome, ClientError> {
    match request {
        Request::Start(services) => each(client, Verb::Start, services).await,
        Request::Stop(services) => each(client, Verb::Stop, services).await,
        Request::Restart(services) => each(client, Verb::Restart, services).await,
        Request::Scale(service, replicas) => client.scale(service, &Scale { replicas: *replicas, wait: true }).await,
        Request::Signal { service, replica, signal } => {
            client.signal(service, &Signal { signal: signal.clone(), replica: *replica }).await
        }
    }
}

/// What can be asked of several services.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Start,
    Stop,
    Restart,
}

/// Connections at once, for something that concerns all services.
const AT_ONCE: usize = 64;

/// The first that was refused says how it went.
async fn each(client: &Client, verb: Verb, services: &[String]) -> Result<Outcome, ClientError> {
    // Several may wait for each other: all are told before any is done.
    let wait = Wait { wait: services.len() == 1 };
    let calls: Vec<_> = services.iter().map(|name| one(client.clone(), verb, name.clone(), wait.clone())).collect();
    let mut answers = stream::iter(calls).buffer_unordered(AT_ONCE);
    let mut how = Ok(Outcome::DONE);
    while let Some(answer) = answers.next().await {
        if how.is_ok() {
            how = answer;
        }
    }
    how
}

async fn one(client: Client, verb: Verb, name: String, wait: Wait) -> Result<Outcome, ClientError> {
    match verb {
        Verb::Start => client.start(&name, &wait).await,
        Verb::Stop => client.stop(&name, &wait).await,
        Verb::Restart => client.restart(&name, &wait).await,
    }
}

/// Whether nobody runs the stack any more.
fn is_over(error: &ClientError, client: &Client) -> bool {
    matches!(error, ClientError::NotRunning { .. }) && !Lock::is_held(client.place())
}

/// The status, again and again from whichever engine there is, until the stack is down or nobody wants it.
async fn status(client: Client, news: mpsc::Sender<News>) {
    let mut pause = PAUSES.0;
    // Whether the last engine that was heard has said good-bye.
    let mut orderly = true;
    loop {
        let why = match tokio::time::timeout(SILENCE, client.watch()).await {
            Ok(Ok(mut lines)) => loop {
                match lines.next().await {
                    Some(Ok(status)) => {
                        pause = PAUSES.0;
                        orderly = false;
                        if news.send(News::Status(Box::new(status))).await.is_err() {
                            return;
                        }
                    }
                    // How it broke tells nobody anything.
                    Some(Err(_)) => break "the connection is lost".to_owned(),
                    None => {
                        orderly = true;
                        break "the engine has ended".to_owned();
                    }
                }
            },
            Ok(Err(error)) if is_over(&error, &client) => {
                let _ = news.send(News::Down(orderly)).await;
                return;
            }
            Ok(Err(error)) => chain(&error),
            // Somebody listens and nobody answers. The other call finds out why.
            Err(_) => match client.brief_status().await {
                Ok(_) => "it does not answer".to_owned(),
                Err(error) => chain(&error),
            },
        };
        if news.send(News::Stale(why)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Events, each once.
async fn events(client: Client, news: mpsc::Sender<News>) {
    let mut last = None;
    loop {
        let tail = if last.is_none() { Some(EVENTS) } else { None };
        let query = EventsQuery { follow: true, since: None, after: last, tail };
        if let Ok(mut lines) = client.follow_events(query).await {
            let mut batch = Vec::new();
            while let Some(Ok(event)) = lines.next().await {
                last = Some(event.seq);
                batch.push(event);
                if (batch.len() >= BATCH || !lines.has_ready())
                    && news.send(News::Events(std::mem::take(&mut batch))).await.is_err()
                {
                    return;
                }
            }
        }
        // Whether the stack is over, the status says.
        tokio::time::sleep(PAUSES.1).await;
    }
}

/// Log records, each once, until the stack ends or its engine is gone for long.
async fn logs(client: Client, news: mpsc::Sender<News>, number: u64, query: LogsQuery) {
    let end = match client.follow_logs(query).await {
        Ok(mut lines) => {
            let mut batch = Vec::new();
            loop {
                match lines.next().await {
                    Some(Ok(record)) => batch.push(record),
                    Some(Err(error)) => break Some(chain(&error)),
                    None => break None,
                }
                if (batch.len() >= BATCH || !lines.has_ready())
                    && news.send(News::Logs(number, std::mem::take(&mut batch))).await.is_err()
                {
                    return;
                }
            }
        }
        Err(error) => Some(chain(&error)),
    };
    let _ = news.send(News::LogsEnded(number, end)).await;
}
