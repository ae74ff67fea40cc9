//! `logging.directory`: files for log shippers; and what was lost, counted.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    process::Stdio,
    time::Duration,
};

use serde_json::Value;

use crate::bench::{Bench, stack, until};

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_export_has_what_logs_has_and_goes_on_with_the_next_life() {
    let bench = Bench::new("");
    let services = "  say: { kind: oneshot, command: [sh, -c, 'seq 1 500; echo oops >&2'], replicas: 2 }\n";
    let text = format!("logging: {{ directory: out/put, maxFileSize: 8KiB }}\n{}", stack("demo", services));
    bench.write("stack.yaml", &text);
    for life in 1..=2_usize {
        assert_eq!(bench.up_at_once(&[]).end().code, Some(0));
        let dir = bench.dir.path().join("out/put");
        let mut exported = String::new();
        for n in (1..1000).rev() {
            exported += &fs::read_to_string(dir.join(format!("say.ndjson.{n}"))).unwrap_or_default();
        }
        exported += &fs::read_to_string(dir.join("say.ndjson")).unwrap();
        assert!(dir.join("say.ndjson.1").exists(), "it is rotated");
        let mut exported = records(&exported);
        let mut shown = records(&bench.orco(&["logs", "-o", "json"]).out);
        let key = |r: &Value| (r["run"].as_u64(), r["replica"].as_u64(), r["seq"].as_u64());
        let order: Vec<_> = exported.iter().map(key).collect();
        for replica in 0..2 {
            let own: Vec<_> = order.iter().filter(|(_, r, _)| *r == Some(replica)).collect();
            assert!(own.is_sorted(), "each instance in its order");
        }
        exported.sort_by_key(key);
        shown.sort_by_key(key);
        assert_eq!(shown.len(), life * 2 * 501);
        assert_eq!(exported, shown);
    }
}

fn metrics(bench: &Bench) -> String {
    let mut socket = UnixStream::connect(crate::partial::socket(bench)).unwrap();
    write!(socket, "GET /api/v1/metrics HTTP/1.0\r\nHost: orco\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Line `n`, or its end where its beginning went with the segment before.
fn is_line(record: &Value, n: u64) {
    let (msg, whole) = (record["msg"].as_str().unwrap(), format!("{n} of many lines that say nothing much"));
    match msg.strip_suffix("… [its beginning is gone]") {
        Some(end) => assert!(record["cut"] == 0 && whole.ends_with(end), "{record}"),
        None => assert_eq!(msg, whole, "{record}"),
    }
}

/// G30: what a reader gets and what it is told that it missed is what was printed. `ORCO_ROUNDS=1` asks for a million
/// lines.
#[test]
fn received_and_dropped_make_produced() {
    let lines: u64 = if std::env::var_os("ORCO_ROUNDS").is_some() { 1_000_000 } else { 200_000 };
    let bench = Bench::new("");
    let services = format!(
        "  loud: {{ kind: oneshot, command: [seq, -f, \"%.0f of many lines that say nothing much\", \"1\", \"{lines}\"] }}\n  last: {{ command: [sleep, \"1000\"] }}\n"
    );
    let logging = "logging: { maxFileSize: 256KiB, maxTotalSize: 1MiB }\n";
    bench.write("stack.yaml", &(logging.to_owned() + &stack("demo", &services)));
    let mut up = bench.up_at_once(&["-o", "json"]);
    until("it answers", || bench.orco(&["status"]).code == Some(0));
    let mut reader = bench.command(&["logs", "-f", "-o", "json", "loud"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut from = BufReader::with_capacity(4096, reader.stdout.take().unwrap());
    let (mut received, mut dropped, mut next, mut text) = (0, 0, 0, String::new());
    while received + dropped < lines {
        text.clear();
        assert!(from.read_line(&mut text).unwrap() > 0, "it ends after {received} + {dropped} of {lines}");
        let record: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(record["seq"], next, "no number is left out: {text}");
        match record["dropped"].as_u64() {
            Some(lines) => dropped += lines,
            None => {
                received += 1;
                is_line(&record, next + 1);
            }
        }
        next = received + dropped;
        // A slow reader.
        if received == 100 {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    assert_eq!(received + dropped, lines);
    assert!(dropped > 0, "the log was small");
    let metrics = metrics(&bench);
    assert!(metrics.contains(&format!("\norco_log_lines_total{{service=\"loud\"}} {lines}\n")), "{metrics}");
    assert!(metrics.contains("\norco_log_lines_total{service=\"last\"} 0\n"), "{metrics}");
    let deleted = metrics.split("orco_log_dropped_lines_total{service=\"loud\"} ").nth(1).unwrap();
    let deleted: u64 = deleted.lines().next().unwrap().parse().unwrap();
    assert!((dropped..lines).contains(&deleted), "nobody misses what is there: {dropped}, {metrics}");
    let _ = reader.kill();
    let _ = reader.wait();
    crate::bench::signal(up.pid(), nix::sys::signal::Signal::SIGTERM);
    up.end();
}
