#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, fs, path::Path};

use tempfile::TempDir;

use super::*;

/// A home with a configuration of Docker: context `remote` (plain tcp), `secret` (with TLS), `shell` (ssh), `empty`.
fn home(current: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let docker = home.path().join(".docker");
    fs::create_dir_all(&docker).unwrap();
    fs::write(docker.join("config.json"), format!("{{\"auths\":{{}},\"currentContext\":\"{current}\"}}")).unwrap();
    // What `docker context create remote` writes: the folder is the name's SHA-256.
    let contexts = [
        (
            "b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a",
            r#"{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://192.0.2.1:2375","SkipTLSVerify":false,"New":1}}}"#,
        ),
        (
            "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
            r#"{"Name":"secret","Endpoints":{"docker":{"Host":"tcp://192.0.2.2:2376"}}}"#,
        ),
    ];
    for (id, meta) in contexts {
        fs::create_dir_all(docker.join("contexts/meta").join(id)).unwrap();
        fs::write(docker.join("contexts/meta").join(id).join("meta.json"), meta).unwrap();
    }
    fs::create_dir_all(
        docker.join("contexts/tls/2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b/docker"),
    )
    .unwrap();
    home
}

fn around(home: Option<&Path>, vars: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        vars: vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        home: home.map(Path::to_path_buf),
        runtime_dir: Some("/run/user/7".into()),
        root: "/".into(),
    }
}

/// One line per place: `FROM ADDRESS` or `FROM: WHY`.
fn shown(find: &Find, around: &Surroundings) -> Vec<String> {
    let line = |place: Place| match place.host {
        Ok(host) => format!("{} {host}", place.from),
        Err(why) => format!("{}: {why}", place.from),
    };
    places(find, around).into_iter().map(line).collect()
}

/// Explicit address, home, variables, and how the only place begins.
type Choice<'a> = (Option<&'a str>, &'a TempDir, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_somebody_has_chosen_is_the_only_place() {
    let (chosen, plain) = (home("remote"), home("default"));
    let docker = |host: Option<&str>| Find { flavour: Flavour::Docker, host: host.map(str::to_owned) };
    let cases: &[Choice<'_>] = &[
        (Some("unix:///x"), &chosen, &[("DOCKER_HOST", "unix:///y")], "the configured address unix:///x"),
        (None, &chosen, &[("DOCKER_HOST", "unix:///y"), ("DOCKER_CONTEXT", "secret")], "DOCKER_HOST unix:///y"),
        (None, &plain, &[("DOCKER_CONTEXT", "remote")], "context `remote` tcp://192.0.2.1:2375"),
        (None, &chosen, &[], "context `remote` tcp://192.0.2.1:2375"),
        (
            None,
            &plain,
            &[("DOCKER_CONTEXT", "secret")],
            "context `secret`: tcp://192.0.2.2:2376 with TLS is not supported",
        ),
        (None, &plain, &[("DOCKER_CONTEXT", "gone")], "context `gone`: there is no such context: "),
        (None, &plain, &[("DOCKER_HOST", "ssh://me@there")], "DOCKER_HOST: `ssh://me@there`: ssh is not supported"),
        (
            None,
            &plain,
            &[("DOCKER_HOST", "tcp://192.0.2.1:2376"), ("DOCKER_TLS_VERIFY", "1")],
            "DOCKER_HOST: tcp://192.0.2.1:2376 with DOCKER_TLS_VERIFY: TLS is not supported",
        ),
    ];
    for (host, home, vars, expected) in cases {
        let found = shown(&docker(*host), &around(Some(home.path()), vars));
        assert_eq!(found.len(), 1, "{vars:?}: {found:?}");
        assert!(found[0].starts_with(expected), "{vars:?}: {found:?}");
    }
}

#[test]
fn without_a_choice_the_usual_sockets_are_tried() {
    let plain = home("");
    let find = Find { flavour: Flavour::Docker, host: None };
    let usual = |home: &Path| {
        [
            "rootless socket unix:///run/user/7/docker.sock".to_owned(),
            format!("socket of Docker Desktop unix://{}/.docker/run/docker.sock", home.display()),
            "system socket unix:///var/run/docker.sock".to_owned(),
        ]
    };
    assert_eq!(shown(&find, &around(Some(plain.path()), &[])), usual(plain.path()));
    // `default` stands for no context, also where the file says another.
    let chosen = home("remote");
    assert_eq!(shown(&find, &around(Some(chosen.path()), &[("DOCKER_CONTEXT", "default")])), usual(chosen.path()));
    // A configuration elsewhere.
    let config = plain.path().join(".docker");
    let elsewhere = around(Some(chosen.path()), &[("DOCKER_CONFIG", config.to_str().unwrap())]);
    assert_eq!(shown(&find, &elsewhere), usual(chosen.path()));
    assert_eq!(shown(&find, &around(None, &[])).len(), 2);
}

#[test]
fn a_broken_configuration_is_named_and_the_usual_sockets_are_tried() {
    let broken = home("");
    let file = broken.path().join(".docker/config.json");
    for text in ["{", "7", "{\"currentContext\": 7}"] {
        fs::write(&file, text).unwrap();
        let found = shown(&Find { flavour: Flavour::Docker, host: None }, &around(Some(broken.path()), &[]));
        assert_eq!(found.len(), 4, "{text}: {found:?}");
        assert!(found[0].starts_with(&format!("the current context: {}", file.display())), "{text}: {found:?}");
    }
}

#[test]
fn podman_is_looked_for_where_podman_listens() {
    let find = Find { flavour: Flavour::Podman, host: None };
    let vars = [("DOCKER_HOST", "unix:///var/run/docker.sock")];
    let usual =
        ["rootless socket unix:///run/user/7/podman/podman.sock", "system socket unix:///run/podman/podman.sock"];
    assert_eq!(shown(&find, &around(None, &vars)), usual);
    let said = around(None, &[("CONTAINER_HOST", "unix:///p.sock")]);
    assert_eq!(shown(&find, &said), ["CONTAINER_HOST unix:///p.sock"]);
}
