//! What containers print, whole.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    dock,
    mixed::{Crate, Mixed},
};
use crate::fleet::until;

/// How many lines the counters of these instances printed: each line once and in order, up to the last one that they
/// say they have written. Of each run there is one end.
pub fn whole(ndjson: &str, instances: usize, context: &str) -> u64 {
    let mut last: BTreeMap<(i64, u64), (u64, u64, bool)> = BTreeMap::new();
    for line in ndjson.lines() {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{context}: {e}: {line}"));
        // Of every life of the stack one run.
        let key = (record["replica"].as_i64().unwrap(), record["run"].as_u64().unwrap());
        let seq = record["seq"].as_u64().unwrap();
        let text = record["msg"].as_str().unwrap();
        let Some((before_seq, before, ended)) = last.get(&key).copied() else {
            assert_eq!(text, "line 1", "{context}: {key:?}: the beginning is lost");
            last.insert(key, (seq, 1, false));
            continue;
        };
        assert!(!ended && seq == before_seq + 1, "{context}: {key:?} after {before_seq}: {line}");
        if let Some(number) = text.strip_prefix("last ") {
            assert_eq!(number.parse(), Ok(before), "{context}: {key:?}: lines are lost at the end");
            last.insert(key, (seq, before, true));
        } else {
            let number: u64 = text.strip_prefix("line ").unwrap().parse().unwrap();
            assert_eq!(number, before + 1, "{context}: {key:?}: {line}");
            last.insert(key, (seq, number, false));
        }
    }
    assert!(last.len() >= instances && last.len().is_multiple_of(instances), "{context}: {last:?}");
    assert!(last.values().all(|(_, _, ended)| *ended), "{context}: the end is lost: {last:?}");
    // The runs before were counted when they ended.
    let newest = last.keys().map(|(_, run)| *run).max().unwrap_or_default();
    last.iter().filter(|((_, run), _)| *run == newest).map(|(_, (_, lines, _))| *lines).sum()
}

/// Scenario 19 of the user stories.
#[test]
fn hostile_output_is_whole_and_harmless() {
    if !dock::ready() {
        return;
    }
    let script = "head -c 5242880 /dev/zero | tr \"\\0\" x; echo; printf \"\\377\\376 bad\\n\"; \
                  printf \"10%%\\r20%%\\r30%%\\n\"; printf \"\\033[31mred\\033[0m\\033]0;title\\007\\n\"; \
                  printf \"no end\"";
    let once = Crate::new("once", script).with("kind: oneshot");
    let mixed = Mixed::new(Vec::new(), vec![once, Crate::stays("stays")]);
    mixed.fleet.ok(&["up", "-d"]);
    until("it has ended", || mixed.status()["services"]["once"]["state"] == "Completed");
    let out = mixed.fleet.ok(&["logs", "once", "-o", "json"]).out;
    assert!(out.bytes().all(|byte| byte == b'\n' || byte >= b' '), "control characters in NDJSON");
    let records: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<&str> = records.iter().map(|record| record["msg"].as_str().unwrap()).collect();
    // A line is cut where it is too long, and what is missing is counted.
    let long: Vec<&Value> =
        records.iter().filter(|record| record["msg"].as_str().unwrap().starts_with("xxx")).collect();
    let [long] = long[..] else { panic!("{} long lines", long.len()) };
    let kept = long["msg"].as_str().unwrap().bytes().take_while(|byte| *byte == b'x').count() as u64;
    assert_eq!(kept + long["cut"].as_u64().unwrap(), 5 << 20);
    assert_eq!(texts.last(), Some(&"no end"));
    assert!(texts.iter().any(|text| text.ends_with(" bad")), "{:?}", texts.iter().skip(4).collect::<Vec<_>>());
    assert!(texts.iter().any(|text| text.contains("30%")));
    let text = mixed.fleet.ok(&["logs", "once"]).out;
    assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "it acts on the terminal");
    mixed.fleet.down();
    assert_eq!(mixed.left([]), Vec::<String>::new());
}
