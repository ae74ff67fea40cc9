//! A small engine for the tests of detached keepers: it does what is asked of it on its control socket, line by line.

use std::{
    fs,
    io::{Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use orco_core::model::InstanceId;
use orco_keeper::{Backend, Client, Config, Detached, Launch, Spawn, daemon};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use crate::world::fresh;

/// What the directory says about the next start.
const MODE: &str = "mode";
/// One line for each start: the pid.
pub const STARTS: &str = "starts";
/// While it exists, an engine does not attach.
pub const GATE: &str = "gate";

/// Speaks version 9, and ends with what the keeper answers as its own version.
fn greet_as_stranger() {
    let mut link = std::os::unix::net::UnixStream::from(daemon::inherited().unwrap().link);
    link.write_all(&[7, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5]).unwrap();
    let mut answer = Vec::new();
    link.read_to_end(&mut answer).unwrap();
    assert_eq!(answer[4], 0);
    std::process::exit(answer[5].into());
}

struct Engine {
    client: Client,
    /// Another name of the link, to talk nonsense on.
    raw: OwnedFd,
    dir: PathBuf,
}

/// What makes this binary an engine, before the directory.
pub const ARGUMENTS: [&str; 4] = ["engine::inner_engine", "--exact", "--ignored", "--nocapture"];

/// The engine; in a test of its own, for it needs a program whose `main` has begun.
#[test]
#[ignore = "started by keepers"]
fn inner_engine() {
    let dir = PathBuf::from(std::env::args_os().next_back().unwrap());
    if !dir.is_dir() {
        return;
    }
    let mut starts = fs::OpenOptions::new().append(true).create(true).open(dir.join(STARTS)).unwrap();
    writeln!(starts, "{}", std::process::id()).unwrap();
    let mode = fs::read_to_string(dir.join(MODE)).unwrap_or_default();
    if let Some(status) = mode.strip_prefix("fail ") {
        std::process::exit(status.trim().parse().unwrap());
    }
    if mode.trim() == "stranger" {
        greet_as_stranger();
    }
    while dir.join(GATE).exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(dir, &mode));
}

async fn serve(dir: PathBuf, mode: &str) {
    let inherited = daemon::inherited().expect("started by no keeper");
    assert!(daemon::inherited().is_none(), "taken twice");
    let raw = inherited.link.try_clone().unwrap();
    let mut config = Config::new();
    config.backend = Backend::Sweep;
    let listener = Arc::new(inherited.listener);
    config.detached = Some(Detached {
        engine_arguments: std::env::args_os().skip(1).collect(),
        lock: Arc::new(inherited.lock),
        listener: Arc::clone(&listener),
        origin: inherited.origin,
    });
    let client = Client::attach(config, inherited.link, inherited.keeper_pid).await.unwrap();
    assert_eq!(client.keeper_pid(), Some(inherited.keeper_pid));
    let listener = std::os::unix::net::UnixListener::from(listener.try_clone().unwrap());
    listener.set_nonblocking(true).unwrap();
    let listener = UnixListener::from_std(listener).unwrap();
    if mode.trim() != "mute" {
        client.serving();
    }
    let engine = Arc::new(Engine { client, raw, dir });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.answer(stream).await });
    }
}

impl Engine {
    async fn answer(&self, stream: UnixStream) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).await.is_err() {
            return;
        }
        let (verb, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let answer = self.obey(verb, rest).await;
        // Whoever asked may be gone.
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    async fn obey(&self, verb: &str, rest: &str) -> String {
        let client = &self.client;
        let id = || InstanceId::parse(rest.split(' ').next().unwrap()).unwrap();
        match verb {
            "pid" => std::process::id().to_string(),
            "exe" => fs::read_link("/proc/self/exe").unwrap().display().to_string(),
            "start" => self.start("/bin/sh", &["-c", rest]).await,
            "role" => {
                let me = fs::read_link("/proc/self/exe").unwrap();
                let arguments: Vec<&str> = ["--role"].into_iter().chain(rest.split(' ')).collect();
                self.start(me.to_str().unwrap(), &arguments).await
            }
            "exec" => {
                let launch = self.launch(fresh(), "/bin/sh", &["-c", rest]);
                let done = client.exec(launch, Duration::from_secs(100)).await;
                String::from_utf8(done.unwrap().output).unwrap()
            }
            "held" => {
                let line = |held: orco_keeper::Held| {
                    assert_eq!(held.log_stem.to_str(), Some(&*held.id.to_string()));
                    assert_eq!(held.log_dir, self.dir);
                    format!("{} {} {:?}\n", held.id, held.pid, held.exit)
                };
                client.inventory().into_iter().map(line).collect()
            }
            "wait" => format!("{:?}", client.wait(id()).await),
            "recorded" => {
                client.recorded(id());
                client.heard().await;
                String::new()
            }
            "stop" => {
                client.stop(id(), rest.split(' ').nth(1).unwrap().parse().unwrap()).await.unwrap();
                String::new()
            }
            "asked" => client.asked().await.to_string(),
            "keeper" => client.keeper_pid().map_or_else(String::new, |pid| pid.to_string()),
            "nonsense" => {
                let bytes: Vec<u8> = (0..rest.parse().unwrap()).map(|at: u32| (at * 37 + 11) as u8).collect();
                let _ = nix_write(&self.raw, &bytes);
                std::future::pending().await
            }
            "succeed" => {
                client.succeed(Path::new(rest));
                client.heard().await;
                std::process::exit(0)
            }
            "shutdown" => {
                client.shutdown().await;
                fs::write(self.dir.join("cleared"), "").unwrap();
                std::process::exit(0)
            }
            "exit" => std::process::exit(rest.parse().unwrap()),
            "zombies" => zombies().to_string(),
            // Only looked whether somebody listens.
            "" => String::new(),
            other => panic!("cannot {other}"),
        }
    }

    fn launch(&self, id: InstanceId, program: &str, arguments: &[&str]) -> Launch {
        let argv = std::iter::once(program).chain(arguments.iter().copied());
        Launch {
            id,
            program: program.as_bytes().into(),
            argv: argv.map(|argument| Box::from(argument.as_bytes())).collect(),
            inherit: true,
            env: Vec::new(),
            workdir: self.dir.as_os_str().as_bytes().into(),
            credentials: None,
        }
    }

    async fn start(&self, program: &str, arguments: &[&str]) -> String {
        let id = fresh();
        let spawn = Spawn {
            launch: self.launch(id, program, arguments),
            stop_signal: libc::SIGTERM,
            log_dir: self.dir.as_os_str().as_bytes().into(),
            log_stem: id.to_string().into_bytes().into(),
        };
        match self.client.spawn(spawn).await {
            Ok(pid) => format!("{id} {pid}"),
            Err(error) => format!("error: {error}"),
        }
    }
}

fn nix_write(fd: &OwnedFd, bytes: &[u8]) -> std::io::Result<()> {
    fs::File::from(fd.as_fd().try_clone_to_owned()?).write_all(bytes)
}

/// How many of all processes are dead and not reaped.
fn zombies() -> usize {
    let stats = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        fs::read_to_string(entry.path().join("stat")).ok()
    });
    stats.filter(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))).count()
}
