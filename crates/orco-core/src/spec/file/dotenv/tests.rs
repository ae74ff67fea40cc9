use proptest::prelude::*;

use super::parse;

#[test]
fn lines() {
    let text = "\u{feff}# comment\n\nA=1\n  export B = two words # why\nexport\tC='$(date) `x` # not'\nD=\"a\\n\\\"b\\\" \\$x\"# fine\n\
                E=\nF=#nothing\nG=a#b\nH='two\nlines'\r\nI=x=y\nexported=1\nJ.k-l=1\r\nK=\"a\\\nb\"";
    let (found, bad) = parse(text);
    assert_eq!(bad, []);
    let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        found,
        [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$(date) `x` # not"),
            ("D", "a\n\"b\" $x"),
            ("E", ""),
            ("F", ""),
            ("G", "a#b"),
            ("H", "two\nlines"),
            ("I", "x=y"),
            ("exported", "1"),
            ("J.k-l", "1"),
            ("K", "ab"),
        ]
    );
}

#[test]
fn what_is_no_line() {
    let text = "A=1\nno equals\n=x\na b=c\n'q'=1\nB='x\ny' z\nexport\nC=2\nD=a\0b\nE=\"open\nF=1";
    let (found, bad) = parse(text);
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 8, 10, 11]);
}

proptest! {
    #[test]
    fn quoting_round_trips(values in proptest::collection::vec("[ -~\n\té]{0,20}", 0..5)) {
        let mut text = String::new();
        for (index, value) in values.iter().enumerate() {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`");
            text.push_str(&format!("V{index}=\"{escaped}\"\n"));
        }
        let (found, bad) = parse(&text);
        prop_assert!(bad.is_empty(), "{bad:?}");
        prop_assert_eq!(found.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), values);
    }

    #[test]
    fn nothing_panics_or_hangs(text in "[A-B='\"\\\\$# \n\r\té\u{0}]{0,60}") {
        let (found, bad) = parse(&text);
        prop_assert!(found.len() + bad.len() <= text.lines().count() + 1);
    }
}
