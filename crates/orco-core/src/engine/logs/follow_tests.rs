//! Readers that follow: nothing is late, nothing is doubled, and a log that pours is not read line by line.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

use std::pin::{Pin, pin};

use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, advance};

use super::*;
use crate::log::Writer;

/// A live instance whose output this test writes.
struct Speaker {
    logs: Arc<Logs>,
    writer: Writer,
    written: watch::Sender<u64>,
    id: InstanceId,
    folder: tempfile::TempDir,
}

fn speaker() -> Speaker {
    let folder = tempfile::tempdir().unwrap();
    let logs = Arc::new(Logs::open(folder.path().join("logs"), Logging::default()).unwrap());
    let origin = Origin::new("api".parse().unwrap(), 0, 1);
    let dir = logs.directory(&origin.service).unwrap();
    let writer = Writer::create(&dir, Stem { replica: 0, run: 1 }).unwrap();
    let (written, bytes) = watch::channel(0);
    let (segments, _) = watch::channel(Segments::default());
    let (ended, ended_rx) = watch::channel(false);
    let tail = Tail { origin, dir, growth: Arc::new(Written { bytes, segments }), ended: ended_rx };
    let id = InstanceId(7);
    let count = logs.table().arrive(id, Entry { tail, ended, writing: None });
    logs.arrivals.send_replace(count);
    Speaker { logs, writer, written, id, folder }
}

impl Speaker {
    fn say(&mut self, text: &str) {
        self.writer.append(false, text.as_bytes(), wall_micros()).unwrap();
        self.written.send_replace(self.writer.written());
    }

    fn follow(&self) -> impl Stream<Item = Vec<Record>> + use<> {
        self.logs.stream::<Vec<Record>>(Query::default(), true)
    }

    /// Returns the folder: readers may be behind.
    async fn end(self) -> tempfile::TempDir {
        self.writer.finish(wall_micros()).unwrap();
        self.logs.ended(self.id).await;
        self.logs.close();
        self.folder
    }
}

/// The next message, and how long it took to come.
async fn next(stream: &mut Pin<&mut impl Stream<Item = Vec<Record>>>) -> (String, Duration) {
    let begun = Instant::now();
    let records = stream.next().await.unwrap();
    (records.iter().map(|record| record.msg.as_str()).collect::<Vec<_>>().join(" "), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_line_after_a_silence_comes_at_once_and_those_that_pour_come_together() {
    let mut speaker = speaker();
    let mut stream = pin!(speaker.follow());
    speaker.say("one\n");
    assert_eq!(next(&mut stream).await, ("one".to_owned(), Duration::ZERO));
    for line in ["two\n", "three\n"] {
        advance(Duration::from_secs(1)).await;
        // What waits for more waits as long as nothing comes.
        assert!(stream.next().now_or_never().is_none());
        speaker.say(line);
        assert_eq!(next(&mut stream).await, (line.trim().to_owned(), Duration::ZERO));
    }
    let writing = tokio::spawn(async move {
        for n in 0..40 {
            speaker.say(&format!("{n}\n"));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        speaker
    });
    let (mut batches, mut text) = (0, Vec::new());
    while text.len() < 40 {
        let (more, waited) = next(&mut stream).await;
        assert!(waited <= Duration::from_millis(6), "{waited:?}");
        text.extend(more.split(' ').map(str::to_owned));
        batches += 1;
    }
    assert_eq!(text, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(batches <= 14, "{batches}");
    let _folder = writing.await.unwrap().end().await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn what_is_read_ahead_comes_once_and_in_order() {
    const LINES: u64 = 60_000;
    let mut speaker = speaker();
    let mut stream = pin!(speaker.follow());
    let mut leaves = Box::pin(speaker.follow());
    let writing = tokio::spawn(async move {
        for n in 0..LINES {
            speaker.say(&format!("line {n}\n"));
            if n % 1000 == 0 {
                tokio::task::yield_now().await;
            }
        }
        speaker.end().await
    });
    // Who leaves while more is being read for it stops nobody.
    assert!(!leaves.next().await.unwrap().is_empty());
    drop(leaves);
    let mut next = 0;
    while let Some(records) = stream.next().await {
        for record in records {
            assert_eq!((record.seq, record.msg), (next, format!("line {next}")));
            next += 1;
        }
    }
    assert_eq!(next, LINES);
    drop(writing.await.unwrap());
}
