//! Lines that have no end yet: shown to who asks, and to nobody else.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::bench::{Bench, LIMIT};

const ASKS: &str = r#"  asks:
    command: [sh, -c, "printf 'Name? '; until [ -e go ]; do sleep 0.02; done; echo Bob; printf 'more '; echo err >&2; exec sleep 1000"]
"#;

pub fn socket(bench: &Bench) -> PathBuf {
    let found = fs::read_dir(bench.dir.path().join("state")).unwrap();
    found.map(|entry| entry.unwrap().path().join("control.sock")).find(|path| path.exists()).unwrap()
}

/// The records of a stream, as they come.
fn stream(bench: &Bench, query: &str) -> impl Iterator<Item = Value> + use<> {
    let mut socket = UnixStream::connect(socket(bench)).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    write!(socket, "GET /api/v1/logs?{query} HTTP/1.1\r\nHost: orco\r\nConnection: close\r\n\r\n").unwrap();
    // Between chunks of whole lines there is nothing that looks like a record.
    let lines = BufReader::new(socket).lines().map(|line| line.unwrap());
    lines.filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(&line).unwrap())
}

fn brief(record: &Value) -> (String, u64, bool) {
    let partial = record.get("partial") == Some(&Value::Bool(true));
    (record["msg"].as_str().unwrap().to_owned(), record["seq"].as_u64().unwrap(), partial)
}

#[test]
fn a_question_is_shown_before_it_is_answered_and_becomes_the_same_line() {
    let bench = Bench::new(ASKS);
    let mut up = bench.up(&[]);
    let mut shown = stream(&bench, "follow=true&partial=true");
    assert_eq!(brief(&shown.next().unwrap()), ("Name? ".to_owned(), 0, true));
    let now = bench.orco(&["logs", "-o", "json"]);
    assert_eq!((now.code, now.out.as_str()), (Some(0), ""), "who counts lines gets none before its end");
    bench.write("go", "");
    assert_eq!(brief(&shown.next().unwrap()), ("Name? Bob".to_owned(), 0, false));
    // The other stream's line ends first and has the number; the unfinished one would have the next.
    assert_eq!(brief(&shown.next().unwrap()), ("err".to_owned(), 1, false));
    assert_eq!(brief(&shown.next().unwrap()), ("more ".to_owned(), 2, true));
    up.signal(Signal::SIGTERM);
    assert_eq!(brief(&shown.next().unwrap()), ("more ".to_owned(), 2, false), "at its end it is a line");
    up.end();
    let all = bench.orco(&["logs", "-o", "raw"]).out;
    assert_eq!(all, "Name? Bob\nerr\nmore \n");
}

#[test]
fn without_following_it_comes_at_once() {
    let bench = Bench::new(ASKS);
    let mut up = bench.up(&[]);
    bench.write("go", "");
    let mut shown: Vec<_> = stream(&bench, "follow=true").take(2).map(|record| brief(&record)).collect();
    shown.sort();
    assert_eq!(shown, [("Name? Bob".to_owned(), 0, false), ("err".to_owned(), 1, false)]);
    crate::bench::until("the beginning is there", || {
        stream(&bench, "partial=true").take(3).any(|record| brief(&record) == ("more ".to_owned(), 2, true))
    });
    up.signal(Signal::SIGTERM);
    up.end();
}
