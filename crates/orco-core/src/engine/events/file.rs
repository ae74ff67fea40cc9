//! events.ndjson: two files of 4 MiB, so that numbers and the latest past survive the engine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{event::Event, stream::KEPT, text};

/// A file of this size becomes the older one.
const FULL: u64 = 4 << 20;

/// The two files of one stack.
#[derive(Debug)]
pub(in crate::engine) struct EventFile {
    path: PathBuf,
    older: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// What no disk took yet, the latest [`KEPT`] of it.
    unwritten: Vec<Arc<Event>>,
}

impl EventFile {
    /// Opens them and returns the latest events, in order. A torn last line is cut off.
    #[expect(clippy::disallowed_methods, reason = "the events are files")]
    pub(in crate::engine) fn open(dir: &Path) -> io::Result<(Self, Vec<Event>)> {
        let (path, older) = (dir.join("events.ndjson"), dir.join("events.1.ndjson"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let newest = fs::read(&path)?;
        let whole = newest.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let mut past = parse(&newest[..whole]);
        if past.len() < KEPT
            && let Ok(before) = fs::read(&older)
        {
            let mut all = parse(&before);
            all.append(&mut past);
            past = all;
        }
        past.drain(..past.len().saturating_sub(KEPT));
        Ok((Self { path, older, file, length: whole as u64, unwritten: Vec::new() }, past))
    }

    /// Appends events, and whatever could not be appended before. On failure they are kept for the next time.
    pub(in crate::engine) fn append(&mut self, events: &[Arc<Event>]) -> io::Result<()> {
        self.unwritten.extend_from_slice(events);
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let surplus = self.unwritten.len().saturating_sub(KEPT);
        self.unwritten.drain(..surplus);
        let mut lines = Vec::with_capacity(self.unwritten.len() * 200);
        self.unwritten.iter().for_each(|event| text::write(event, &mut lines));
        if self.length > 0 && self.length + lines.len() as u64 > FULL {
            self.turn_over()?;
        }
        // At an explicit place: what an interrupted write left behind is written over.
        self.file.write_all_at(&lines, self.length)?;
        self.length += lines.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the events are files")]
    fn turn_over(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.flush()?;
        match fs::rename(&self.path, &self.older) {
            // Renamed at an earlier try that could not make the next one.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        self.file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        self.length = 0;
        Ok(())
    }
}

/// The latest events among these lines.
fn parse(lines: &[u8]) -> Vec<Event> {
    let mut latest: Vec<Event> =
        lines.rsplit(|b| *b == b'\n').filter(|l| !l.is_empty()).take(KEPT).filter_map(text::read).collect();
    latest.reverse();
    latest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use crate::model::{EventData, EventKind};

    fn event(seq: u64, size: usize) -> Arc<Event> {
        Arc::new(Event {
            ts: seq,
            seq,
            kind: EventKind::ServiceReady,
            service: None,
            replica: None,
            message: "x".repeat(size).into(),
            reason: None,
            attempt: None,
            data: EventData::None,
        })
    }

    #[test]
    fn numbers_go_on_after_a_torn_line_and_a_turn_over() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, past) = EventFile::open(dir.path()).unwrap();
        assert!(past.is_empty());
        for seq in 0..90 {
            file.append(&[event(seq, 100_000)]).unwrap();
        }
        drop(file);
        assert!(dir.path().join("events.1.ndjson").exists(), "9 MB are more than one file holds");
        assert!(fs::metadata(dir.path().join("events.ndjson")).unwrap().len() <= FULL);
        let torn = OpenOptions::new().append(true).open(dir.path().join("events.ndjson")).unwrap();
        (&torn).write_all(b"{\"ts\":\"20").unwrap();
        let (mut file, past) = EventFile::open(dir.path()).unwrap();
        assert_eq!(past.last().unwrap().seq, 89);
        assert!(past.windows(2).all(|w| w[0].seq + 1 == w[1].seq) && past.len() > 40);
        file.append(&[event(90, 1)]).unwrap();
        assert_eq!(EventFile::open(dir.path()).unwrap().1.last().unwrap().seq, 90);
    }
}
