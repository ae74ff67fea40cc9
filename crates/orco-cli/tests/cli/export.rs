//! `logging.directory`: files for log shippers.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, stack};

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
