//! Who may use whom: the tables of ARCHITECTURE.md, "The map", as data.

use crate::{
    metadata::packages,
    none,
    rust::{Source, is_test_file, parse, paths, sources},
};

/// A module of `orco-core` with everything it may use.
struct Layer {
    name: &'static str,
    /// Other modules of the core.
    modules: &'static [&'static str],
    /// Foreign crates.
    crates: &'static [&'static str],
    /// Modules of std out of [`GUARDED_STD`].
    std: &'static [&'static str],
}

/// From the bottom up. What a layer may use is above it.
const CORE: &[Layer] = &[
    Layer { name: "model", modules: &[], crates: &["serde_json", "thiserror"], std: &[] },
    Layer {
        name: "spec",
        modules: &["model", "graph"],
        crates: &[
            "granit_parser",
            "indexmap",
            "memchr",
            "regex",
            "schemars",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ],
        std: &["collections::HashMap", "collections::HashSet"],
    },
    Layer { name: "graph", modules: &["model", "spec"], crates: &["petgraph"], std: &[] },
    Layer { name: "policy", modules: &["model", "spec"], crates: &[], std: &[] },
    Layer {
        name: "load",
        modules: &["model", "spec", "graph", "policy"],
        crates: &["indexmap", "serde_json", "sha2", "thiserror"],
        std: &["fs", "env", "collections::HashMap", "collections::HashSet"],
    },
    // Tests arm a running program through its environment, and it notes in a file what it passed.
    Layer { name: "crash", modules: &[], crates: &["nix"], std: &["fs", "env", "process"] },
    Layer {
        name: "log",
        modules: &["crash", "model", "spec"],
        crates: &["jiff", "memchr", "regex", "serde", "serde_json", "sha2", "thiserror"],
        std: &["fs", "collections::HashMap", "collections::HashSet"],
    },
    Layer { name: "journal", modules: &[], crates: &["memchr", "thiserror"], std: &["fs"] },
    Layer {
        name: "brain",
        modules: &["model", "spec", "graph", "policy"],
        // The last two for what is remembered across an engine's death.
        crates: &["thiserror", "serde", "serde_json"],
        std: &[],
    },
    Layer {
        name: "runtime",
        modules: &["model", "spec", "log"],
        crates: &["async_trait", "futures_core", "thiserror"],
        std: &[],
    },
    Layer {
        name: "probe",
        modules: &["model", "spec", "log", "runtime"],
        crates: &["async_trait", "futures_core"],
        std: &[],
    },
    Layer {
        name: "sim",
        modules: &["model", "spec", "graph", "policy", "brain", "log", "journal", "runtime", "probe", "load"],
        // Tokio only for `runtime: fake`, which the real engine runs.
        crates: &["async_trait", "futures", "futures_core", "serde_json", "thiserror", "tokio"],
        std: &["env", "fs", "thread"],
    },
    Layer {
        name: "engine",
        modules: &["crash", "model", "spec", "graph", "policy", "load", "log", "journal", "brain", "runtime", "probe"],
        crates: &[
            "async_trait",
            "futures",
            "futures_core",
            "indexmap",
            "jiff",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio_util",
            "tracing",
        ],
        std: &[
            "fs",
            "env",
            "net::TcpListener",
            "time::Instant",
            "time::SystemTime",
            // The journal's writer: a disk may block it as long as it likes.
            "thread",
            "collections::HashMap",
            "collections::HashSet",
        ],
    },
    Layer {
        name: "conformance",
        modules: &["model", "spec", "log", "runtime", "probe", "engine", "load"],
        crates: &["async_trait", "futures", "futures_core", "tokio", "serde_json"],
        std: &["fs", "env", "time::Instant"],
    },
];

/// What reads the world, or has an order of its own: only the layers that name it may use it.
const GUARDED_STD: &[&str] = &[
    "fs",
    "env",
    "net::TcpStream",
    "net::TcpListener",
    "net::UdpSocket",
    "os::unix::net",
    "process",
    "thread",
    "time::Instant",
    "time::SystemTime",
    "collections::HashMap",
    "collections::HashSet",
];

/// Modules of the core that plug-ins and the keeper must not know.
const INNER: &[&str] = &["brain", "engine", "graph", "policy", "sim"];
/// Crates that implement a contract of the core, and know neither the engine nor each other.
const PLUG_INS: &[&str] = &["orco-keeper", "orco-probes", "orco-runtime-docker", "orco-runtime-process"];
/// The library for container engines, and the only folder that knows it.
const ENGINE_LIBRARY: (&str, &str) = ("bollard", "crates/orco-runtime-docker/src/engine/");

fn module_of(path: &str) -> Option<String> {
    let inner = path.split_once("/src/")?.1;
    let first = inner.split('/').next()?.trim_end_matches(".rs");
    (first != "lib" && first != "main").then(|| first.to_owned())
}

fn core_findings(source: &Source, foreign: &[String]) -> Vec<String> {
    let Some(module) = module_of(&source.path) else { return Vec::new() };
    let Some(layer) = CORE.iter().find(|l| l.name == module) else {
        return vec![format!("{}: module `{module}` is in no layer", source.path)];
    };
    let mut findings = Vec::new();
    let mut find = |line: usize, what: &str| findings.push(format!("{}:{line}: `{module}` uses {what}", source.path));
    for (line, path) in in_crate(source) {
        let used = path.as_str();
        let known = CORE.iter().any(|l| l.name == used);
        if known && used != module && !layer.modules.contains(&used) {
            find(line, &format!("crate::{used}"));
        }
    }
    for name in foreign.iter().filter(|name| !layer.crates.contains(&name.as_str())) {
        for (line, _) in paths(&source.code, name) {
            find(line, &format!("the crate {name}"));
        }
    }
    for (line, path) in paths(&source.code, "std") {
        let path = path.join("::");
        let guarded = GUARDED_STD.iter().find(|g| path == **g || path.starts_with(&format!("{g}::")));
        if let Some(guarded) = guarded
            && !layer.std.contains(guarded)
        {
            find(line, &format!("std::{guarded}"));
        }
    }
    findings
}

/// The crates that the core's manifest names, as its sources know them.
fn foreign() -> Vec<String> {
    let core = packages().into_iter().find(|p| p.name == "orco-core").unwrap();
    core.dependencies.into_iter().filter(|d| !d.dev).map(|d| d.ident).collect()
}

/// The top-level modules a file names, through `crate::` or through `super::` all the way up.
fn in_crate(source: &Source) -> Vec<(usize, String)> {
    let first = |(line, path): (usize, Vec<String>)| path.into_iter().next().map(|name| (line, name));
    let mut named: Vec<(usize, String)> = paths(&source.code, "crate").into_iter().filter_map(first).collect();
    let inner = source.path.split_once("/src/").map_or("", |(_, inner)| inner);
    let depth = inner.trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').count();
    for (line, path) in paths(&source.code, "super") {
        let ups = 1 + path.iter().take_while(|name| *name == "super").count();
        if ups >= depth
            && let Some(name) = path.get(ups - 1)
        {
            named.push((line, name.clone()));
        }
    }
    named
}

fn plug_in_findings(package: &str, source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, path) in paths(&source.code, "orco_core") {
        if path.first().is_some_and(|name| INNER.contains(&name.as_str())) {
            findings.push(format!("{}:{line}: {package} uses orco_core::{}", source.path, path[0]));
        }
    }
    findings
}

#[test]
fn each_module_of_the_core_uses_only_the_layers_above_it() {
    let foreign = foreign();
    let sources = sources("crates/orco-core/src");
    let code = sources.iter().filter(|s| !is_test_file(&s.path));
    let findings: Vec<String> = code.flat_map(|s| core_findings(s, &foreign)).collect();
    none("layers crossed", &findings);
}

#[test]
fn plug_ins_and_the_keeper_do_not_know_the_engine() {
    let findings: Vec<String> = PLUG_INS
        .iter()
        .flat_map(|package| {
            let files = sources(&format!("crates/{package}/src"));
            assert!(!files.is_empty(), "{package} is gone");
            files.into_iter().flat_map(|source| plug_in_findings(package, &source)).collect::<Vec<_>>()
        })
        .collect();
    none("plug-ins that know too much", &findings);
}

/// The keeper's own process has no asynchronous runtime; only its client, which lives in the engine's process, has.
#[test]
fn the_keepers_process_knows_no_tokio() {
    let files = sources("crates/orco-keeper/src");
    let findings: Vec<String> = files
        .iter()
        .filter(|s| !is_test_file(&s.path) && module_of(&s.path).is_some_and(|m| m != "client"))
        .flat_map(|s| paths(&s.code, "tokio").into_iter().map(|(line, _)| format!("{}:{line}", s.path)))
        .collect();
    none("tokio in the keeper's process", &findings);
}

/// The terminal UI is a client of the control socket and nothing more.
const TUI: &str = "crates/orco-cli/src/tui/";
/// What only it may know.
const TUI_LIBRARIES: [&str; 2] = ["ratatui", "crossterm"];
/// What it must not know: whatever could change a service otherwise than through the socket.
const BEYOND_THE_SOCKET: [&str; 5] =
    ["orco_keeper", "orco_probes", "orco_runtime_docker", "orco_runtime_process", "orco_test"];
/// Modules of the core that it must not know either, and modules of the command.
const BEHIND_THE_SOCKET: [&str; 6] = ["engine", "brain", "journal", "load", "runtime", "probe"];

fn tui_findings(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let inside = source.path.starts_with(TUI);
    let mut find = |line: usize, what: &str| findings.push(format!("{}:{line}: {what}", source.path));
    for library in TUI_LIBRARIES.iter().filter(|_| !inside) {
        paths(&source.code, library).into_iter().for_each(|(line, _)| find(line, library));
    }
    if inside {
        for name in BEYOND_THE_SOCKET {
            paths(&source.code, name).into_iter().for_each(|(line, _)| find(line, name));
        }
        let core = paths(&source.code, "orco_core")
            .into_iter()
            .filter_map(|(line, path)| Some((line, path.into_iter().next()?)));
        for (line, module) in core.filter(|(_, module)| BEHIND_THE_SOCKET.contains(&module.as_str())) {
            find(line, &format!("orco_core::{module}"));
        }
    }
    findings
}

#[test]
fn the_terminal_ui_knows_the_socket_and_nothing_behind_it() {
    let files = sources("crates/orco-cli/src");
    assert!(files.iter().any(|s| s.path.starts_with(TUI)), "the terminal UI is gone");
    let code = files.iter().filter(|s| !is_test_file(&s.path));
    none("the terminal UI knows too much, or is known", &code.flat_map(tui_findings).collect::<Vec<_>>());
    let cases = [
        ("tui/app.rs", "use orco_core::{model::State, engine::Engine};", 1),
        ("tui/app.rs", "use orco_keeper::Client;", 1),
        ("tui/app.rs", "use ratatui::buffer::Buffer; use orco_core::log::sanitize;", 0),
        ("cmd/up/session.rs", "use ratatui::Terminal;", 1),
    ];
    for (file, text, found) in cases {
        let findings = tui_findings(&parse(format!("crates/orco-cli/src/{file}"), text));
        assert_eq!(findings.len(), found, "{text}: {findings:?}");
    }
}

/// The client of the container engine is a detail of one folder: no type of its reaches the rest, and a change of the
/// library ends there too.
fn engine_library_findings(source: &Source) -> Vec<String> {
    let (library, folder) = ENGINE_LIBRARY;
    let named = source.code.iter().filter(|token| token.text == library && !source.path.starts_with(folder));
    named.map(|token| format!("{}:{}: {library}", source.path, token.line)).collect()
}

#[test]
fn only_the_container_engine_knows_its_library() {
    let all: Vec<Source> = ["src", "crates", "examples"].iter().flat_map(|folder| sources(folder)).collect();
    let inside = |source: &&Source| source.path.starts_with(ENGINE_LIBRARY.1);
    assert!(all.iter().filter(inside).any(|s| s.code.iter().any(|t| t.text == ENGINE_LIBRARY.0)), "the folder is gone");
    let code = all.iter().filter(|s| !is_test_file(&s.path));
    let findings: Vec<String> = code.flat_map(engine_library_findings).collect();
    none("the engine's library outside of its folder", &findings);
    let elsewhere = parse("crates/orco-runtime-docker/src/runtime.rs", "fn f(docker: &bollard::Docker) {}");
    assert_eq!(engine_library_findings(&elsewhere).len(), 1);
    let within = parse("crates/orco-runtime-docker/src/engine/client.rs", "use bollard::Docker;");
    assert_eq!(engine_library_findings(&within), Vec::<String>::new());
}

#[test]
fn a_crossing_is_found() {
    let cases = [
        ("brain/decide.rs", "use crate::{model::Moment, engine::Clock};", "crate::engine"),
        ("brain/decide.rs", "use std::{collections::{BTreeMap, HashMap}};", "std::collections::HashMap"),
        ("brain/decide.rs", "fn f() { let _ = std::time::Instant::now(); }", "std::time::Instant"),
        ("model/time.rs", "use tokio::time;", "the crate tokio"),
        ("model/time.rs", "use super::super::spec::Stack;", "crate::spec"),
        ("graph.rs", "use super::brain::Brain;", "crate::brain"),
        ("policy/mod.rs", "fn f() { std::fs::read(\"x\"); }", "std::fs"),
    ];
    for (file, text, expected) in cases {
        let findings = core_findings(&parse(format!("crates/orco-core/src/{file}"), text), &["tokio".to_owned()]);
        assert_eq!(findings.len(), 1, "{text}: {findings:?}");
        assert!(findings[0].ends_with(expected), "{text}: {findings:?}");
    }
    let fine = "use crate::model::Moment; use std::collections::BTreeMap; #[cfg(test)] mod t { use tokio::time; }";
    assert_eq!(
        core_findings(&parse("crates/orco-core/src/brain/x.rs", fine), &["tokio".to_owned()]),
        Vec::<String>::new()
    );
    assert_eq!(core_findings(&parse("crates/orco-core/src/attic.rs", ""), &[]).len(), 1);
    let source = parse("crates/orco-probes/src/x.rs", "use orco_core::{probe::Probe, engine::Engine};");
    assert_eq!(plug_in_findings("orco-probes", &source).len(), 1);
}
