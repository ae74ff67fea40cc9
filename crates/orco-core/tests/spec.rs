//! Every diagnostic of stack files, with its own file in `tests/spec` at the root of the workspace and a snapshot of
//! what people read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    sync::Once,
};

use orco_core::{
    load::{Disk, Loaded, Loader, Rejected, Sources},
    spec::{Diagnostic, Known, Severity, code},
};

const FOLDER: &str = "tests/spec";

/// The files of the repository, and a few variables.
struct Repo;

impl Sources for Repo {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Disk.read(path)
    }

    fn var(&self, name: &str) -> Option<String> {
        match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }
}

/// One text, and nothing else.
struct Memory(Vec<u8>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new("stack.yaml") { Ok(self.0.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn var(&self, _: &str) -> Option<String> {
        None
    }
}

/// Paths in diagnostics are as they were given; all are given from the root of the workspace.
fn from_root() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap());
}

fn known() -> Known {
    Known::new(["process", "docker"], ["http", "tcp", "cmd", "log"])
}

fn load(path: &Path, known: &Known) -> Result<Loaded, Rejected> {
    from_root();
    Loader::new(&Repo, known).load(path)
}

fn diagnostics(result: &Result<Loaded, Rejected>) -> &[Diagnostic] {
    match result {
        Ok(loaded) => &loaded.diagnostics,
        Err(rejected) => &rejected.diagnostics,
    }
}

fn render(result: &Result<Loaded, Rejected>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics(result) {
        let severity = match diagnostic.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let place = |label: &orco_core::spec::Label| {
            let file = label.file.strip_prefix(FOLDER).unwrap_or(&label.file);
            format!("{}:{}:{}", file.display(), label.line, label.column)
        };
        let at = diagnostic.labels.first().map_or("-".to_owned(), place);
        writeln!(text, "{severity}[{}] {at} {}", diagnostic.code, diagnostic.message).unwrap();
        if !diagnostic.path.is_empty() {
            writeln!(text, "  at {}", diagnostic.path).unwrap();
        }
        for label in diagnostic.labels.iter().skip(1) {
            writeln!(text, "  {} {}", place(label), label.text).unwrap();
        }
        if let Some(help) = &diagnostic.help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    let outcome = if result.is_ok() { "loaded" } else { "rejected" };
    writeln!(text, "=> {outcome}").unwrap();
    text
}

fn files() -> Vec<PathBuf> {
    from_root();
    let mut files: Vec<_> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

/// What each file is about: the longest code its name begins with.
fn subject(stem: &str) -> Option<&'static str> {
    code::ALL.iter().copied().filter(|code| stem.starts_with(code)).max_by_key(|code| code.len())
}

#[test]
fn snapshots() {
    for path in files() {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // One file is about a build without a probe.
        let known = match stem.as_str() {
            "unknown-probe" => Known::new(["process"], ["http", "tcp", "cmd", "grpc2"]),
            _ => known(),
        };
        let result = load(&path, &known);
        if let Some(code) = subject(&stem) {
            let found: BTreeSet<_> = diagnostics(&result).iter().map(|diagnostic| diagnostic.code).collect();
            assert!(found.contains(code), "{stem} does not give {code}: {}", render(&result));
        }
        insta::with_settings!({
            snapshot_path => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spec/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(stem, render(&result));
        });
    }
}

/// Files that nobody wants in a repository.
fn generated() -> Vec<(&'static str, Vec<u8>)> {
    let mut many = String::from("services:\n");
    for index in 0..10_001 {
        writeln!(many, "  s{index}: {{ command: x }}").unwrap();
    }
    vec![(code::TOO_LARGE, vec![b'#'; (4 << 20) + 1]), (code::TOO_MANY_SERVICES, many.into_bytes())]
}

#[test]
fn what_is_generated() {
    for (code, text) in generated() {
        let rejected = Loader::new(&Memory(text), &known()).load(Path::new("stack.yaml")).unwrap_err();
        assert_eq!(rejected.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [code]);
    }
    let rejected = Loader::new(&Memory(Vec::new()), &known()).load(Path::new("absent.yaml")).unwrap_err();
    assert_eq!(rejected.to_string(), "invalid stack file: cannot read `absent.yaml`: it does not exist");
}

#[test]
fn every_code_has_its_file() {
    let generated: Vec<_> = generated().into_iter().map(|(code, _)| code).chain([code::UNREADABLE]).collect();
    let stems: Vec<_> = files().iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let covered: BTreeSet<_> = stems.iter().filter_map(|stem| subject(stem)).chain(generated).collect();
    let missing: Vec<_> = code::ALL.iter().filter(|code| !covered.contains(**code)).collect();
    assert!(missing.is_empty(), "no file in {FOLDER} for {missing:?}");
}

/// What the language promises about the sample of the project's beginning.
#[test]
fn the_sample() {
    let path = Path::new(FOLDER).join("sample-brief.yaml");
    let count = |result: &Result<Loaded, Rejected>, severity| {
        diagnostics(result).iter().filter(|d| d.severity == severity).map(|d| d.code).collect::<Vec<_>>()
    };
    let result = load(&path, &known());
    assert_eq!(count(&result, Severity::Error), [code::HOST_PORT_REPLICAS]);
    assert_eq!(count(&result, Severity::Warning), [code::HTTP_ON_OTHER_PROTOCOL]);
    // What it says of containers has its effect.
    let notes: Vec<_> =
        diagnostics(&result).iter().filter(|d| d.severity == Severity::Note).map(|d| &*d.path).collect();
    assert_eq!(notes, ["services.api.update"]);
    let without = load(&path, &Known::new(["process"], ["http", "tcp", "cmd", "log"]));
    assert_eq!(count(&without, Severity::Error), [code::UNKNOWN_RUNTIME, code::HOST_PORT_REPLICAS]);
}

#[test]
fn ten_mistakes_give_ten_errors() {
    let result = load(&Path::new(FOLDER).join("ten-mistakes.yaml"), &known());
    assert_eq!(result.unwrap_err().errors().count(), 10);
}

#[test]
fn everything_that_is_valid() {
    let loaded = load(&Path::new(FOLDER).join("valid-everything.yaml"), &known()).unwrap();
    let root = std::env::current_dir().unwrap().to_str().unwrap().to_owned();
    insta::with_settings!({
        snapshot_path => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spec/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
        // A hash over absolute paths too: another on every machine.
        filters => [("revision: r[0-9a-f]{8}", "revision: [hash]")],
    }, {
        insta::assert_snapshot!("the-model", format!("{:#?}\nvariables: {:?}", loaded.stack.services(), loaded.variables)
            .replace(&root, "ROOT"));
    });
    assert_eq!(loaded.stack.name(), &"everything");
}
