//! A container's output, read once from its first byte or from a place in it, whatever happens to the stream.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{FutureExt as _, Stream, StreamExt as _};
use orco_core::{
    model::Exit,
    runtime::{Handle, LogChunk, LogPosition, LogStream},
};
use tokio::{sync::watch, time::sleep};

use crate::{
    docker::Inner,
    engine::{
        EngineError,
        looks::{self, Status},
        streams::{self, Frame},
    },
    logfile,
    place::{Place, Skip},
    register::Reading,
    timestamp, wait,
    watch::PAUSES,
};

/// Frames are put together up to so many bytes, if they are there already.
const CHUNK: usize = 64 * 1024;

type Frames = Pin<Box<dyn Stream<Item = Result<Frame, EngineError>> + Send>>;

/// The output of an instance.
pub(crate) fn stream(inner: &Arc<Inner>, handle: &Handle, from: Option<&LogPosition>) -> LogStream {
    let place = from.and_then(|position| {
        let place = Place::parse(&position.0);
        if place.is_none() {
            tracing::warn!(position = %position.0, "no place in a container's output, reading all of it");
        }
        place
    });
    let reader = Reader {
        over: inner.register.over(handle.instance),
        _reading: inner.register.read(handle.instance),
        inner: Arc::clone(inner),
        handle: handle.clone(),
        place: place.unwrap_or_default(),
        skip: Skip::Nothing,
        frames: None,
        ahead: None,
        last: false,
        pause: PAUSES.0,
    };
    futures::stream::unfold(reader, |mut reader| async move { reader.next().await.map(|chunk| (chunk, reader)) })
        .boxed()
}

struct Reader {
    inner: Arc<Inner>,
    handle: Handle,
    over: watch::Receiver<Option<Exit>>,
    _reading: Reading,
    place: Place,
    skip: Skip,
    frames: Option<Frames>,
    /// A new frame that did not fit into the last chunk.
    ahead: Option<(u64, Frame)>,
    /// The container is over: what is there is all.
    last: bool,
    pause: Duration,
}

/// What reading came to.
enum Came {
    Frame(u64, Frame),
    /// A frame that was read before.
    Old,
    /// The container is over, says who waits for it.
    Over,
    /// No more from this stream.
    End,
    Broken(EngineError),
}

impl Reader {
    /// The next piece; `None` when the container is over and all was read.
    async fn next(&mut self) -> Option<LogChunk> {
        loop {
            let (stamp, frame) = match self.came().await {
                Came::Frame(stamp, frame) => (stamp, frame),
                Came::Old => continue,
                Came::Over => {
                    self.read_last();
                    continue;
                }
                Came::End if self.last => return None,
                Came::End => {
                    self.after_cut().await?;
                    continue;
                }
                Came::Broken(error) => {
                    tracing::debug!(%error, instance = %self.handle.instance, "reading output broke off");
                    self.after_cut().await?;
                    continue;
                }
            };
            self.pause = PAUSES.0;
            return Some(self.gather(stamp, frame));
        }
    }

    async fn came(&mut self) -> Came {
        if let Some((stamp, frame)) = self.ahead.take() {
            return Came::Frame(stamp, frame);
        }
        let frames = match &mut self.frames {
            Some(frames) => frames,
            None => match self.open().await {
                Ok(Some(frames)) => self.frames.insert(frames),
                Ok(None) => {
                    self.last = true;
                    return Came::End;
                }
                Err(error) => return Came::Broken(error),
            },
        };
        let item = if self.last {
            frames.next().await
        } else {
            // Both are cancel-safe.
            tokio::select! {
                item = frames.next() => item,
                _ = self.over.wait_for(Option::is_some) => return Came::Over,
            }
        };
        sort(item, &mut self.skip)
    }

    /// `None`: there is no such container.
    async fn open(&mut self) -> Result<Option<Frames>, EngineError> {
        let Some(id) = wait::container(&self.inner, &self.handle).await? else { return Ok(None) };
        self.skip = self.place.skip();
        if self.inner.client.manners().await?.tears_lines() {
            let Some(look) = looks::inspect(&self.inner.client, &id).await? else { return Ok(None) };
            if let Some(path) = look.output.filter(|path| logfile::is_readable(path)) {
                return Ok(Some(Box::pin(logfile::frames(path, !self.last))));
            }
        }
        let since = if self.skip == Skip::Nothing { 0 } else { self.place.since() };
        Ok(Some(Box::pin(streams::output(&self.inner.client, &id, since, !self.last).await?)))
    }

    /// What follows the place is all there is: it is read to its end.
    fn read_last(&mut self) {
        self.last = true;
        self.frames = None;
    }

    /// The stream has ended or broken: is there more to come? `None`: there is not.
    async fn after_cut(&mut self) -> Option<()> {
        self.frames = None;
        let look = async {
            match wait::container(&self.inner, &self.handle).await? {
                Some(id) => looks::inspect(&self.inner.client, &id).await,
                None => Ok(None),
            }
        };
        match look.await {
            Ok(None) => return None,
            Ok(Some(seen)) if seen.status == Status::Over && !self.last => {
                self.read_last();
                return Some(());
            }
            Ok(Some(_)) | Err(_) => {}
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        Some(())
    }

    /// The frame, and those of the same stream that are there already.
    fn gather(&mut self, stamp: u64, first: Frame) -> LogChunk {
        let stderr = first.stderr;
        let mut bytes = Vec::new();
        let mut next = Some((stamp, first));
        while let Some((stamp, frame)) = next.take() {
            if frame.stderr != stderr || (!bytes.is_empty() && bytes.len() + frame.bytes.len() > CHUNK) {
                self.ahead = Some((stamp, frame));
                break;
            }
            self.place.pass(stamp, stderr, frame.bytes.ends_with(b"\n"));
            bytes.extend_from_slice(&frame.bytes);
            // Whatever else comes now ends the stream, and is found again when it is read on.
            let more = self.frames.as_mut().and_then(|frames| frames.next().now_or_never());
            match more.map(|item| sort(item, &mut self.skip)) {
                Some(Came::Frame(stamp, frame)) => next = Some((stamp, frame)),
                Some(Came::End | Came::Broken(_) | Came::Over) => self.frames = None,
                Some(Came::Old) | None => {}
            }
        }
        let mut chunk = LogChunk::new(stderr, bytes);
        chunk.position = Some(LogPosition(self.place.to_string()));
        chunk
    }
}

/// What an item of the stream is.
fn sort(item: Option<Result<Frame, EngineError>>, skip: &mut Skip) -> Came {
    let frame = match item {
        None => return Came::End,
        Some(Err(error)) => return Came::Broken(error),
        Some(Ok(frame)) => frame,
    };
    let Some((stamp, rest)) = timestamp::split(&frame.bytes) else {
        let why = "a piece of output has no timestamp".to_owned();
        return Came::Broken(EngineError::Broken { what: "read output".into(), why });
    };
    if !skip.is_new(stamp) {
        return Came::Old;
    }
    let bytes = frame.bytes.slice_ref(rest);
    Came::Frame(stamp, Frame { stderr: frame.stderr, bytes })
}
