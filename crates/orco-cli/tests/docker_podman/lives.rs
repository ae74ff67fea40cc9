//! What a stack on Podman lives through.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    bench::{is_alive, until},
    yard::{Yard, container},
};

/// After a death nothing may be left for longer; promised are 5 s on a machine with nothing else to do.
const SOON: Duration = Duration::from_secs(25);

fn counts() -> String {
    container("counts", "n=0; while :; do n=$$((n+1)); echo $$n; sleep 0.05; done", "")
}

/// Three of the kinds of probes, a volume of each kind, and a process beside them.
fn services() -> String {
    let served = "echo served >/index.html; exec httpd -f -p 80 -h /";
    let keys = ", ports: [\"80\"], health: { http: { path: /index.html } }, volumes: [\"data:/data\", \"/scratch\"]";
    let deaf = container(
        "deaf",
        "trap '' TERM; echo afloat; while :; do sleep 0.1; done",
        ", health: { log: { pattern: afloat } }",
    );
    let probed = container("probed", "touch /ok; exec sleep 10000", ", health: { cmd: { command: [test, -e, /ok] } }");
    let web = container("web", served, keys);
    counts() + &web + &probed + &deaf + "  near: { command: [sh, -c, \"exec sleep 10000\"], dependsOn: [web] }\n"
}

/// Whether this Podman has something that knows the names of containers.
fn knows_names(yard: &Yard) -> bool {
    let backend = yard.podman.must(&["info", "--format", "{{.Host.NetworkBackend}}"]);
    let folders = ["/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman"];
    let knows = backend == "netavark" && folders.iter().any(|folder| Path::new(folder).join("aardvark-dns").exists());
    if !knows {
        assert!(std::env::var_os("CI").is_none(), "podman has no aardvark-dns");
        eprintln!("skipped: names of services, for podman has no aardvark-dns");
    }
    knows
}

/// The numbers that it has counted to, each life from 1, none lost or doubled.
fn counted(yard: &Yard) -> Vec<u64> {
    let done = yard.bench.orco(&["logs", "counts", "-o", "json"]);
    let line = |line: &str| -> u64 {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["msg"].as_str().unwrap().parse().unwrap_or_else(|_| panic!("{line}"))
    };
    let numbers: Vec<u64> = done.out.lines().map(line).collect();
    for pair in numbers.windows(2) {
        assert!(pair[1] == pair[0] + 1 || pair[1] == 1, "{pair:?} of {numbers:?}");
    }
    numbers
}

#[test]
fn detached_it_survives_whatever_happens_to_it() {
    let Some(mut yard) = Yard::new(&services()) else { return };
    let done = yard.bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let all = ["counts", "web", "probed", "deaf", "near"];
    assert!(all.iter().all(|name| yard.is_ready(name, 0)));
    if knows_names(&yard) {
        let asks = ["exec", &yard.running()["counts"].clone(), "wget", "-q", "-O", "-", "http://web/index.html"];
        assert_eq!(yard.podman.must(&asks), "served");
    }
    let hosts = yard.podman.must(&["exec", &yard.running()["counts"], "cat", "/etc/hosts"]);
    let host = hosts.lines().find(|line| line.ends_with("host.docker.internal")).expect(&hosts);
    assert!(host.split_whitespace().next().unwrap().parse::<std::net::IpAddr>().is_ok(), "{hosts}");

    // Behind its back.
    let before = yard.running();
    yard.podman.must(&["kill", &before["web"]]);
    yard.podman.must(&["rm", "--force", "--time=0", &before["probed"]]);
    until("both are there again", || yard.is_ready("web", 1) && yard.is_ready("probed", 1));
    let now = yard.running();
    assert!(["web", "probed"].iter().all(|name| before[*name] != now[*name]));
    assert!(["counts", "deaf"].iter().all(|name| before[*name] == now[*name]));

    // The engine of ours dies, then theirs is away for a while: nobody is restarted.
    let old = yard.kill_engine();
    until("another engine leads on", || {
        !is_alive(old) && yard.engine() != old && yard.bench.orco(&["status"]).code == Some(0)
    });
    yard.podman.down();
    assert!(yard.is_ready("near", 0), "a process does not care");
    yard.podman.up();
    until("all is known to be well", || {
        yard.is_ready("web", 1) && yard.is_ready("counts", 0) && yard.is_ready("deaf", 0)
    });
    assert_eq!(yard.running(), now);
    let numbers = counted(&yard).len();
    until("its output goes on", || counted(&yard).len() > numbers);

    let done = yard.bench.orco(&["down"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(yard.left(), Vec::<String>::new());
    // What has a name stays.
    let volumes = yard.podman.must(&["volume", "ls", "--quiet"]);
    assert!(volumes.ends_with("-data") && volumes.lines().count() == 1, "{volumes}");
}

#[test]
fn in_the_foreground_it_shares_the_fate_of_its_program_and_says_what_it_lacks() {
    let Some(mut yard) = Yard::new(&services()) else { return };
    let mut up = yard.bench.up(&[]);
    yard.bench.until_ready("web");
    yard.bench.until_ready("deaf");
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    let begun = Instant::now();
    until("nothing is left", || yard.left().is_empty());
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());

    // The same Podman, if it had no init.
    yard.podman.lose_init();
    let stack = "version: 0.1\nstack: { name: pods }\nservices:\n".to_owned();
    let bare = container("bare", "echo here; exec sleep 10000", ", init: false");
    yard.bench.write("stack.yaml", &(stack + &counts() + &bare));
    let mut up = yard.bench.up(&[]);
    yard.bench.until_ready("bare");
    let mut said = String::new();
    until("it says what is missing", || {
        said = yard.bench.orco(&["why", "counts"]).out;
        said.contains("init")
    });
    for part in ["no usable init", "catatonit", "`init: false`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    up.signal(nix::sys::signal::Signal::SIGTERM);
    up.end();
    assert_eq!(yard.left(), Vec::<String>::new());
}
