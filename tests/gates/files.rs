//! Files that stay readable: not too long, named after the question they answer, nothing left to do in them.

use crate::{
    none,
    rust::{Source, is_test_file, parse, root, sources},
};

/// Beyond this a file needs a reason in `LONG`.
const COMFORTABLE: usize = 400;
/// Beyond this nothing helps: split it.
const HARD: usize = 500;
/// The most for a `mod.rs` with code in it.
const MAP: usize = 100;
/// Longer ones, and why.
const LONG_MAPS: &[(&str, &str)] = &[
    ("crates/orco-core/src/runtime/mod.rs", "the contract of runtimes, most of it documentation"),
    ("crates/orco-core/src/sim/oracles/mod.rs", "the list of all checks and what they share"),
];

/// Files above the comfortable length, and why they are not split.
const LONG: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "manager", "misc", "handler", "handlers"];

fn length_findings(sources: &[Source], long: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|s| !is_test_file(&s.path)) {
        let listed = long.iter().any(|(path, _)| *path == source.path);
        if source.lines > HARD {
            findings.push(format!("{}: {} lines, the limit is {HARD}", source.path, source.lines));
        } else if source.lines > COMFORTABLE && !listed {
            findings.push(format!("{}: {} lines; split it, or give a reason in LONG", source.path, source.lines));
        } else if source.lines <= COMFORTABLE && listed {
            findings.push(format!("{}: short again; take it off LONG", source.path));
        }
    }
    findings
}

fn name_findings(sources: &[Source]) -> Vec<String> {
    let says_nothing = |part: &str| EMPTY_NAMES.contains(&part.trim_end_matches(".rs"));
    sources.iter().filter(|s| s.path.split('/').any(says_nothing)).map(|s| s.path.clone()).collect()
}

fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        for pair in source.code.windows(2) {
            if pair[1].text == "!" && ["todo", "unimplemented"].contains(&pair[0].text.as_str()) {
                findings.push(format!("{}:{}: {}!", source.path, pair[0].line, pair[0].text));
            }
        }
    }
    findings
}

/// `mod.rs` declares and re-exports. A short way in (a dispatch, a shared type) may stand beside that.
fn map_findings(sources: &[Source]) -> Vec<String> {
    let holds_code = |s: &&Source| {
        let code = |text: &str| ["fn", "impl", "struct", "enum"].contains(&text);
        s.path.ends_with("/mod.rs")
            && s.lines > MAP
            && !LONG_MAPS.iter().any(|(path, _)| *path == s.path)
            && s.code.iter().any(|t| code(&t.text))
    };
    let found = sources.iter().filter(|s| !is_test_file(&s.path)).filter(holds_code);
    found.map(|s| format!("{}: {} lines", s.path, s.lines)).collect()
}

fn all() -> Vec<Source> {
    ["src", "crates", "examples", "tests", "benches"].iter().flat_map(|folder| sources(folder)).collect()
}

#[test]
fn files_are_short() {
    none("long files", &length_findings(&all(), LONG));
    for (path, _) in LONG.iter().chain(LONG_MAPS) {
        assert!(root().join(path).exists(), "{path} is gone; take it off the list");
    }
}

#[test]
fn names_say_something() {
    none("names that say nothing", &name_findings(&all()));
}

#[test]
fn nothing_is_left_to_do() {
    none("unfinished code", &unfinished(&all()));
}

#[test]
fn module_files_stay_maps() {
    none("`mod.rs` with more than a way in (give the code a file of its own)", &map_findings(&all()));
}

#[test]
fn faults_are_found() {
    let long = parse("crates/x/src/a.rs", &"fn f() {}\n".repeat(HARD + 1));
    assert_eq!(length_findings(&[long], &[("crates/x/src/a.rs", "reasons do not help")]).len(), 1);
    let longish = || parse("crates/x/src/a.rs", &"fn f() {}\n".repeat(COMFORTABLE + 1));
    assert_eq!(length_findings(&[longish()], &[]).len(), 1);
    assert_eq!(length_findings(&[longish()], &[("crates/x/src/a.rs", "a reason")]).len(), 0);
    assert_eq!(length_findings(&[parse("crates/x/src/a.rs", "")], &[("crates/x/src/a.rs", "stale")]).len(), 1);
    assert_eq!(name_findings(&[parse("crates/x/src/utils.rs", ""), parse("crates/x/src/common/a.rs", "")]).len(), 2);
    let (long, short) = ("fn f() {}\n".repeat(MAP + 1), "fn f() {}\n");
    let maps =
        [parse("crates/x/src/mod.rs", &long), parse("crates/x/src/a/mod.rs", short), parse("crates/x/a.rs", &long)];
    assert_eq!(map_findings(&maps).len(), 1);
    assert_eq!(unfinished(&[parse("crates/x/src/a.rs", "fn f() { todo!() } // todo!()")]).len(), 1);
}
