#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Expr, Tri};

const NAMES: [&str; 4] = ["http", "tcp", "cmd", "log"];

#[test]
fn binding() {
    use Expr::{And, Not, Or, Probe};
    let not = |inner| Not(Box::new(inner));
    for (text, expected) in [
        ("http", Probe(0)),
        ("http || tcp && !log", Or(vec![Probe(0), And(vec![Probe(1), not(Probe(3))])])),
        ("(http or tcp) and not log", And(vec![Or(vec![Probe(0), Probe(1)]), not(Probe(3))])),
        ("!!cmd", not(not(Probe(2)))),
        (" ( ( log ) ) ", Probe(3)),
    ] {
        assert_eq!(Expr::parse(text, &NAMES).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_expression() {
    for (text, message) in [
        ("", "expected the name of a probe, found the end"),
        ("http ||", "expected the name of a probe, found the end"),
        ("http || || tcp", "expected the name of a probe, found `||`"),
        ("http tcp", "expected `&&` or `||`, found `tcp`"),
        ("(http", "a `(` without its `)`"),
        ("http)", "a `)` without its `(`"),
        ("http | tcp", "`|` means nothing here"),
        ("http ｜｜ tcp", "`｜` means nothing here"),
        ("htpp", "no probe `htpp` in this check"),
        (&"(".repeat(100_000), "an expression has at most 256 names and operators"),
        (&format!("{}http", "!".repeat(33)), "nested more than 32 deep"),
    ] {
        assert_eq!(Expr::parse(text, &NAMES).unwrap_err().to_string(), message, "{text:.40}");
    }
    assert_eq!(Expr::parse("htpp", &NAMES).unwrap_err().help(), Some("did you mean `http`?"));
}

/// Kleene's logic by its definition: -1 false, 0 unknown, 1 true; and is the minimum, or the maximum.
fn reference(expr: &Expr, values: &[i8; 4]) -> i8 {
    match expr {
        Expr::Probe(index) => values[*index],
        Expr::Not(inner) => -reference(inner, values),
        Expr::And(all) => all.iter().map(|e| reference(e, values)).min().unwrap_or(1),
        Expr::Or(any) => any.iter().map(|e| reference(e, values)).max().unwrap_or(-1),
    }
}

fn print(expr: &Expr, words: bool) -> String {
    let join = |list: &[Expr], with: &str| {
        let parts: Vec<_> = list.iter().map(|e| print(e, words)).collect();
        format!("({})", parts.join(with))
    };
    match expr {
        Expr::Probe(index) => NAMES[*index].to_owned(),
        Expr::Not(inner) => format!("{}{}", if words { "not " } else { "!" }, print(inner, words)),
        Expr::And(all) => join(all, if words { " and " } else { "&&" }),
        Expr::Or(any) => join(any, if words { " or " } else { " || " }),
    }
}

fn exprs() -> impl Strategy<Value = Expr> {
    (0..4_usize).prop_map(Expr::Probe).prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner, 2..4).prop_map(Expr::Or),
        ]
    })
}

proptest! {
    #[test]
    fn parses_what_it_prints_and_agrees_with_the_reference(
        expr in exprs(), words in any::<bool>(), values in proptest::array::uniform4(-1..=1_i8)
    ) {
        let text = print(&expr, words);
        prop_assume!(text.len() < 400);
        let parsed = Expr::parse(&text, &NAMES).unwrap();
        let tri = |index: usize| match values[index] {
            -1 => Tri::False,
            0 => Tri::Unknown,
            _ => Tri::True,
        };
        let expected = match reference(&expr, &values) {
            -1 => Tri::False,
            0 => Tri::Unknown,
            _ => Tri::True,
        };
        prop_assert_eq!(parsed.eval(&tri), expected);
    }

    #[test]
    fn never_panics(text in "[a-z|&!() ｜\\u{0}-\\u{ff}]{0,60}") {
        let _ = Expr::parse(&text, &NAMES);
    }
}
