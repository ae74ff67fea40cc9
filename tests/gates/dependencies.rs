//! Dependencies: each is used, none comes twice, and the crates of the workspace depend on each other as the map says.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    metadata::{Package, majors, packages},
    none,
    rust::sources,
};

/// Crates that come in more than one major version through others. The reason, and who could end it.
const TWICE: &[(&str, &str)] = &[
    ("cpufeatures", "sha2 0.10, and chacha20 below proptest's rand"),
    ("foldhash", "comes with hashbrown"),
    ("hashbrown", "petgraph and indexmap follow it at their own pace"),
    ("syn", "macros of the terminal UI's libraries are on 2, all others on 3; at build time only"),
];

/// What each crate of the workspace may depend on within it. `-` marks: without default features.
const INSIDE: &[(&str, &[&str])] = &[
    ("orco-core", &[]),
    ("orco-keeper", &["-orco-core"]),
    ("orco-probes", &["-orco-core"]),
    ("orco-runtime-docker", &["-orco-core", "orco-keeper"]),
    ("orco-runtime-process", &["-orco-core", "orco-keeper"]),
    ("orco-test", &["orco-core", "orco-keeper", "orco-probes", "orco-runtime-process", "orco-runtime-docker"]),
    ("orco-api", &["orco-core"]),
    (
        "orco-cli",
        &["orco-core", "orco-keeper", "orco-probes", "orco-runtime-docker", "orco-runtime-process", "orco-api"],
    ),
    (
        "orco",
        &[
            "orco-core",
            "orco-keeper",
            "orco-probes",
            "orco-runtime-docker",
            "orco-runtime-process",
            "orco-test",
            "orco-api",
        ],
    ),
    ("orco-demo", &[]),
];

fn unused(package: &Package, in_code: &BTreeSet<String>, in_tests: &BTreeSet<String>) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|d| !(in_code.contains(&d.ident) || d.dev && in_tests.contains(&d.ident)))
        .map(|d| format!("{}: `{}` is declared and never named", package.name, d.name))
        .collect()
}

fn words(folder: &str) -> BTreeSet<String> {
    sources(folder).into_iter().flat_map(|s| s.code).map(|t| t.text).collect()
}

/// All identifiers, those under `#[cfg(test)]` included.
fn words_with_tests(folder: &str) -> BTreeSet<String> {
    sources(folder)
        .into_iter()
        .flat_map(|s| crate::rust::tokens(&std::fs::read_to_string(crate::rust::root().join(&s.path)).unwrap()))
        .map(|t| t.text)
        .collect()
}

#[test]
fn every_dependency_is_used() {
    let mut findings = Vec::new();
    for package in packages().iter().filter(|p| p.ours) {
        let at = |folder: &str| {
            if package.folder.is_empty() { folder.to_owned() } else { format!("{}/{folder}", package.folder) }
        };
        let tests = ["src", "tests", "examples", "benches"].iter().flat_map(|f| words_with_tests(&at(f))).collect();
        findings.extend(unused(package, &words(&at("src")), &tests));
    }
    none("dependencies without use (remove them from the manifest)", &findings);
}

fn doubled(packages: &[Package], allowed: &[(&str, &str)]) -> Vec<String> {
    let direct: BTreeSet<&str> =
        packages.iter().filter(|p| p.ours).flat_map(|p| p.dependencies.iter().map(|d| d.name.as_str())).collect();
    let majors: BTreeMap<String, Vec<String>> = majors(packages);
    let twice = |name: &str| majors.get(name).is_some_and(|versions| versions.len() > 1);
    let stale =
        allowed.iter().filter(|(name, _)| !twice(name)).map(|(name, _)| format!("{name}: once now, take it off"));
    majors
        .iter()
        .filter(|(name, _)| twice(name))
        .filter(|(name, _)| direct.contains(name.as_str()) || !allowed.iter().any(|(a, _)| a == name))
        .map(|(name, versions)| {
            let how = if direct.contains(name.as_str()) { "ours, and" } else { "not on the list," };
            format!("{name}: {how} in versions {}", versions.join(" and "))
        })
        .chain(stale)
        .collect()
}

#[test]
fn no_crate_comes_in_two_majors_unless_listed() {
    none("doubled crates", &doubled(&packages(), TWICE));
}

fn crossings(package: &Package, ours: &[Package]) -> Vec<String> {
    let Some((_, allowed)) = INSIDE.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!("{} is in no layer", package.name)];
    };
    let inside = package.dependencies.iter().filter(|d| !d.dev && ours.iter().any(|p| p.name == d.name));
    inside
        .filter(|d| {
            !(allowed.contains(&d.name.as_str()) || d.bare && allowed.contains(&format!("-{}", d.name).as_str()))
        })
        .map(|d| {
            format!("{} depends on {}{}", package.name, d.name, if d.bare { "" } else { " with its default features" })
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_the_map_says() {
    let ours: Vec<Package> = packages().into_iter().filter(|p| p.ours).collect();
    let findings: Vec<String> = ours.iter().flat_map(|p| crossings(p, &ours)).collect();
    none("crates that must not know each other", &findings);
}

#[test]
fn each_kind_of_fault_is_found() {
    use crate::metadata::Declared;
    let declared = |name: &str, dev| Declared { name: name.into(), ident: name.replace('-', "_"), dev, bare: false };
    let package = |name: &str, version: &str, ours, dependencies| Package {
        name: name.into(),
        version: version.into(),
        licence: None,
        ours,
        folder: String::new(),
        dependencies,
    };
    let mine = package(
        "orco-probes",
        "0.1.0",
        true,
        vec![declared("a-b", false), declared("c", true), declared("orco-api", false)],
    );
    let none_named = BTreeSet::new();
    let all_named: BTreeSet<String> = ["a_b", "c", "orco_api"].map(str::to_owned).into();
    assert_eq!(unused(&mine, &none_named, &all_named).len(), 2, "a test's word does not excuse a normal dependency");
    assert_eq!(unused(&mine, &all_named, &none_named), Vec::<String>::new());
    let api = package("orco-api", "0.1.0", true, vec![]);
    assert_eq!(crossings(&mine, &[mine.clone(), api]), ["orco-probes depends on orco-api with its default features"]);
    let tree = [
        mine,
        package("c", "0.1.3", false, vec![]),
        package("c", "0.2.0", false, vec![]),
        package("d", "1.0.0", false, vec![]),
        package("d", "2.0.0", false, vec![]),
        package("d", "2.1.0", false, vec![]),
    ];
    assert_eq!(
        doubled(&tree, &[]),
        ["c: ours, and in versions 0.1 and 0.2", "d: not on the list, in versions 1 and 2"]
    );
    assert_eq!(
        doubled(&tree, &[("c", "no excuse"), ("d", "some"), ("e", "gone")]),
        ["c: ours, and in versions 0.1 and 0.2", "e: once now, take it off"]
    );
}
