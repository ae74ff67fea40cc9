//! Stack files from people who mean harm, or whose editor had a bad day: always an answer, never a panic, never long.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

use orco_core::{
    load::{Loader, Sources},
    spec::{Diagnostic, Known, Severity, code},
};
use proptest::prelude::*;

/// Files by name, and no variables.
struct Memory(BTreeMap<&'static str, Vec<u8>>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.0.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn var(&self, name: &str) -> Option<String> {
        (name == "SET").then(|| "${port} $$ ' \" \n: [".to_owned())
    }
}

/// Loads, and checks what must hold for every input.
fn load(text: impl Into<Vec<u8>>) -> Vec<Diagnostic> {
    let sources = Memory(BTreeMap::from([("stack.yaml", text.into())]));
    let known = Known::new(["process"], ["http", "tcp", "cmd", "log", "grpc"]);
    let start = Instant::now();
    let (diagnostics, map, invalid) = match Loader::new(&sources, &known).load(Path::new("stack.yaml")) {
        Ok(loaded) => (loaded.diagnostics, loaded.sources, false),
        Err(rejected) => (rejected.diagnostics, rejected.sources, true),
    };
    // Generous: unoptimised, on a busy machine. What these inputs try takes hours, or all memory.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(diagnostics.iter().any(|d| d.severity == Severity::Error), invalid);
    // Counting lines from the beginning of the file for each of 100,000 would take longer than all the rest.
    for diagnostic in diagnostics.iter().take(200) {
        assert!(code::ALL.contains(&diagnostic.code), "{}", diagnostic.code);
        for label in &diagnostic.labels {
            let Some(text) = map.get(&label.file) else { continue };
            assert!(text.get(label.range.clone()).is_some(), "{label:?} is not in the file");
            let before = &text[..label.range.start];
            assert_eq!(label.line, before.matches('\n').count() + 1);
            let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
            assert_eq!(label.column, line.chars().count() + 1);
        }
    }
    diagnostics
}

fn codes(text: impl Into<Vec<u8>>) -> Vec<&'static str> {
    load(text).iter().filter(|d| d.severity == Severity::Error).map(|d| d.code).collect()
}

#[test]
fn known_attacks() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=12 {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(", ")));
    }
    assert_eq!(codes(bomb), [code::ALIAS_EXPANSION]);
    let wide = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100_000));
    assert_eq!(codes(wide), [code::ALIAS_EXPANSION]);
    assert_eq!(codes("[".repeat(20_000)), [code::TOO_DEEP]);
    assert_eq!(codes("{a: ".repeat(20_000)), [code::TOO_DEEP]);
    let deep: String = (0..5_000).map(|level| format!("{}k:\n", " ".repeat(level.min(800)))).collect();
    assert!(!codes(deep).is_empty());
    let through_alias =
        format!("a: &a {}{}\nb: {}*a{}\n", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40));
    assert_eq!(codes(through_alias), [code::TOO_DEEP]);
    assert_eq!(codes("a: &a\n  b: *a\n"), [code::SYNTAX]);
    assert_eq!(codes(vec![b' '; 64 << 20]), [code::TOO_LARGE]);
    assert_eq!(codes(b"\xff\xfes\0"), [code::NOT_UTF8]);
    assert_eq!(codes("? ".repeat(2_000)), [code::TOO_DEEP]);
    let many_keys: String = (0..100_000).map(|index| format!("k{index}: 1\n")).collect();
    assert!(codes(many_keys).iter().all(|code| [code::UNKNOWN_KEY, code::NO_SERVICES].contains(code)));
    let same_keys = "services:\n  a: { command: x }\n".to_owned() + &"  a: { command: x }\n".repeat(50_000);
    assert!(codes(same_keys).iter().all(|code| *code == code::DUPLICATE_KEY));
    let long_name = format!("services: {{ {}: {{ command: x }} }}", "a".repeat(1_000));
    assert_eq!(codes(long_name), [code::BAD_NAME]);
    let expression = format!(
        "services: {{ a: {{ command: x, health: {{ tcp: {{ port: 1 }}, expression: \"{}tcp{}\" }} }} }}",
        "(".repeat(50_000),
        ")".repeat(50_000)
    );
    assert_eq!(codes(expression), [code::BAD_EXPRESSION]);
    let nested = format!("services: {{ a: {{ command: \"{}x{}\" }} }}", "${A:-".repeat(20_000), "}".repeat(20_000));
    assert_eq!(codes(nested), [code::BAD_INTERPOLATION]);
}

/// Everything that is done for each service, or each pair of them.
#[test]
fn many_mistakes_at_once() {
    let services = |one: &dyn Fn(usize) -> String| -> String {
        "services:\n".to_owned()
            + &(0..9_000).map(|index| format!("  s{index}: {{ command: x, {} }}\n", one(index))).collect::<String>()
    };
    let all = |text: String, code: &str| {
        let found = codes(text);
        assert!(found.len() >= 8_000 && found.iter().all(|other| *other == code), "{code}: {}", found.len());
    };
    all(services(&|_| "dependsOn: [nobody, noone]".to_owned()), code::UNKNOWN_DEPENDENCY);
    all(
        services(&|_| "env: { A: \"${endpoint.nobody} ${endpoint.noone}\" }".to_owned()),
        code::ENDPOINT_NOT_DEPENDENCY,
    );
    all(services(&|_| "ports: [\"80:80\", 81, 82, 83, 84]".to_owned()), code::HOST_PORT_CLASH);
    all(services(&|index| format!("envFromFile: f{index}")), code::ENV_FILE_MISSING);
    let pairs = services(&|index| format!("dependsOn: s{}", index ^ 1));
    assert!(codes(pairs).iter().all(|other| *other == code::CYCLE));
    let addresses: String =
        (0..100_000).map(|i| format!("\"127.{}.{}.{}:80:80\",", i >> 16, i >> 8 & 255, i & 255)).collect();
    assert_eq!(codes(format!("services: {{ a: {{ command: x, ports: [{addresses}] }} }}")), [] as [&str; 0]);
    let defaults = format!("defaults: {{ env: {{ A: {} }} }}\n", "x".repeat(1 << 20));
    assert_eq!(codes(defaults + &services(&|_| "env: {}".to_owned())), [code::TOO_LARGE]);
    let variables = "${SET}".repeat(300_000);
    assert_eq!(codes(format!("services: {{ a: {{ command: [\"{variables}\"] }} }}")), [code::BAD_INTERPOLATION]);
}

/// One env file that all services read.
#[test]
fn large_env_files() {
    let services: String = (0..10_000).map(|i| format!("  s{i}: {{ command: x, envFromFile: big.env }}\n")).collect();
    let files = BTreeMap::from([
        ("stack.yaml", format!("services:\n{services}").into_bytes()),
        ("big.env", format!("A={}", "x".repeat(1 << 20)).into_bytes()),
    ]);
    let known = Known::anything();
    let rejected = Loader::new(&Memory(files), &known).load(Path::new("stack.yaml")).unwrap_err();
    assert!(rejected.errors().all(|diagnostic| diagnostic.code == code::TOO_LARGE));
}

#[test]
fn ordinary_oddities() {
    assert_eq!(codes("\u{feff}services: { a: { command: x } }"), [] as [&str; 0]);
    assert_eq!(codes("services:\r\n  a:\r\n    command: x\r\n    user: y\r\n"), [] as [&str; 0]);
    assert_eq!(
        codes("services: { a: { command: x, env: { A: no, B: 012, C: 1:30, D: 1e3, E: ~, F: } } }"),
        [] as [&str; 0]
    );
    // A value is never read as YAML again, whatever it holds.
    assert_eq!(codes("services: { a: { command: [x, \"${SET}\"], env: { A: \"${SET}\" } } }"), [] as [&str; 0]);
    assert_eq!(codes("services: { a: { command: x, replicas: \"${N:-2}\", ports: [] } }"), [] as [&str; 0]);
    assert_eq!(codes("%YAML 1.2\n---\nservices: { a: { command: x } }\n...\n"), [] as [&str; 0]);
    let aliases = "services:\n  a: { command: x, env: &env { A: 1 }, stop: &stop { timeout: 1s } }\n  b: { command: y, env: *env, stop: *stop }\n";
    assert_eq!(codes(aliases), [] as [&str; 0]);
    let ten_thousand: String = (0..10_000).map(|index| format!("  s{index}: {{ command: x }}\n")).collect();
    assert_eq!(codes(format!("services:\n{ten_thousand}")), [] as [&str; 0]);
}

/// A chain of 10,000 services, and every one needing the same: neither deep recursion nor squares of anything.
#[test]
fn large_graphs() {
    let chain: String =
        (1..10_000).map(|index| format!("  s{index}: {{ command: x, dependsOn: s{} }}\n", index - 1)).collect();
    assert_eq!(codes(format!("services:\n  s0: {{ command: x }}\n{chain}")), [] as [&str; 0]);
    assert_eq!(codes(format!("services:\n  s0: {{ command: x, dependsOn: s9999 }}\n{chain}")), [code::CYCLE]);
    let star: String = (1..10_000).map(|index| format!("  s{index}: {{ command: x, dependsOn: s0 }}\n")).collect();
    assert_eq!(codes(format!("services:\n  s0: {{ command: x }}\n{star}")), [] as [&str; 0]);
}

/// The files of `tests/spec`.
fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spec");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        files.retain(|path| !path.ends_with("alias-expansion.yaml"));
        files.sort();
        files.iter().map(|path| fs::read(path).unwrap()).collect()
    })
}

/// One accident.
#[derive(Clone, Debug)]
enum Accident {
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, &'static [u8]),
    Swap(usize, u8),
    /// The end of another file behind the beginning of this one.
    Splice(usize, usize),
    Crlf,
}

fn accidents() -> impl Strategy<Value = Accident> {
    const PIECES: [&[u8]; 24] = [
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\t",
        b"[",
        b"]",
        b"{",
        b"}",
        b": ",
        b"- ",
        b"&a ",
        b"*a ",
        b"<<: *a\n",
        b"!t ",
        b"${",
        b"$$",
        b"${port}",
        b"${endpoint.db}",
        b"\"",
        b"'",
        b"\n---\n",
        b"? ",
        "é｜".as_bytes(),
    ];
    prop_oneof![
        (any::<usize>(), 0..40_usize).prop_map(|(at, length)| Accident::Remove(at, length)),
        (any::<usize>(), 0..40_usize).prop_map(|(at, length)| Accident::Repeat(at, length)),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Accident::Insert(at, PIECES[piece])),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Accident::Swap(at, byte)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, other)| Accident::Splice(at, other)),
        Just(Accident::Crlf),
    ]
}

fn happen(text: &mut Vec<u8>, accident: &Accident) {
    let place = |at: usize| at % (text.len() + 1);
    match *accident {
        Accident::Remove(at, length) => {
            let at = place(at);
            text.drain(at..(at + length).min(text.len()));
        }
        Accident::Repeat(at, length) => {
            let at = place(at);
            let piece = text[at..(at + length).min(text.len())].to_vec();
            text.splice(at..at, piece);
        }
        Accident::Insert(at, piece) => {
            let at = place(at);
            text.splice(at..at, piece.iter().copied());
        }
        Accident::Swap(at, byte) => {
            let at = place(at);
            if let Some(old) = text.get_mut(at) {
                *old = byte;
            }
        }
        Accident::Splice(at, other) => {
            let at = place(at);
            let other = &seeds()[other % seeds().len()];
            text.truncate(at);
            text.extend_from_slice(&other[other.len() / 2..]);
        }
        Accident::Crlf => *text = String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn accidents_get_an_answer(seed in any::<usize>(), accidents in proptest::collection::vec(accidents(), 1..6)) {
        let mut text = seeds()[seed % seeds().len()].clone();
        accidents.iter().for_each(|accident| happen(&mut text, accident));
        let first = load(text.clone());
        prop_assert_eq!(first, load(text), "twice the same file, twice the same answer");
    }
}
