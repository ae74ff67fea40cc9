//! What cargo knows about the workspace and everything below it.

use std::{collections::BTreeMap, process::Command, sync::OnceLock};

use serde_json::Value;

use crate::rust::root;

/// `cargo metadata` for this platform, all features on.
pub fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();
    METADATA.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(root())
            .args(["metadata", "--format-version=1", "--locked", "--all-features", "--filter-platform", &host()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

fn host() -> String {
    let output = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into())).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// A package of the tree.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub licence: Option<String>,
    pub ours: bool,
    /// The manifest's folder, relative to the workspace, for our own.
    pub folder: String,
    pub dependencies: Vec<Declared>,
}

/// A dependency as a manifest declares it.
#[derive(Clone, Debug)]
pub struct Declared {
    pub name: String,
    /// The name in the source.
    pub ident: String,
    /// Only for tests, examples and benches.
    pub dev: bool,
    /// Without its default features.
    pub bare: bool,
}

/// The packages that this platform needs.
pub fn packages() -> Vec<Package> {
    let metadata = metadata();
    let ours: Vec<&str> = list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    let used: Vec<&str> = list(&metadata["resolve"], "nodes").iter().filter_map(|n| n["id"].as_str()).collect();
    let root = root();
    let found: Vec<Package> = list(metadata, "packages")
        .iter()
        .filter(|p| used.contains(&text(p, "id")))
        .map(|p| Package {
            name: text(p, "name").to_owned(),
            version: text(p, "version").to_owned(),
            licence: p["license"].as_str().map(str::to_owned),
            ours: ours.contains(&text(p, "id")),
            folder: text(p, "manifest_path")
                .trim_start_matches(root.to_str().unwrap())
                .trim_start_matches('/')
                .trim_end_matches("Cargo.toml")
                .trim_end_matches('/')
                .to_owned(),
            dependencies: list(p, "dependencies").iter().map(declared).collect(),
        })
        .collect();
    assert!(found.iter().filter(|p| p.ours).count() >= 7, "the workspace has shrunk");
    found
}

fn declared(d: &Value) -> Declared {
    let name = text(d, "name").to_owned();
    Declared {
        ident: d["rename"].as_str().unwrap_or(&name).replace('-', "_"),
        dev: d["kind"].as_str() == Some("dev"),
        bare: d["uses_default_features"].as_bool() == Some(false),
        name,
    }
}

/// Versions of each name that cargo holds apart (`0.2` and `0.3`, `1` and `2`).
pub fn majors(packages: &[Package]) -> BTreeMap<String, Vec<String>> {
    let mut majors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let of_name = majors.entry(package.name.clone()).or_default();
        let major = major(&package.version);
        if !of_name.contains(&major) {
            of_name.push(major);
        }
    }
    majors
}

fn major(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (Some(major), _) => major.to_owned(),
        (None, _) => version.to_owned(),
    }
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("")
}
