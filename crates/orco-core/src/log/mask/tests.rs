#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use proptest::prelude::*;

use super::{
    Mask, Masks, Secrets,
    forms::forms,
    print::{Print, Salt},
    scan::Whole,
};
use crate::{
    log::{Line, Origin, Query, Source, Store, Writer, format::Stem, ndjson},
    model::ServiceName,
};

fn mask(values: &[&str]) -> Mask {
    let salt = Salt::from_bytes([7; 16]);
    Mask::new(salt, values.iter().flat_map(|value| forms(value)).filter_map(|form| Print::of(&salt, &form)))
}

fn shown(mask: &Mask, bytes: &[u8]) -> String {
    line(mask, bytes, None)
}

fn line(mask: &Mask, bytes: &[u8], cut: Option<u64>) -> String {
    let line = Line { ts: 0, source: Source::Stdout, seq: 0, bytes, cut, dropped: None, partial: false };
    String::from_utf8(mask.line(&line, &mut Vec::new()).bytes.to_vec()).unwrap()
}

fn service(name: &str) -> ServiceName {
    name.parse().unwrap()
}

fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for digit in 0..4 {
            let shown = digit <= group.len();
            out.push(if shown { char::from(LETTERS[(bits >> (18 - 6 * digit) & 63) as usize]) } else { '=' });
        }
    }
    out
}

#[test]
fn values_are_hidden_in_all_their_forms() {
    let mask = mask(&["hunter2hunter2", "pa\"ss/wörd\\1"]);
    for (said, want) in [
        ("the password is hunter2hunter2.", "the password is ***."),
        ("hunter2hunter2 hunter2hunter2", "*** ***"),
        // Also there, one over the other.
        ("hunter2hunter2hunter2", "***"),
        ("hunter2hunter", "hunter2hunter"),
        (r#"{"msg":"x","pw":"hunter2hunter2"}"#, r#"{"msg":"x","pw":"***"}"#),
        (r#"{"msg":"pa\"ss\/w\u00f6rd\\1!"}"#, r#"{"msg":"***!"}"#),
        (r#"{"pw":"\u0068unter2hunter2","n":1}"#, r#"{"pw":"***","n":1}"#),
        (r#"{"\u0068unter2hunter2":{"a":["hunter2\u0068unter2"]}}"#, r#"{"***":{"a":["***"]}}"#),
        (r#"{"raw":"{\"pw\":\"\\u0068unter2hunter2\"}"}"#, r#"{"raw":"{\"pw\":\"***\"}"}"#),
        (r#"got "pa\"ss/wörd\\1" from it"#, r#"got "***" from it"#),
        (r#"{"not":"json\u0068unter2hunter2""#, r#"{"not":"json\u0068unter2hunter2""#),
    ] {
        assert_eq!(shown(&mask, said.as_bytes()), want, "{said}");
    }
}

#[test]
fn each_line_of_a_value_is_hidden() {
    let mask = mask(&["-----BEGIN KEY-----\n  MIIEvQIBADANBg\nshort\nkqhkiG9w0BAQEF\n"]);
    assert_eq!(shown(&mask, b"a MIIEvQIBADANBg"), "a ***");
    assert_eq!(shown(&mask, b"kqhkiG9w0BAQEF"), "***");
    assert_eq!(shown(&mask, b"short"), "short");
    let json = r#"{"key":"-----BEGIN KEY-----\n  MIIEvQIBADANBg\nshort\nkqhkiG9w0BAQEF\n"}"#;
    assert_eq!(shown(&mask, json.as_bytes()), r#"{"key":"***\n"}"#);
}

#[test]
fn what_is_left_of_a_torn_secret_is_hidden() {
    let mask = mask(&["0123456789abcdefghij"]);
    assert_eq!(line(&mask, b"x 0123456789abcd and more", Some(9)), "x ******");
    assert_eq!(line(&mask, b"x 0123456789abcd", Some(9)), "x ******");
    assert_eq!(line(&mask, b"a line with 012345", Some(9)), "a line with***");
    assert_eq!(line(&mask, b"bcdefghij and more", Some(0)), "****** and more");
    assert_eq!(line(&mask, b"ij and more", Some(0)), "***more");
    assert_eq!(line(&mask, b"x 01234567defghij", Some(4)), "x ******");
    assert_eq!(line(&mask, b"x 01234567", None), "x 01234567");
    assert_eq!(mask.text("it said 0123456789ab…"), "it said ***…");
    assert_eq!(mask.text("it said 0123456789ab"), "it said 0123456789ab");
    assert_eq!(mask.output(b"a\n0123456789abcdefghij\nb 012345678"), b"a\n***\nb ***");
}

fn letters() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-d:/ \"\\\\\u{e9}\n]{8,24}").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Wherever a secret is, whatever is around it and however the bytes came.
    #[test]
    fn a_secret_never_appears(
        value in letters(),
        before in "[a-d:/ {}\"\\\\]{0,20}",
        after in "[a-d:/ {}\"\\\\]{0,20}",
        cuts in proptest::collection::vec(1..20_usize, 0..6),
        form in 0..4,
    ) {
        let whole = value.trim();
        prop_assume!(whole.len() >= 8);
        let lines: Vec<&str> = whole.lines().map(str::trim).filter(|line| line.len() >= 8).collect();
        let said = match form {
            0 => format!("{before}{}{after}\n", whole.replace('\n', "")),
            1 => format!("{before}{}{after}\n", encode(format!("{before}{whole}{after}").as_bytes())),
            2 => format!("{}\n", serde_json::json!({ "a": [before, { "b": format!("{whole}{after}") }] })),
            _ => format!("{before}{whole}{after}\n"),
        };
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let masks = Masks::open(dir.path()).unwrap();
        let secrets = Secrets { own: [value.clone()].into(), ..Secrets::default() };
        masks.learn([(&service("api"), secrets)]).unwrap();
        let mut writer = Writer::create(&store.dir(&service("api")), Stem { replica: 0, run: 1 }).unwrap();
        let mut rest = said.as_bytes();
        for cut in cuts {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            writer.append(false, piece, 1_000).unwrap();
            rest = left;
        }
        writer.append(false, rest, 2_000).unwrap();
        // As somebody reads it who was not there.
        let mut shown = Vec::new();
        let mut text = String::new();
        for record in Query::default().read(&store).unwrap().batches(64).flat_map(Result::unwrap) {
            ndjson::write(&record, &mut shown);
            text += &record.msg;
            text += &record.fields.map(|fields| serde_json::Value::from(fields).to_string()).unwrap_or_default();
        }
        let shown = String::from_utf8(shown).unwrap();
        let encoded = super::base64::forms(whole.as_bytes()).collect::<Vec<_>>();
        for secret in lines.iter().map(|line| line.as_bytes()).chain(encoded.iter().map(Vec::as_slice)) {
            let secret = std::str::from_utf8(secret).unwrap();
            prop_assert!(!shown.contains(secret) && !text.contains(secret), "{secret:?} in {shown}");
        }
    }

    /// And nothing else is touched.
    #[test]
    fn text_without_it_is_unchanged(bytes in proptest::collection::vec(any::<u8>(), 0..200), value in "[a-z]{8,20}") {
        let mask = mask(&[&value]);
        let absent = forms(&value).iter().all(|form| !bytes.windows(form.len()).any(|window| window == form.as_slice()));
        prop_assume!(absent);
        let mut out = Vec::new();
        prop_assert!(!mask.hide(&bytes, Whole::Yes, &mut out) && out.is_empty());
    }

    #[test]
    fn the_stable_part_of_base64_is_what_encoders_write(value in "\\PC{8,20}", before in 0..3_usize, after in "\\PC{0,4}") {
        let around = format!("{}{value}{after}", "x".repeat(before));
        let stable = super::base64::forms(value.as_bytes()).nth(before).unwrap();
        prop_assert!(encode(around.as_bytes()).contains(std::str::from_utf8(&stable).unwrap()));
    }
}

#[test]
fn the_file_holds_no_value_and_what_is_learned_stays() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (api, db, other) = (service("api"), service("db"), service("other"));
    let masks = Masks::open(dir.path()).unwrap();
    let secrets = |own: &[&str], everywhere: &[&str]| {
        let set = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Secrets { off: false, own: set(own), everywhere: set(everywhere) }
    };
    assert!(masks.of(&api).is_none());
    let first = masks.generation();
    masks.learn([(&api, secrets(&["from-the-file"], &[])), (&db, secrets(&[], &["known-to-all"]))]).unwrap();
    assert!(masks.generation() > first);
    let known = masks.generation();
    masks.learn([(&api, secrets(&["from-the-file"], &[]))]).unwrap();
    assert_eq!(masks.generation(), known, "nothing new");
    masks.learn([(&api, secrets(&["another-value"], &[]))]).unwrap();
    masks.learn([(&other, Secrets { off: true, ..secrets(&["not-hidden-at-all"], &["nor-this-one"]) })]).unwrap();

    let path = dir.path().join(super::file::NAME);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    for value in ["from-the-file", "known-to-all", "another-value", "not-hidden-at-all"] {
        assert!(!text.contains(value));
    }
    let again = Masks::open(dir.path()).unwrap();
    for masks in [&masks, &again] {
        let text = "from-the-file another-value known-to-all not-hidden-at-all nor-this-one";
        assert_eq!(masks.text(&api, text), "*** *** *** not-hidden-at-all nor-this-one");
        assert_eq!(masks.text(&db, text), "from-the-file another-value *** not-hidden-at-all nor-this-one");
        assert_eq!(masks.text(&other, text), text);
    }
    std::fs::write(&path, text.replace("\"version\":1", "\"version\":2")).unwrap();
    assert!(Masks::open(dir.path()).is_err());
    assert!(Query::default().read(&Store::new(dir.path())).is_err(), "what cannot be masked is not shown");
    Masks::open_or_set_aside(dir.path()).unwrap().0.learn([(&api, secrets(&["another-value"], &[]))]).unwrap();
    assert_eq!(Masks::open(dir.path()).unwrap().text(&api, "another-value"), "***");
}

/// A pattern finds nothing that is not shown: else it would tell a secret letter by letter.
#[test]
fn filters_see_what_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let masks = Masks::open(dir.path()).unwrap();
    masks
        .learn([(&service("api"), Secrets { own: ["hunter2hunter2".to_owned()].into(), ..Secrets::default() })])
        .unwrap();
    let origin = Origin::new(service("api"), 0, 1);
    let mut writer = Writer::create(&store.dir(&origin.service), Stem { replica: 0, run: 1 }).unwrap();
    writer.append(false, b"pw hunter2hunter2\n", 1).unwrap();
    let mut query = Query { grep: Some(Query::pattern("hunt").unwrap()), ..Query::default() };
    assert_eq!(query.read(&store).unwrap().batches(8).count(), 0);
    query.grep = Some(Query::pattern(r"pw \*\*\*").unwrap());
    assert_eq!(query.read(&store).unwrap().batches(8).count(), 1);
}
