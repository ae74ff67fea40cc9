//! G32: whatever a service writes, each line of output parses, and what was split or cut says so.

use orco::log::{Record, ndjson};
use serde_json::Value;

use crate::world::{World, rounds, sh, within};

const TEN_MIB: u64 = 10 << 20;

const NASTY: &str = r#"
    printf 'nul\000byte\n'
    printf 'bad \377\376\300\200 utf8\n'
    printf 'progress 10%%\rprogress 20%%\r\n'
    printf '\033[2J\033]0;owned\007\n'
    printf '{"msg":"from json","seq":99,"service":"forged"}\n{"broken": \n'
    head -c 10485760 /dev/zero | tr '\0' x; echo
    head -c 300000 /dev/urandom; echo
    printf 'no end'"#;

/// As readers get it, one document per line.
fn parse(records: &[Record]) -> Vec<Value> {
    let mut text = Vec::new();
    for record in records {
        ndjson::write(record, &mut text);
    }
    let text = String::from_utf8(text).expect("output is UTF-8");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "nothing that acts on a terminal");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[tokio::test]
async fn whatever_a_service_writes_is_valid_ndjson() {
    for _ in 0..rounds(1) {
        let world = World::new([sh("evil", NASTY).oneshot()]);
        world.up().await;
        within(world.engine.finished()).await.unwrap();
        let records = world.logs().await;
        let all = parse(&records);
        assert_eq!(all.len(), records.len(), "one line each");
        for (at, line) in all.iter().enumerate() {
            assert_eq!((&line["service"], &line["seq"]), (&"evil".into(), &at.into()), "whole and not forged");
        }
        assert_eq!(all[0]["msg"], "nul\0byte");
        assert_eq!(all[1]["msg"], "bad \u{fffd}\u{fffd}\u{fffd}\u{fffd} utf8");
        assert_eq!(all[3]["msg"], "\u{1b}[2J\u{1b}]0;owned\u{7}");
        assert_eq!((&all[4]["msg"], &all[4]["fields"]["service"]), (&"from json".into(), &"forged".into()));
        let long = &all[6];
        let kept = long["msg"].as_str().unwrap().bytes().take_while(|b| *b == b'x').count() as u64;
        assert_eq!(kept + long["cut"].as_u64().expect("flagged as cut"), TEN_MIB);
        assert!(all.len() > 100, "noise has line ends");
        assert_eq!(all.last().unwrap()["msg"], "no end");
        world.end().await;
    }
}
