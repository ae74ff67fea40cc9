//! Every "Invariant:" line of ARCHITECTURE.md names a test, and that test exists.

use std::{collections::BTreeSet, fs};

use crate::{
    none,
    rust::{root, sources, tokens},
};

/// The names of all test functions: those under an attribute that ends in `test`, and those inside `proptest!`.
fn test_names(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let word = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut names = BTreeSet::new();
    let mut marked = false;
    for i in 0..tokens.len() {
        match word(i) {
            // `#[test]`, `#[tokio::test]`, `#[tokio::test(start_paused = true)]`
            "test" if matches!(word(i + 1), "]" | "(") && matches!(word(i.wrapping_sub(1)), "[" | ":") => marked = true,
            "fn" if marked => {
                names.insert(word(i + 1).to_owned());
                marked = false;
            }
            _ => {}
        }
    }
    names
}

/// `Invariant: sentence. Test: `name`[, `name`…].`
fn invariant_findings(document: &str, tests: &BTreeSet<String>) -> (usize, Vec<String>) {
    let mut findings = Vec::new();
    let lines: Vec<&str> = document.lines().filter(|line| line.contains("Invariant:")).collect();
    for line in &lines {
        let named: Vec<&str> =
            line.split_once("Test: ").map_or("", |(_, rest)| rest).split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            findings.push(format!("no test named: {line}"));
        }
        for name in named {
            let function = name.rsplit("::").next().unwrap_or(name);
            if !tests.contains(function) {
                findings.push(format!("there is no test `{name}`: {line}"));
            }
        }
    }
    (lines.len(), findings)
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let mut tests = BTreeSet::new();
    for source in ["src", "crates", "examples", "tests"].iter().flat_map(|folder| sources(folder)) {
        tests.extend(test_names(&fs::read_to_string(root().join(&source.path)).unwrap()));
    }
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (count, findings) = invariant_findings(&document, &tests);
    none("invariants without a test", &findings);
    assert!(count >= 10, "ARCHITECTURE.md states only {count} invariants");
    assert!(document.lines().count() <= 200, "ARCHITECTURE.md is longer than 200 lines");
}

#[test]
fn a_missing_test_is_found() {
    let text = "#[test]\nfn a() {}\n#[tokio::test(start_paused = true)]\nasync fn b() {}\nproptest! { #[test] fn c(x in 0..9) {} }\nfn d() {}";
    let tests = test_names(text);
    assert_eq!(tests, ["a", "b", "c"].map(str::to_owned).into());
    let document = "Invariant: fine. Test: `x::a`, `b`.\nInvariant: wrong. Test: `d`.\nInvariant: bare.\n";
    let (count, findings) = invariant_findings(document, &tests);
    assert_eq!((count, findings.len()), (3, 2), "{findings:?}");
}
