//! The file in which Podman keeps a container's output, read by ourselves where we may.
//!
//! Podman's own answers tell times in whole seconds, and who follows them gets lines that were torn while they were
//! written (4.3; upstream still knows of it in 5.x), so that a line is lost now and then. The file has each line once,
//! with nanoseconds. It is `TIME STREAM P|F TEXT`, and `P` says that the line goes on. When it has its full size another
//! one takes its place.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, ErrorKind, Read as _},
    os::{
        fd::{AsFd as _, AsRawFd, RawFd},
        unix::fs::MetadataExt as _,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures::Stream;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::spawn_blocking,
    time::sleep,
};

use crate::engine::{Call, EngineError, streams::Frame};

/// So much is read at a time.
const PIECE: usize = 256 * 1024;
/// A longer line is none of Podman's, which cuts them at 8 KiB.
const LONGEST: usize = 4 * PIECE;
/// After news so long nothing is read: what is written line by line is read by the dozen.
const GATHER: Duration = Duration::from_millis(5);
/// How often is looked where the system has no more watches for us.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Whether it can be read from here: the engine may be elsewhere, or somebody else's.
pub(crate) fn is_readable(path: &Path) -> bool {
    // Before the first start there is only the folder, with a name that nobody else's folder has.
    path.parent().is_some_and(|folder| std::fs::read_dir(folder).is_ok())
}

/// What the file has, from its beginning; with `follow` also what comes, without an end. Cancel-safe.
pub(crate) fn frames(path: PathBuf, follow: bool) -> impl Stream<Item = Result<Frame, EngineError>> + Send {
    // Before the first look, so that nothing is missed.
    let bell = follow.then(|| Bell::new(&path));
    let tail = Tail { log: Some(Log { path, file: None, rest: Vec::new() }), ready: VecDeque::new(), bell };
    futures::stream::unfold(tail, |mut tail| async move { tail.next().await.map(|item| (item, tail)) })
}

struct Tail {
    /// Away while it is read.
    log: Option<Log>,
    ready: VecDeque<Frame>,
    bell: Option<Bell>,
}

impl Tail {
    async fn next(&mut self) -> Option<Result<Frame, EngineError>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(frame));
            }
            // None: reading it has panicked.
            let mut log = self.log.take()?;
            let read = spawn_blocking(move || {
                let more = log.read();
                (log, more)
            });
            let more = match read.await {
                Ok((log, more)) => {
                    self.log = Some(log);
                    more
                }
                Err(error) => Err(io::Error::other(error)),
            };
            match more {
                Ok(Some(frames)) => self.ready.extend(frames),
                Ok(None) => self.bell.as_ref()?.rung().await,
                Err(error) => {
                    let what = Call::from("read a container's output file");
                    return Some(Err(EngineError::Broken { what, why: error.to_string() }));
                }
            }
        }
    }
}

struct Log {
    path: PathBuf,
    /// With its number: another file of the name has another one.
    file: Option<(File, u64)>,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Log {
    /// What comes next; `None`: nothing now. Blocks.
    fn read(&mut self) -> io::Result<Option<Vec<Frame>>> {
        loop {
            let Some((file, number)) = &mut self.file else {
                match File::open(&self.path) {
                    Ok(file) => {
                        let number = file.metadata()?.ino();
                        self.file = Some((file, number));
                        continue;
                    }
                    Err(error) if error.kind() == ErrorKind::NotFound && is_readable(&self.path) => return Ok(None),
                    Err(error) => return Err(error),
                }
            };
            // Asked before the reading: to one that was replaced nothing is added any more.
            let replaced = std::fs::metadata(&self.path).is_ok_and(|now| now.ino() != *number);
            let before = self.rest.len();
            let count = file.by_ref().take(PIECE as u64).read_to_end(&mut self.rest)?;
            if count > 0 {
                let frames = self.lines(before);
                if self.rest.len() > LONGEST {
                    return Err(io::Error::new(ErrorKind::InvalidData, "a line without an end"));
                }
                if !frames.is_empty() {
                    return Ok(Some(frames));
                }
            } else if replaced {
                self.file = None;
                self.rest.clear();
            } else {
                return Ok(None);
            }
        }
    }

    /// Takes the whole lines; nothing before `from` ends one.
    fn lines(&mut self, from: usize) -> Vec<Frame> {
        let Some(end) = self.rest.get(from..).and_then(|new| new.iter().rposition(|&b| b == b'\n')) else {
            return Vec::new();
        };
        let rest = self.rest.split_off(from + end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let lines = whole.split_inclusive(|&b| b == b'\n');
        lines.filter_map(|line| frame(line.strip_suffix(b"\n").unwrap_or(line))).collect()
    }
}

/// A line as a piece of output: the time, and the text as it was written.
fn frame(line: &[u8]) -> Option<Frame> {
    let mut parts = line.splitn(4, |&b| b == b' ');
    let (time, stream, kind, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let stderr = match stream {
        b"stdout" => false,
        b"stderr" => true,
        _ => return None,
    };
    let end: &[u8] = if kind.first() == Some(&b'P') { b"" } else { b"\n" };
    Some(Frame { stderr, bytes: Bytes::from([time, b" ", text, end].concat()) })
}

/// Rings when something happens in the file's folder.
struct Bell(Option<AsyncFd<Watch>>);

struct Watch(Inotify);

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Bell {
    fn new(path: &Path) -> Self {
        let events = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CREATE;
        let watch = || {
            let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
            inotify.add_watch(path.parent().unwrap_or(path), events)?;
            // The descriptor is our own and stays what it is; the way that is not deprecated is for code with `unsafe`.
            #[expect(deprecated, reason = "see above")]
            AsyncFd::with_interest(Watch(inotify), Interest::READABLE)
        };
        Self(watch().inspect_err(|error| tracing::debug!(%error, "cannot watch a container's output file")).ok())
    }

    async fn rung(&self) {
        let Some(watch) = &self.0 else { return sleep(LOOK_EVERY).await };
        let Ok(mut ready) = watch.readable().await else { return sleep(LOOK_EVERY).await };
        sleep(GATHER).await;
        // Until it has no more.
        while watch.get_ref().0.read_events().is_ok_and(|events| !events.is_empty()) {}
        ready.clear_ready();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, io::Write as _};

    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    const TIME: &str = "2026-11-21T15:18:53.179132440+00:00";

    fn said(frame: &Frame) -> (bool, String) {
        let text = String::from_utf8(frame.bytes.to_vec()).unwrap();
        (frame.stderr, text.strip_prefix(TIME).unwrap().strip_prefix(' ').unwrap().to_owned())
    }

    async fn next(stream: &mut (impl Stream<Item = Result<Frame, EngineError>> + Unpin)) -> (bool, String) {
        let item = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.unwrap();
        said(&item.unwrap().unwrap())
    }

    #[test]
    fn lines_of_podman() {
        let table = [
            ("stdout F hi", Some((false, "hi\n"))),
            ("stderr F ", Some((true, "\n"))),
            ("stdout P a b ", Some((false, "a b "))),
            ("stdout F:tag x", Some((false, "x\n"))),
            ("journal F x", None),
            ("stdout F", None),
            ("", None),
        ];
        for (line, want) in table {
            let frame = frame(format!("{TIME} {line}").as_bytes()).map(|frame| said(&frame));
            assert_eq!(frame.as_ref().map(|(stderr, text)| (*stderr, text.as_str())), want, "{line}");
        }
    }

    /// As Podman's program writes it when it has much to write: a line comes in two pieces.
    #[tokio::test]
    async fn a_line_that_is_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ctr.log");
        let mut stream = Box::pin(frames(path.clone(), true));
        assert!(stream.next().now_or_never().is_none());
        let mut file = File::create(&path).unwrap();
        write!(file, "{TIME} stdout F 41\n{TIME} stdout F ").unwrap();
        assert_eq!(next(&mut stream).await, (false, "41\n".to_owned()));
        assert!(stream.next().now_or_never().is_none());
        writeln!(file, "42").unwrap();
        assert_eq!(next(&mut stream).await, (false, "42\n".to_owned()));
        // Cancelled while it waits, it loses nothing.
        assert!(tokio::time::timeout(Duration::from_millis(20), stream.next()).await.is_err());
        writeln!(file, "{TIME} stderr F 43").unwrap();
        assert_eq!(next(&mut stream).await, (true, "43\n".to_owned()));
    }

    #[tokio::test]
    async fn one_that_is_replaced_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("ctr.log"), folder.path().join("ctr.log.tmp"));
        let mut old = File::create(&path).unwrap();
        let mut stream = Box::pin(frames(path.clone(), true));
        writeln!(old, "{TIME} stdout F 1").unwrap();
        assert_eq!(next(&mut stream).await.1, "1\n");
        writeln!(old, "{TIME} stdout F 2").unwrap();
        fs::write(&new, format!("{TIME} stdout F 3\n")).unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!((next(&mut stream).await.1, next(&mut stream).await.1), ("2\n".to_owned(), "3\n".to_owned()));
        let all: Vec<_> = frames(path, false).collect().await;
        assert_eq!(all.len(), 1);
    }

    #[tokio::test]
    async fn more_than_a_piece_and_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ctr.log");
        let line = format!("{TIME} stdout F {}\n", "x".repeat(1000));
        fs::write(&path, line.repeat(2000)).unwrap();
        assert_eq!(frames(path.clone(), false).filter(|item| std::future::ready(item.is_ok())).count().await, 2000);
        assert!(is_readable(&path));
        drop(folder);
        assert!(!is_readable(&path));
        let item = Box::pin(frames(path, true)).next().await.unwrap();
        assert!(matches!(item, Err(EngineError::Broken { .. })));
    }
}
