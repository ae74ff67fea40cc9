//! Loading from a real folder.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{fs, os::unix::fs::symlink, path::Path};

use orco_core::{
    load::{Loaded, Rejected, find_stack_file, load_file, stack_id},
    spec::{Known, Severity},
};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<Loaded, Rejected> {
    load_file(folder.join("stack.yaml"), &Known::anything())
}

#[test]
fn a_stack_in_several_files() {
    let folder = folder(&[
        (
            "stack.yaml",
            "includes: [parts/base.yaml]\nstack: { workdir: run }\nservices: { api: { replicas: 2, env: { B: own } } }",
        ),
        (
            "parts/base.yaml",
            "includes: deeper/db.yaml\nservices: { api: { command: ./api, dependsOn: db, env: { A: base, B: base } } }",
        ),
        (
            "parts/deeper/db.yaml",
            "stack: { name: shop }\nservices: { db: { command: ./db, envFromFile: db.env, replicas: \"${COUNT}\" } }",
        ),
        ("run/db.env", "PASSWORD='$ecret $$ ${port}'\n"),
        (".env", "COUNT=3\nUNUSED=1\n"),
    ]);
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.stack.name(), &"shop");
    assert_eq!(loaded.stack.workdir(), folder.path().join("run"));
    let names: Vec<_> = loaded.stack.services().iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["db", "api"], "included first");
    let (db, api) = (loaded.stack.service("db").unwrap(), loaded.stack.service("api").unwrap());
    assert_eq!((db.replicas, api.replicas), (3, 2));
    assert_eq!(api.env.values().flatten().collect::<Vec<_>>(), ["base", "own"]);
    let filled = orco_core::spec::vars::fill(db.env["PASSWORD"].as_ref().unwrap(), |var| Err(var.clone()));
    assert_eq!(filled.unwrap(), "$ecret $$ ${port}", "an env file's value arrives as it is");
    assert_eq!(loaded.variables.into_iter().collect::<Vec<_>>(), [("COUNT".to_owned(), "3".to_owned())]);
    assert_eq!(loaded.sources.files().count(), 3);
}

#[test]
fn a_dotenv_of_another_program() {
    let folder = folder(&[
        ("stack.yaml", "services: { api: { command: \"./api ${A}\" } }"),
        (".env", "A=1\nthis is something else\n"),
    ]);
    let loaded = load(folder.path()).unwrap();
    let [warning] = loaded.diagnostics.as_slice() else { panic!("{:?}", loaded.diagnostics) };
    assert_eq!((warning.severity, warning.labels[0].line), (Severity::Warning, 2));
    assert!(warning.labels[0].file.ends_with(".env"));
    assert_eq!(loaded.stack.notes(), loaded.diagnostics);
}

#[test]
fn a_name_from_the_folder() {
    let folder = folder(&[("My Shop!/stack.yaml", "services: { api: { command: ./api } }")]);
    assert_eq!(load(&folder.path().join("My Shop!")).unwrap().stack.name(), &"my-shop");
}

#[test]
fn what_cannot_be_read() {
    let folder = folder(&[("stack.yaml/x", "")]);
    let rejected = load(folder.path()).unwrap_err();
    assert!(rejected.to_string().ends_with("it is a directory"), "{rejected}");
}

#[test]
fn finding_and_identity() {
    let folder = folder(&[("stack.yaml", "broken: ["), ("a/b/c", ""), ("elsewhere", "")]);
    let file = folder.path().join("stack.yaml").canonicalize().unwrap();
    assert_eq!(find_stack_file(&folder.path().join("a/b")).unwrap(), Some(file.clone()));
    assert_eq!(find_stack_file(folder.path()).unwrap(), Some(folder.path().join("stack.yaml")));
    let id = stack_id(&file).unwrap();
    symlink(&file, folder.path().join("a/link.yaml")).unwrap();
    assert_eq!(stack_id(&folder.path().join("a/link.yaml")).unwrap(), id);
    assert_eq!(stack_id(&folder.path().join("a/../stack.yaml")).unwrap(), id);
    assert_ne!(stack_id(&folder.path().join("elsewhere")).unwrap(), id);
    assert_eq!(id.to_string().len(), 12);
    assert!(stack_id(&folder.path().join("absent")).is_err());
}
