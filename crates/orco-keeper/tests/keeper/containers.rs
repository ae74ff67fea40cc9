//! What becomes of containers when engine and keeper are killed, on the real engine.

use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use orco_keeper::{CleanUp, CleanUpError, Client, Config, EngineHost, Event};

use crate::{
    stack::soon,
    trees::rounds,
    world::{World, alive, fresh, kill, within},
};

const SOCKET: &str = "/var/run/docker.sock";
const IMAGE: &str = "orco-test/busybox:1";

/// Everything is gone by then (five times what it takes on an idle machine, and what is promised).
const PROMISED: Duration = Duration::from_secs(5);

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(["-H", &format!("unix://{SOCKET}")]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether there is an engine with the image. Where tests must not be skipped, its lack is a failure.
fn is_there() -> bool {
    let there = Path::new(SOCKET).exists()
        && Command::new("docker").args(["image", "inspect", IMAGE]).output().is_ok_and(|o| o.status.success());
    assert!(there || std::env::var_os("CI").is_none(), "no engine with {IMAGE} answers");
    if !there {
        let _ = writeln!(std::io::stderr(), "skipped: no engine with {IMAGE} answers");
    }
    there
}

/// The objects of a test. What is left of them goes with it.
struct Mess {
    label: String,
}

impl Mess {
    fn new() -> Self {
        Self { label: format!("orco.stack=test-{}", fresh()) }
    }

    fn filter(&self) -> String {
        format!("label={}", self.label)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let head = ["run", "-d", "--network", "none", "--label", &self.label];
        docker(&[&head[..], arguments, &[IMAGE, "/bin/sleep", "1000"]].concat())
    }

    /// Made, never started.
    fn create(&self) -> String {
        docker(&["create", "--network", "none", "--label", &self.label, IMAGE, "/bin/true"])
    }

    /// Sends the request to create one, and waits for nothing.
    fn ask_for_one(&self) -> UnixStream {
        let (name, value) = self.label.split_once('=').unwrap();
        let body = format!(
            r#"{{"Image":"{IMAGE}","Cmd":["/bin/true"],"Labels":{{"{name}":"{value}"}},"HostConfig":{{"NetworkMode":"none"}}}}"#
        );
        let mut stream = UnixStream::connect(SOCKET).unwrap();
        let head = "POST /containers/create HTTP/1.0\r\nContent-Type: application/json";
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        stream
    }

    fn containers(&self) -> Vec<String> {
        lines(&docker(&["ps", "-aq", "--no-trunc", "--filter", &self.filter()]))
    }

    fn networks(&self) -> Vec<String> {
        lines(&docker(&["network", "ls", "-q", "--filter", &self.filter()]))
    }

    fn volumes(&self) -> Vec<String> {
        lines(&docker(&["volume", "ls", "-q", "--filter", &self.filter()]))
    }

    fn clean_up(&self) -> CleanUp {
        CleanUp::new(EngineHost::Unix(SOCKET.into()), &*self.label)
    }

    fn engine(&self, mode: &str) -> Engine {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["containers::inner_engine", "--exact", "--ignored", "--nocapture"])
            .env("ORCO_TEST_LABEL", &self.label)
            .env("ORCO_TEST_MODE", mode)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut engine = Engine { process, said, keeper: 0 };
        engine.keeper = engine.next_keeper();
        engine
    }

    /// Waits until all containers and networks are gone; returns how long it took since then.
    fn gone_since(&self, begun: Instant, what: &str) -> Duration {
        let mut took = None;
        soon(what, || {
            let gone = self.containers().is_empty() && self.networks().is_empty();
            took = gone.then(|| begun.elapsed());
            gone
        });
        let took = took.unwrap();
        let _ = writeln!(std::io::stderr(), "{what}: gone after {took:?}");
        took
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Drop for Mess {
    fn drop(&mut self) {
        for (list, remove) in [("ps -aq", "rm -fv"), ("network ls -q", "network rm"), ("volume ls -q", "volume rm")] {
            let arguments: Vec<&str> = list.split(' ').chain(["--filter"]).collect();
            let filter = self.filter();
            for id in lines(&docker(&[&arguments[..], &[&filter]].concat())) {
                let _ = Command::new("docker").args(remove.split(' ')).arg(id).output();
            }
        }
    }
}

/// An engine in another process, with what is to be cleaned up registered.
struct Engine {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    keeper: u32,
}

impl Engine {
    /// What it says of its keeper: at first, and after each loss.
    fn next_keeper(&mut self) -> u32 {
        let said = self.said.by_ref().map(Result::unwrap);
        said.filter_map(|line| line.strip_prefix("keeper ").map(|pid| pid.parse().unwrap())).next().expect("no keeper")
    }

    fn kill(&mut self) -> Instant {
        let begun = Instant::now();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        begun
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "run by the tests below, in a process of its own"]
async fn inner_engine() {
    let (Ok(label), Ok(mode)) = (std::env::var("ORCO_TEST_LABEL"), std::env::var("ORCO_TEST_MODE")) else { return };
    let client = Client::new(Config::new());
    let clean_up = CleanUp::new(EngineHost::Unix(SOCKET.into()), label);
    let clean_up = if mode == "volumes" { clean_up.with_volumes() } else { clean_up };
    client.on_engine_death(clean_up.clone()).await.unwrap();
    client.on_engine_death(clean_up.clone()).await.unwrap();
    if mode == "withdraw" {
        client.clean_up_done(&clean_up.host, &clean_up.label);
    }
    loop {
        // Another one comes by itself, nobody asks for it.
        soon("there is a keeper", || client.keeper_pid().is_some());
        writeln!(std::io::stdout(), "\nkeeper {}", client.keeper_pid().unwrap()).unwrap();
        let Event::KeeperLost(_) = client.event().await else { panic!("another event") };
    }
}

#[test]
fn with_the_engine_its_containers_networks_and_anonymous_volumes_go_and_no_others() {
    if !is_there() {
        return;
    }
    let (mess, other) = (Mess::new(), Mess::new());
    let stranger = other.create();
    let volume = docker(&["volume", "create", "--label", &mess.label]);
    let network = docker(&["network", "create", "--label", &mess.label, &format!("test-{}", fresh())]);
    let mut engine = mess.engine("");
    let first = mess.run(&["-v", "/data"]);
    let mounts = "{{range .Mounts}}{{.Name}}{{end}}";
    let anonymous = docker(&["inspect", "--format", mounts, &first]);
    assert!(!anonymous.is_empty());
    docker(&["network", "disconnect", "none", &first]);
    docker(&["network", "connect", &network, &first]);
    for _ in 0..4 {
        mess.run(&[]);
    }
    mess.create();
    assert_eq!((mess.containers().len(), mess.networks().len()), (6, 1));
    let begun = engine.kill();
    let took = mess.gone_since(begun, "engine killed");
    assert!(took < PROMISED, "{took:?}");
    assert_eq!(mess.volumes(), [volume], "named volumes stay");
    assert!(!docker(&["volume", "ls", "-q"]).contains(&anonymous));
    assert_eq!(other.containers(), [stranger]);
    soon("the keeper goes", || !alive(engine.keeper));

    let mut engine = mess.engine("volumes");
    engine.kill();
    soon("named volumes go too, if asked", || mess.volumes().is_empty());
}

#[test]
fn with_engine_and_keeper_killed_at_once_the_guard_cleans_up() {
    if !is_there() {
        return;
    }
    // The keeper first, or the engine; and one some time after the other.
    for (round, (keeper_first, pause)) in
        [(true, 0), (false, 0), (true, 3), (true, 12), (true, 40)].into_iter().enumerate()
    {
        let mess = Mess::new();
        let mut engine = mess.engine("");
        mess.create();
        if round == 0 {
            mess.run(&[]);
        }
        let begun = if keeper_first {
            kill(engine.keeper, libc::SIGKILL);
            std::thread::sleep(Duration::from_millis(pause));
            engine.kill()
        } else {
            let begun = engine.kill();
            kill(engine.keeper, libc::SIGKILL);
            begun
        };
        let took = mess.gone_since(begun, &format!("engine and keeper killed, {pause} ms apart"));
        assert!(took < PROMISED, "{took:?}");
    }
}

#[test]
fn a_keeper_killed_alone_is_replaced_at_once_and_containers_live_on() {
    if !is_there() {
        return;
    }
    let mess = Mess::new();
    let mut engine = mess.engine("");
    let container = mess.run(&[]);
    for _ in 0..rounds(3) {
        let former = engine.keeper;
        let begun = Instant::now();
        kill(former, libc::SIGKILL);
        engine.keeper = engine.next_keeper();
        assert!(engine.keeper != former && begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    assert_eq!(docker(&["inspect", "--format", "{{.State.Running}}", &container]), "true");
    let begun = engine.kill();
    let took = mess.gone_since(begun, "engine killed after its keepers");
    assert!(took < PROMISED, "{took:?}");
}

#[test]
fn what_is_withdrawn_stays() {
    if !is_there() {
        return;
    }
    let mess = Mess::new();
    let mut engine = mess.engine("withdraw");
    let container = mess.create();
    let begun = engine.kill();
    soon("the keeper goes", || !alive(engine.keeper));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(mess.containers(), [container]);
}

#[test]
fn creates_in_flight_are_caught() {
    if !is_there() {
        return;
    }
    for _ in 0..rounds(3) {
        let mess = Mess::new();
        let mut engine = mess.engine("");
        // Asked for, not yet answered: they live or die with the container engine alone.
        let mut creates: Vec<UnixStream> = (0..4).map(|_| mess.ask_for_one()).collect();
        let begun = engine.kill();
        for create in &mut creates {
            let mut answer = String::new();
            create.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.0 201 "), "{answer}");
        }
        soon("the keeper goes", || !alive(engine.keeper));
        assert_eq!(mess.containers(), Vec::<String>::new());
        assert!(begun.elapsed() < PROMISED * 2, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_engine_that_is_done_but_lives_on_leaves_nothing_either() {
    if !is_there() {
        return;
    }
    for shuts_down in [true, false] {
        let (mess, world) = (Mess::new(), World::new().await);
        world.client.on_engine_death(mess.clean_up()).await.unwrap();
        mess.create();
        let keeper = world.client.keeper_pid().unwrap();
        if shuts_down {
            within(world.client.shutdown()).await;
            assert_eq!(mess.containers(), Vec::<String>::new());
            let late = world.client.on_engine_death(mess.clean_up()).await;
            assert!(matches!(late, Err(CleanUpError::NoKeeper(_))));
        } else {
            drop(world);
            // Whoever sees to it: the keeper, or its guard.
            kill(keeper, libc::SIGKILL);
            mess.gone_since(Instant::now(), "client dropped and keeper killed");
        }
    }
}
