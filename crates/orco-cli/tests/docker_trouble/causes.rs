//! Each cause of bad luck is told in `status`, `why` and the lines of the foreground; the other services go on; it heals
//! by itself when the cause goes; and who waits for all to be ready is told the culprit in time.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Stdio,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    bench::{pid, until},
    engine::{Engine, IMAGE, SOCKET, Yard},
    private::Private,
    proxy::{Manner, Proxy},
    registry::Registry,
};

const PROCESS: &str = "  p: { command: [sh, -c, \"while :; do echo tick; sleep 0.2; done\"] }\n";
/// How long `up --timeout` waits, and may take with all that follows.
const TIMEOUT: &str = "3s";
const IN_TIME: Duration = Duration::from_secs(20);

fn container(keys: &str) -> String {
    let shell = "command: [sh, -c, \"exec sleep 1000\"]";
    format!("{PROCESS}  c: {{ image: \"{IMAGE}\", {shell}{keys} }}\n")
}

fn image(image: &str, keys: &str) -> String {
    container(keys).replace(IMAGE, image)
}

/// What is said of a trouble, and where.
struct Said<'a> {
    /// All of it stands in the message.
    parts: &'a [&'a str],
    /// The service may not be to blame: its start is tried again without counting.
    held: bool,
}

/// It is told; then `relieve` ends the cause, and it heals.
fn is_told_and_heals(yard: &Yard, said: &Said<'_>, relieve: impl FnOnce()) {
    let bench = &yard.bench;
    names_the_culprit(yard, said);
    let mut up = bench.up(&[]);
    let has_all = |text: &str| said.parts.iter().all(|part| text.contains(part));
    let p = pid(&bench.until_ready("p"));
    let c = bench.until("c", &format!("tells {:?}", said.parts), |c| has_all(c["message"].as_str().unwrap()));
    assert!(c["ready"] == false, "{c:#}");
    if said.held {
        assert_eq!(c["restarts"], 0, "the service is not to blame: {c:#}");
    }
    let message = c["message"].as_str().unwrap();
    eprintln!("c: {message}");
    let mut why = String::new();
    until("`why` says so", || {
        why = bench.orco(&["why", "c"]).out;
        has_all(&why)
    });
    until("a line of the foreground says so", || {
        up.err().lines().any(|line| line.starts_with("c/0 ") && has_all(line))
    });
    // Nobody else is held up.
    let begun = Instant::now();
    assert_eq!(bench.orco(&["restart", "p"]).code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "a restart of another service took {:?}", begun.elapsed());
    let p_now = bench.service("p");
    assert!(p_now["ready"] == true && pid(&p_now) != p, "{p_now:#}");
    let ticks = up.out().lines().count();
    until("the process goes on", || up.out().lines().count() > ticks);
    relieve();
    let c = bench.until_ready("c");
    if said.held {
        assert_eq!(c["restarts"], 0, "{c:#}");
    }
    up.signal(Signal::SIGINT);
    let end = up.end();
    assert_eq!(end.code, Some(130), "{end:?}");
    nothing_is_left(yard);
}

/// `--wait` and `--timeout` say who it is, and leave nothing.
fn names_the_culprit(yard: &Yard, said: &Said<'_>) {
    for args in [&["up", "--timeout", TIMEOUT][..], &["up", "-d", "--wait", "--timeout", TIMEOUT]] {
        let begun = Instant::now();
        let done = yard.bench.orco(args);
        assert!(begun.elapsed() < IN_TIME, "{args:?} took {:?}", begun.elapsed());
        assert!(done.code.is_some_and(|code| code != 0), "{args:?}: {done:?}");
        let names = |line: &str| line.contains('c') && said.parts.iter().all(|part| line.contains(part));
        assert!(done.err.lines().any(names), "{args:?} does not say {:?}: {done:?}", said.parts);
        let down = yard.bench.orco(&["down"]);
        assert!(matches!(down.code, Some(0 | 3)), "{args:?}: {down:?}");
    }
}

fn nothing_is_left(yard: &Yard) {
    let left = Engine::at(SOCKET).containers(&yard.name, true);
    assert!(left.is_empty(), "{left:?}");
}

/// A trouble that a flaky way to the engine makes.
fn by_proxy(manner: Manner, parts: &[&str]) {
    let Some(engine) = Engine::system() else { return };
    let proxy = Proxy::new(manner);
    let yard = Yard::new(&engine, proxy.socket(), &container(""));
    is_told_and_heals(&yard, &Said { parts, held: true }, || proxy.set_now(Manner::Fine));
}

#[test]
fn an_absent_engine() {
    by_proxy(Manner::Refuses, &["cannot start yet: engine not reachable at unix://", "no such socket; is it running?"]);
}

#[test]
fn an_engine_that_fails() {
    by_proxy(Manner::Fails, &["cannot start yet: the engine answered 500: something broke"]);
}

#[test]
fn an_engine_that_closes_connections() {
    by_proxy(Manner::Drops, &["cannot start yet: ", "the engine's answer was cut off"]);
}

#[test]
fn a_port_that_is_bound() {
    let Some(engine) = Engine::system() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let yard = Yard::new(&engine, SOCKET, &container(&format!(", ports: [\"{port}:80\"]")));
    let says = format!("cannot start yet: port {port} of this machine is taken by another program");
    is_told_and_heals(&yard, &Said { parts: &[&says], held: true }, || drop(listener));
}

#[test]
fn an_unknown_image_and_one_for_another_platform() {
    let Some(engine) = Engine::system() else { return };
    let Some(registry) = Registry::on_this_machine() else { return };
    let there = registry.push(&engine, IMAGE, "orco-trouble:1");
    let clear = |image: &str| drop(engine.ask(&["rmi", image]));

    let absent = registry.name("orco-trouble:2");
    let yard = Yard::new(&engine, SOCKET, &image(&absent, ""));
    let said = Said { parts: &[&absent, "manifest unknown"], held: false };
    is_told_and_heals(&yard, &said, || drop(registry.push(&engine, IMAGE, "orco-trouble:2")));
    clear(&absent);

    let other = if cfg!(target_arch = "x86_64") { "linux/arm64" } else { "linux/amd64" };
    let yard = Yard::new(&engine, SOCKET, &image(&there, &format!(", platform: {other}")));
    names_the_culprit(&yard, &Said { parts: &[&there, other], held: false });
    nothing_is_left(&yard);
    clear(&there);
}

#[test]
fn permission_denied() {
    let Some(engine) = Engine::system() else { return };
    if !nix::unistd::geteuid().is_root() {
        return crate::engine::missing("to be somebody else needs root");
    }
    let proxy = Proxy::new(Manner::Fine);
    fs::set_permissions(&proxy.path, fs::Permissions::from_mode(0o600)).unwrap();
    let yard = Yard::new(&engine, proxy.socket(), &container(""));
    let dir = yard.bench.dir.path();
    std::os::unix::fs::chown(dir, Some(65534), Some(65534)).unwrap();
    // The program may lie where only we can look.
    let program = dir.join("orco");
    if fs::hard_link(env!("CARGO_BIN_EXE_orco"), &program).is_err() {
        fs::copy(env!("CARGO_BIN_EXE_orco"), &program).unwrap();
    }
    let out = fs::File::create(dir.join("up.out")).unwrap();
    let mut command = std::process::Command::new(&program);
    command.arg("up").current_dir(dir).uid(65534).gid(65534).stdin(Stdio::null());
    command.envs(yard.bench.env.iter().cloned()).env("ORCO_STATE_DIR", dir.join("state"));
    let mut up = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
    let said = || fs::read_to_string(dir.join("up.out")).unwrap();
    let denied = format!("c/0 * cannot start yet: permission denied on unix://{}: add yourself to", proxy.socket());
    until("it is told", || said().contains(&denied));
    until("the process goes on", || said().contains("p/0 | tick"));
    fs::set_permissions(&proxy.path, fs::Permissions::from_mode(0o666)).unwrap();
    until("it heals", || said().contains("c/0 * ready"));
    crate::bench::signal(i32::try_from(up.id()).unwrap(), Signal::SIGINT);
    assert_eq!(crate::bench::wait(&mut up, &["up"]).code(), Some(130), "{}", said());
    nothing_is_left(&yard);
}

#[test]
fn a_full_disk_of_the_engine() {
    let Some(private) = Private::with_disk(false, 64) else { return };
    let Some(registry) = Registry::start(private.inside("docker-registry")) else { return };
    let there = registry.push(&private.engine, IMAGE, "orco-trouble:1");
    private.engine.must(&["rmi", IMAGE]);
    let filler = private.fill();
    let yard = Yard::new(&private.engine, &private.socket(), &image(&there, ", network: none"));
    let said = Said { parts: &[&there, "the engine's disk is full", "no space left on device"], held: true };
    is_told_and_heals(&yard, &said, || private.remove(&filler));
}
