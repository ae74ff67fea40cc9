//! Licences: everything that is linked or runs in the build may be used under one of these.

use crate::{metadata::packages, none};

/// Permissive, no copyleft. `deny.toml` has the same list.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression can be met with `ALLOWED`: one side of an OR, both sides of an AND.
fn acceptable(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    either(&words, &mut at) == Some(true) && at == words.len()
}

/// `None`: not an expression.
fn either(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = both(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(words, at)?;
    }
    Some(met)
}

fn both(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at)?;
    }
    Some(met)
}

fn one(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let met = either(words, at)?;
        *at += 1;
        return (words.get(*at - 1) == Some(&")")).then_some(met);
    }
    let mut licence = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1)?);
        *at += 2;
    }
    Some(ALLOWED.contains(&licence.as_str()))
}

#[test]
fn every_crate_has_a_licence_we_accept() {
    let findings: Vec<String> = packages()
        .iter()
        .filter(|p| !p.licence.as_deref().is_some_and(acceptable))
        .map(|p| format!("{} {}: {}", p.name, p.version, p.licence.as_deref().unwrap_or("no licence")))
        .collect();
    none("licences that are not on the list", &findings);
}

#[test]
fn the_list_for_hosted_checks_is_the_same() {
    let deny = std::fs::read_to_string(crate::rust::root().join("deny.toml")).unwrap();
    let listed = deny.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
    let listed: Vec<&str> = listed.split(',').map(|l| l.trim().trim_matches('"')).filter(|l| !l.is_empty()).collect();
    assert_eq!(listed, ALLOWED);
}

#[test]
fn expressions_are_read_as_spdx_says() {
    for fine in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(acceptable(fine), "{fine}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT OR", "MIT MIT", "Apache-2.0 WITH Foo-exception"] {
        assert!(!acceptable(bad), "{bad}");
    }
}
