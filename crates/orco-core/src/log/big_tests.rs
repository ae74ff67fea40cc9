//! How long it takes to find lines in much output: `cargo test --release -p orco-core log::big -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{format::Stem, *};

/// Lines of 100 bytes from one instance or from fifty in turns: of each a hundred per millisecond, or each line in a
/// millisecond of its own.
fn fill(root: &Path, bytes: u64, services: u64, dense: bool) -> (Store, u64) {
    let store = Store::new(root);
    let mut writers: Vec<Writer> = (0..services)
        .map(|n| Writer::create(&store.dir(&format!("s{n}").parse().unwrap()), Stem { replica: 0, run: 1 }).unwrap())
        .collect();
    let line = format!("{{\"level\":\"info\",\"msg\":\"{}\"}}\n", "x".repeat(74));
    let (batch, pause) = if dense { (line.repeat(10), 100) } else { (line, 1000) };
    let mut micros = 1_700_000_000_000_000;
    let mut written = 0;
    while written < bytes {
        for writer in &mut writers {
            writer.append(false, batch.as_bytes(), micros).unwrap();
            written += batch.len() as u64;
        }
        micros += pause;
    }
    (store, micros)
}

fn timed(name: &str, store: &Store, query: &Query) -> (Duration, usize) {
    let begun = Instant::now();
    let records: usize = query.read(store).unwrap().batches(512).map(|batch| batch.unwrap().len()).sum();
    let took = begun.elapsed();
    println!("{name:40} {records:8} lines {took:10.1?}");
    (took, records)
}

#[test]
#[ignore = "writes 2 GiB; figures only mean something in a release build"]
fn a_gibibyte() {
    for (services, dense) in [(1, true), (50, true), (50, false)] {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        let (store, end) = fill(root.path(), 1 << 30, services, dense);
        let begun = Instant::now();
        store.seal(&|_| true).unwrap();
        println!("{services} services, {} MiB, sealed in {:.1?}", store.used().unwrap() >> 20, begun.elapsed());
        // Into the page cache.
        let _ = timed("all", &store, &Query::default());
        let q = || Query { asked: Some(end), ..Query::default() };
        let none = Query::pattern("nothing like it").unwrap();
        let middle = (1_700_000_000_000_000 + end) / 2;
        for (name, query, lines) in [
            ("tail 10", Query { tail: Some(10), ..q() }, 10),
            ("tail 1000", Query { tail: Some(1000), ..q() }, 1000),
            ("tail 10 of level info", Query { tail: Some(10), level: Some(Level::Info), ..q() }, 10),
            ("since, 10 ms before the end", Query { since: Some(end - 10_000), ..q() }, 0),
            ("5 ms in the middle", Query { since: Some(middle), until: Some(middle + 5_000), ..q() }, 0),
            ("the first 5 ms", Query { until: Some(1_700_000_000_005_000), ..q() }, 0),
            ("until, tail 10", Query { until: Some(middle), tail: Some(10), ..q() }, 10),
        ] {
            let (took, got) = (0..5).map(|_| timed(name, &store, &query)).min().unwrap();
            assert!(if lines > 0 { got == lines } else { got > 0 }, "{name}: {got}");
            assert!(took < Duration::from_millis(500), "{name}: {took:?}");
        }
        let _ = timed("tail 10 of what is not there", &store, &Query { tail: Some(10), grep: Some(none), ..q() });
        fs::remove_dir_all(root.path()).unwrap();
    }
}
