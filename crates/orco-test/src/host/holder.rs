//! A holder's side: finding or starting the host, and asking it.

use std::{
    ffi::OsString,
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{
        fs::OpenOptionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};

use super::{
    process::{AGAIN, HOLD, HOST, LOG, ORDER},
    wire::{About, Answer, Ask, Change, Order, line},
};
use crate::{
    Error, keep,
    room::{self, Room},
};

/// How long an asker waits for others that start or end a host in the same directory: they take milliseconds.
const LOCKED: Duration = Duration::from_secs(60);
/// So many hosts may die under an asker.
const TRIES: usize = 5;
/// How long a host may take for an answer that it has at once.
const AT_ONCE: Duration = Duration::from_secs(60);
/// How long it may take to start or stop something.
const LONG: Duration = Duration::from_secs(900);

/// The right to a host's services; it is a connection, and ends with this process at the latest. It needs no runtime of
/// its own, so it may live in a static and be used from the runtimes of several tests.
#[derive(Debug)]
pub(crate) struct Holder {
    reader: Mutex<BufReader<UnixStream>>,
    /// The same socket, for last words while somebody reads.
    writer: UnixStream,
    about: About,
}

impl Holder {
    /// Waits until the services of this directory's host are ready; starts the host if there is none. Cancel-safe: a host
    /// that nobody holds ends.
    pub(crate) async fn enter(dir: &Path, order: &Order, keep: Option<Duration>) -> Result<Self, Error> {
        if !HOST.is_active() {
            return Err(Error::NoHook);
        }
        for _ in 0..TRIES {
            let stream = connect(dir, order).await?;
            match hold(stream, keep).await {
                Ok((stream, Answer::Ready(about))) => {
                    let failed = |e: io::Error| Error::Host(format!("cannot be held: {e}"));
                    return Self::of(stream, about).map_err(failed);
                }
                Ok((_, Answer::Failed(failure, about))) => {
                    if let Some(time) = keep {
                        keep::announce(&failure.stack, time, &about);
                    }
                    return Err(Error::NotReady(failure));
                }
                // It ended between its socket's answer and its own: the next one may live.
                Ok(_) | Err(_) => {}
            }
        }
        let said = fs::read_to_string(dir.join(LOG)).unwrap_or_default();
        Err(Error::Host(format!("has ended {TRIES} times before it answered; {}", said.lines().last().unwrap_or(""))))
    }

    fn of(stream: tokio::net::UnixStream, about: About) -> io::Result<Self> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        // A last word must not block for ever, whatever the host does.
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        let writer = stream.try_clone()?;
        Ok(Self { reader: Mutex::new(BufReader::new(stream)), writer, about })
    }

    pub(crate) const fn about(&self) -> &About {
        &self.about
    }

    pub(crate) async fn endpoints(
        self: &Arc<Self>,
        service: &str,
        port: Option<&str>,
    ) -> Result<Vec<std::net::SocketAddr>, Error> {
        let ask = Ask::Endpoints { service: service.to_owned(), port: port.map(str::to_owned) };
        match self.ask(ask, AT_ONCE).await? {
            Answer::Endpoints(found) if !found.is_empty() => Ok(found),
            other => Err(unexpected(other)),
        }
    }

    pub(crate) async fn change(self: &Arc<Self>, service: &str, change: Change) -> Result<(), Error> {
        done(self.ask(Ask::Change { service: service.to_owned(), change }, LONG).await?)
    }

    /// Ends the services. For who does not share them.
    pub(crate) async fn end(self: &Arc<Self>) -> Result<(), Error> {
        done(self.ask(Ask::End, LONG).await?)
    }

    pub(crate) async fn keep(self: &Arc<Self>, time: Duration) -> Result<(), Error> {
        done(self.ask(Ask::Keep { time }, AT_ONCE).await?)
    }

    /// As [`keep`](Self::keep), as a last word: waits for no answer.
    pub(crate) fn keep_at_last(&self, time: Duration) {
        let _ = (&self.writer).write_all(&line(&Ask::Keep { time }));
    }

    async fn ask(self: &Arc<Self>, ask: Ask, patience: Duration) -> Result<Answer, Error> {
        let holder = Arc::clone(self);
        // One that is dropped goes on to its answer, so that the next question gets its own.
        let answered = tokio::task::spawn_blocking(move || holder.ask_blocking(&ask, patience)).await;
        let answered = answered.map_err(io::Error::other).and_then(|answer| answer);
        answered.map_err(|e| Error::Host(format!("does not answer: {e}")))
    }

    fn ask_blocking(&self, ask: &Ask, patience: Duration) -> io::Result<Answer> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.get_ref().set_read_timeout(Some(patience))?;
        (&self.writer).write_all(&line(ask))?;
        let mut text = String::new();
        let read = reader.read_line(&mut text).and_then(|count| match count {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has ended")),
            _ => Ok(serde_json::from_str(&text)?),
        });
        if read.is_err() {
            // A late answer must not be taken for another question's.
            let _ = self.writer.shutdown(std::net::Shutdown::Both);
        }
        read
    }
}

fn done(answer: Answer) -> Result<(), Error> {
    match answer {
        Answer::Done => Ok(()),
        other => Err(unexpected(other)),
    }
}

fn unexpected(answer: Answer) -> Error {
    match answer {
        Answer::Refused(why) => Error::Refused(why),
        other => Error::Host(format!("gave the wrong answer: {other:?}")),
    }
}

/// Becomes a holder: the answer tells of the services.
async fn hold(stream: UnixStream, keep: Option<Duration>) -> io::Result<(tokio::net::UnixStream, Answer)> {
    stream.set_nonblocking(true)?;
    let mut stream = tokio::net::UnixStream::from_std(stream)?;
    stream.write_all(&line(&Ask::Hold { keep })).await?;
    // The host says nothing beyond its answer, so nothing is lost in the buffer.
    let mut text = String::new();
    tokio::io::BufReader::new(&mut stream).read_line(&mut text).await?;
    Ok((stream, serde_json::from_str(&text)?))
}

/// A connection to the host, which is started if there is none. Nothing is awaited between the look and the start.
async fn connect(dir: &Path, order: &Order) -> Result<UnixStream, Error> {
    let until = Instant::now() + LOCKED;
    let room = loop {
        match Room::try_enter(dir).map_err(Error::place(dir))? {
            Some(room) => break room,
            None if Instant::now() < until => sleep(AGAIN).await,
            None => {
                return Err(Error::Host("is being started or ended by somebody who does not come to an end".into()));
            }
        }
    };
    let socket = dir.join(HOLD);
    if let Ok(stream) = UnixStream::connect(&socket) {
        return Ok(stream);
    }
    let begin = || -> io::Result<UnixStream> {
        // One that is there belongs to a host that was killed.
        if let Err(e) = fs::remove_file(&socket)
            && e.kind() != io::ErrorKind::NotFound
        {
            return Err(e);
        }
        let mut private = fs::OpenOptions::new();
        private.write(true).create(true).truncate(true).mode(0o600);
        private.open(dir.join(ORDER))?.write_all(&serde_json::to_vec(order)?)?;
        let log = private.open(dir.join(LOG))?;
        let listener = UnixListener::bind(&socket)?;
        HOST.start(&listener, &[OsString::from(dir)], &log)?;
        UnixStream::connect(&socket)
    };
    let stream = begin().map_err(Error::place(dir))?;
    drop(room);
    if let Some(root) = dir.parent() {
        room::sweep(root);
    }
    Ok(stream)
}
