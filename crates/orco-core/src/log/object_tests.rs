//! Whichever way a JSON line is read, the record is the same.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};

use super::{
    line::Line,
    ndjson::{Encoder, write},
    object::Object,
    parse::record,
    record::{Origin, Source},
};

fn line(bytes: &[u8]) -> Line<'_> {
    Line { ts: 1_767_323_045_678_901, source: Source::Stdout, seq: 9, bytes, cut: None, dropped: None, partial: false }
}

/// Encodes it, and checks that it comes to what serde makes of it.
fn encoded(bytes: &[u8]) -> String {
    let origin = Origin::new("api".parse().unwrap(), 2, 3);
    let (mut quick, mut slow) = (Vec::new(), Vec::new());
    Encoder::new(&origin).encode(&line(bytes), &mut quick);
    write(&record(&origin, &line(bytes)), &mut slow);
    let (quick, slow) = (String::from_utf8(quick).unwrap(), String::from_utf8(slow).unwrap());
    assert_eq!(quick, slow, "{:?}", String::from_utf8_lossy(bytes));
    assert!(!quick.trim_end().chars().any(char::is_control), "{quick:?}");
    let value: serde_json::Value = serde_json::from_str(&quick).unwrap();
    assert_eq!((value["service"].as_str(), value["seq"].as_u64()), (Some("api"), Some(9)));
    quick
}

fn name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "msg",
        "message",
        "level",
        "LEVEL",
        "lvl",
        "severity",
        "level_name",
        "priority",
        "@l",
        "log",
        "c",
        "ctx",
        "s",
        "short_message",
        "a",
        "b",
        "dropped",
        "fields",
        "seq",
        "",
        "\\u006dsg",
        "é",
        "\u{9b}",
        "\u{7f}",
    ];
    prop_oneof![4 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-z]{1,9}"]
}

fn value() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "30",
        "3",
        "400",
        "007",
        "1.50",
        "1e3",
        "1E400",
        "18446744073709551615",
        "123456789012345678901",
        "999999999999999999",
        "\"\"",
        "\"warn\"",
        "\" Error \"",
        "\"30\"",
        "\"INFO+2\"",
        "\"\\u0041\"",
        "\"a\\\"b\\n\"",
        "\"\\ud800\"",
        "\"\\u001b[31m\"",
        "\"\u{9b}31m\"",
        "\"é…\"",
        "[]",
        "[1, 2]",
        "{}",
        "{\"level\":\"error\"}",
        "{\"x\":1,\"x\":2}",
        "[[\"]\"]]",
        "[}",
        "tru",
        "",
        "nul",
        "\"\u{7f}\"",
        "\"\t\"",
    ];
    prop_oneof![3 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "\"[ -~]{0,20}\"", 1 => "-?[0-9]{1,20}"]
}

fn object() -> impl Strategy<Value = String> {
    let blank = || proptest::sample::select(vec!["", "", "", " ", "\t", " \r"]);
    let member =
        (name(), value(), blank(), blank()).prop_map(|(name, value, a, b)| format!("{a}\"{name}\"{b}:{a}{value}{b}"));
    (vec(member, 0..7), blank(), blank()).prop_map(|(members, a, b)| format!("{a}{{{}}}{b}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn objects_read_the_same(text in object()) {
        encoded(text.as_bytes());
    }

    #[test]
    fn what_is_broken_reads_the_same(text in object(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        encoded(&bytes);
    }
}

#[test]
fn what_is_usual_is_not_built() {
    for (text, want) in [
        (r#"{"level":"warn","ts":1.5,"msg":"low","n":3,"ok":true,"who":"é"}"#, r#""level":"warn","msg":"low""#),
        (
            r#"{"level":50,"time":1700000000123,"pid":7,"hostname":"h","msg":"said \"no\"\n"}"#,
            r#""level":"error","msg":"said \"no\"\n""#,
        ),
        (r#"{"message":"m","tags":["a", "b"],"at":{"x":[1, 2]}}"#, r#""level":"info","msg":"m""#),
        (r#"{"a":1}"#, r#""level":"info","msg":"{\"a\":1}""#),
        (r#"{"msg":"alone"}"#, r#""level":"info","msg":"alone","source":"stdout","seq":9,"run":3,"fields":null}"#),
    ] {
        assert!(Object::read(text.as_bytes()).is_some(), "{text}");
        let text = encoded(text.as_bytes());
        assert!(text.contains(want), "{text}");
    }
    let text = encoded(br#"{ "b" : [1, 2] , "msg":"x", "level":"info", "c":1.50,"d":"\u0041\/" }"#);
    assert!(text.ends_with("\"fields\":{\"b\":[1,2],\"c\":1.5,\"d\":\"A/\"}}\n"), "{text}");
}

#[test]
fn what_means_something_else_is_left_to_serde() {
    let many: Vec<String> = (0..40).map(|n| format!("\"f{n}\":{n}")).collect();
    for text in [
        r#"{"msg":"first","msg":"last"}"#.to_owned(),
        r#"{"m\u0073g":"x"}"#.to_owned(),
        r#"{"level":"\u0077arn"}"#.to_owned(),
        r#"{"log":{"level":"error"},"msg":"x"}"#.to_owned(),
        r#"{"short_message":"x","level":3}"#.to_owned(),
        format!("{{{}}}", many.join(",")),
        "{\"a\":1}\u{b}".to_owned(),
        r#"{"a":1,}"#.to_owned(),
        r#"{"a":1} {"#.to_owned(),
    ] {
        assert!(Object::read(text.as_bytes()).is_none(), "{text}");
        encoded(text.as_bytes());
    }
    for depth in [1, 64, 65, 130, 5000] {
        encoded(format!(r#"{{"msg":"x","a":{}{},"b":2}}"#, "[".repeat(depth), "]".repeat(depth)).as_bytes());
    }
}
