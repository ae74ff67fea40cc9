//! What the documents show is so: their stack files load without a word.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, path::Path};

use orco::{
    load::{Loaded, load_file},
    spec::Known,
};

fn load(path: &Path) -> Loaded {
    let known = Known::new(["process", "docker"], ["http", "tcp", "cmd", "log"]);
    let loaded = load_file(path, &known).unwrap_or_else(|e| panic!("{}: {:#?}", path.display(), e.diagnostics));
    assert!(loaded.diagnostics.is_empty(), "{}: {:#?}", path.display(), loaded.diagnostics);
    loaded
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_demos_stack_file_is_valid() {
    let loaded = load(&root().join("examples/demo/stack.yaml"));
    let names: Vec<&str> = loaded.stack.services().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["kv", "seed", "api", "web", "worker"]);
    for service in loaded.stack.services() {
        let program = &service.command.as_ref().unwrap().argv[0];
        let source = Path::new(program).file_name().unwrap().to_str().unwrap();
        assert!(
            root().join(format!("examples/demo/src/bin/{source}.rs")).exists(),
            "{program} is no program of the demo"
        );
    }
}

#[test]
fn the_mixed_stack_file_is_valid_and_mixed() {
    let loaded = load(&root().join("examples/mixed/stack.yaml"));
    let runtimes: Vec<(&str, &str)> =
        loaded.stack.services().iter().map(|s| (s.name.as_str(), s.runtime.as_str())).collect();
    let docker = ["db", "cache", "seed-db", "seed-cache", "report"];
    assert_eq!(runtimes.iter().filter(|(name, runtime)| docker.contains(name) == (*runtime == "docker")).count(), 6);
    assert!(root().join("examples/demo/src/bin/counter.rs").exists());
}

#[test]
fn the_readmes_stack_files_are_valid() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(!blocks.is_empty());
    let folder = tempfile::tempdir().unwrap();
    for block in blocks {
        let path = folder.path().join("stack.yaml");
        fs::write(&path, block).unwrap();
        assert!(!load(&path).stack.services().is_empty());
    }
}

#[test]
fn the_documents_name_only_files_that_exist() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "benches/peers/README.md",
        "examples/mixed/README.md",
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let folder = root().join(document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            let local = !target.contains("://") && !target.starts_with('#');
            assert!(!local || folder.join(target).exists(), "{document} links to {target}, which is not there");
        }
    }
}
