//! kill -9 of detached keepers: their services live on, and another keeper takes them over.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, net::UnixListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use orco_core::model::{Exit, InstanceId};
use orco_keeper::{Backend, Client, Config, Detached, Event, Fate, Known, Launch, Spawn, daemon::Origin};

use crate::{
    trees::rounds,
    world::{alive, called, cgroups_work, eventually, fresh, kill, stamped, within},
};

/// Counts as fast as it can.
const COUNT: &str = "trap 'exit 7' TERM; i=0; while :; do echo $i; i=$((i+1)); done";

/// A client of detached keepers: this process is their engine.
struct Stack {
    client: Option<Client>,
    dir: tempfile::TempDir,
    backend: Backend,
    ids: Vec<InstanceId>,
}

impl Stack {
    async fn new(backend: Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        UnixListener::bind(dir.path().join("control")).unwrap();
        let mut stack = Self { client: None, dir, backend, ids: Vec::new() };
        stack.attach().await;
        stack
    }

    async fn all() -> Vec<Self> {
        let mut all = vec![Self::new(Backend::Sweep).await];
        if cgroups_work().await {
            all.push(Self::new(Backend::Cgroup).await);
        }
        all
    }

    /// A new engine with a new keeper.
    async fn attach(&mut self) {
        let _ = fs::remove_file(self.dir.path().join("control"));
        let mut config = Config::new();
        config.backend = self.backend;
        config.detached = Some(Detached {
            engine_arguments: vec!["no such test".into(), self.dir.path().into()],
            lock: Arc::new(fs::File::create(self.dir.path().join("lock")).unwrap().into()),
            listener: Arc::new(UnixListener::bind(self.dir.path().join("control")).unwrap().into()),
            origin: Origin { umask: 0o022, ..Origin::default() },
        });
        let client = Client::new(config);
        client.connect().await.unwrap();
        self.client = Some(client);
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }

    fn keeper(&self) -> u32 {
        self.client().keeper_pid().unwrap()
    }

    /// Kills the keeper, and waits until another one has taken over.
    async fn kill_keeper(&self) {
        let keeper = self.keeper();
        kill(keeper, libc::SIGKILL);
        let Event::KeeperLost(why) = within(self.event()).await else { panic!("another event") };
        assert!(why.contains(&keeper.to_string()) && why.contains(&self.keeper().to_string()), "{why}");
    }

    /// The next event that is no full segment.
    async fn event(&self) -> Event {
        loop {
            match self.client().event().await {
                Event::Rotated { .. } => self.client().acknowledge(),
                lost @ Event::KeeperLost(_) => return lost,
            }
        }
    }

    /// Kills engine and keeper: nobody is left who knows anything. Returns what a journal would know.
    async fn kill_both(&mut self) -> Vec<Known> {
        let client = self.client.take().unwrap();
        let known = self.ids.iter().filter_map(|id| Some(self.known(*id, &client.token(*id)?))).collect();
        let keeper = client.keeper_pid().unwrap();
        drop(client);
        kill(keeper, libc::SIGKILL);
        eventually(|| !alive(keeper)).await;
        known
    }

    fn known(&self, id: InstanceId, token: &str) -> Known {
        Known {
            id,
            token: token.to_owned(),
            stop_signal: libc::SIGTERM,
            log_dir: self.dir.path().to_owned(),
            log_stem: id.to_string().into(),
        }
    }

    fn spawn_of(&mut self, program: &str, arguments: &[&str]) -> Spawn {
        let id = fresh();
        self.ids.push(id);
        let argv = std::iter::once(program).chain(arguments.iter().copied()).map(|a| Box::from(a.as_bytes()));
        let dir: Box<[u8]> = self.dir.path().as_os_str().as_bytes().into();
        let launch = Launch {
            id,
            program: program.as_bytes().into(),
            argv: argv.collect(),
            inherit: true,
            env: Vec::new(),
            workdir: dir.clone(),
            credentials: None,
        };
        Spawn { launch, stop_signal: libc::SIGTERM, log_dir: dir, log_stem: id.to_string().into_bytes().into() }
    }

    fn sh(&mut self, script: &str) -> Spawn {
        self.spawn_of("/bin/sh", &["-c", script])
    }

    async fn start(&mut self, script: &str) -> (InstanceId, u32) {
        let spawn = self.sh(script);
        let id = spawn.launch.id;
        (id, within(self.client().spawn(spawn)).await.unwrap())
    }

    async fn role(&mut self, role: &str, arguments: &[&str]) -> (InstanceId, u32) {
        let me = std::env::current_exe().unwrap();
        let arguments: Vec<&str> = ["--role", role].into_iter().chain(arguments.iter().copied()).collect();
        let spawn = self.spawn_of(me.to_str().unwrap(), &arguments);
        let id = spawn.launch.id;
        (id, within(self.client().spawn(spawn)).await.unwrap())
    }

    async fn end_of(&self, id: InstanceId) -> Exit {
        within(self.client().wait(id)).await.unwrap()
    }

    fn log(&self, id: InstanceId) -> String {
        let segment = |number: u32| fs::read(self.dir.path().join(format!("{id}.{number}.log"))).ok();
        String::from_utf8((0..).map_while(segment).flatten().collect()).unwrap()
    }

    async fn says(&self, id: InstanceId, text: &str) {
        eventually(|| self.log(id).contains(text)).await;
    }

    /// All numbers are there, once, in order; returns how many.
    fn counted(&self, id: InstanceId) -> usize {
        let log = self.log(id);
        for (at, line) in log.lines().enumerate() {
            assert_eq!(line, at.to_string(), "lost or doubled");
        }
        log.lines().count()
    }

    /// The control groups of this keeper that are left.
    fn groups_of(keeper: u32) -> Vec<PathBuf> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let Some(mount) = mounts.lines().find(|line| line.contains(" - cgroup2 ")) else { return Vec::new() };
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap().to_owned();
        let groups = fs::read_dir(PathBuf::from(mount.split(' ').nth(4).unwrap()).join(own)).unwrap().flatten();
        let name = format!("orco-{keeper}-");
        groups.map(|group| group.path()).filter(|path| path.to_str().unwrap().contains(&name)).collect()
    }
}

/// The keeper would wait for its engine, this process, and end it at last.
impl Drop for Stack {
    fn drop(&mut self) {
        let keeper = self.client.as_ref().and_then(Client::keeper_pid);
        drop(self.client.take());
        if let Some(keeper) = keeper.filter(|keeper| alive(*keeper)) {
            kill(keeper, libc::SIGKILL);
        }
        for pid in self.ids.iter().flat_map(|id| stamped(*id)) {
            // SAFETY: takes two numbers.
            unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_notices_that_its_keeper_is_killed() {
    for mut stack in Stack::all().await {
        let (counter, counting) = stack.start(COUNT).await;
        let (idle, idling) = stack.start("exec sleep 1000").await;
        for round in 0..rounds(20) {
            let code = i32::try_from(round % 100).unwrap();
            let go = stack.dir.path().join(format!("go{round}"));
            let script = format!("while [ ! -e {} ]; do sleep 0.005; done; echo end; exit {code}", go.display());
            let (ending, _) = stack.start(&script).await;
            let (dying, victim) = stack.start("exec sleep 1000").await;
            tokio::time::sleep(Duration::from_millis(u64::from(fresh().0 as u32 % 20))).await;
            stack.kill_keeper().await;
            fs::write(&go, "").unwrap();
            kill(victim, libc::SIGUSR1);
            // How it ended is known though nobody could wait for it.
            assert_eq!(stack.end_of(ending).await, Exit::Code(code));
            assert_eq!(stack.end_of(dying).await, Exit::Signal(libc::SIGUSR1));
            assert_eq!(stack.log(ending), "end\n");
            let mut live = stack.client().live();
            live.sort_by_key(|(_, pid)| *pid);
            assert_eq!(live, [(counter, Some(counting)), (idle, Some(idling))]);
            assert!(alive(counting) && alive(idling));
        }
        let seen = stack.log(counter).len() as u64;
        within(stack.client().beyond(counter, seen)).await;
        stack.client().stop(counter, libc::SIGTERM).await.unwrap();
        let end = stack.client().clone();
        let over = within(async {
            tokio::select! {
                exit = end.wait(counter) => exit,
                event = stack.event() => panic!("{event:?}"),
            }
        });
        assert_eq!(over.await, Some(Exit::Code(7)), "no SIGPIPE either");
        assert!(stack.counted(counter) > 1000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keepers_may_be_killed_faster_than_they_take_over() {
    let mut stack = Stack::new(Backend::Sweep).await;
    let (counter, counting) = stack.start(COUNT).await;
    for _ in 0..5 {
        let keeper = stack.keeper();
        kill(keeper, libc::SIGKILL);
        eventually(|| stack.client().keeper_pid().is_some_and(|now| now != keeper)).await;
    }
    stack.client().stop(counter, libc::SIGTERM).await.unwrap();
    assert_eq!(stack.end_of(counter).await, Exit::Code(7));
    assert!(!alive(counting));
    stack.counted(counter);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_under_way_are_carried_out_by_the_next_keeper_and_starts_did_not_happen() {
    let mut stack = Stack::new(Backend::Sweep).await;
    let (asked, _) = stack.start("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done").await;
    let (doomed, _) = stack.start("trap '' TERM; while :; do sleep 0.01; done").await;
    stack.says(asked, "ready").await;
    let keeper = stack.keeper();
    kill(keeper, libc::SIGSTOP);
    let (spawn, exec) = (stack.sh("sleep 1000"), stack.sh("sleep 1000").launch);
    let never = spawn.launch.id;
    let client = stack.client();
    let (start, command, stop, end, ()) = within(async {
        tokio::join!(
            client.spawn(spawn),
            client.exec(exec, Duration::from_secs(100)),
            client.stop(asked, libc::SIGTERM),
            client.kill(doomed),
            async {
                tokio::task::yield_now().await;
                kill(keeper, libc::SIGKILL);
            }
        )
    })
    .await;
    assert_eq!(start.unwrap_err().to_string(), "the keeper was lost");
    assert_eq!(command.unwrap_err().to_string(), "the keeper was lost");
    stop.unwrap();
    end.unwrap();
    assert_eq!(stack.end_of(asked).await, Exit::Code(5));
    assert_eq!(stack.end_of(doomed).await, Exit::Signal(libc::SIGKILL));
    assert!(stamped(never).is_empty() && stack.client().wait(never).await.is_none());
    // It works as any other.
    let (id, _) = stack.start("exit 3").await;
    assert_eq!(stack.end_of(id).await, Exit::Code(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_of_an_adopted_instance_is_gone_at_its_kill() {
    for mut stack in Stack::all().await {
        let tag = format!("tag-{}", fresh());
        // Without control groups an orphan that has cleaned its environment is nobody's.
        let clean: &[&str] = if stack.backend == Backend::Cgroup { &["clean"] } else { &[] };
        let arguments: Vec<&str> = std::iter::once(&*tag).chain(clean.iter().copied()).collect();
        let (hostile, _) = stack.role("hostile", &arguments).await;
        stack.says(hostile, "ready").await;
        let first = stack.keeper();
        stack.kill_keeper().await;
        assert!(called(&tag).len() > 10);
        stack.client().kill(hostile).await.unwrap();
        assert_eq!(stack.end_of(hostile).await, Exit::Signal(libc::SIGKILL));
        assert_eq!(called(&tag), Vec::<u32>::new());
        if stack.backend == Backend::Cgroup {
            eventually(|| Stack::groups_of(first).is_empty()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_adopted_main_process_leaves_ends_with_it_or_after_the_stop() {
    for mut stack in Stack::all().await {
        let leaves = "(trap '' TERM; setsid sleep 1000 & sleep 1000 &) ; echo ready; trap 'exit 4' TERM; \
                      while [ ! -e go ]; do sleep 0.005; done";
        let (left, _) = stack.start(leaves).await;
        let (stopped, main) = stack.start(leaves).await;
        stack.says(left, "ready").await;
        stack.says(stopped, "ready").await;
        stack.kill_keeper().await;
        stack.client().stop(stopped, libc::SIGTERM).await.unwrap();
        eventually(|| !alive(main)).await;
        assert_eq!(stamped(stopped).len(), 2, "what a stopped one leaves lives until the kill");
        stack.client().kill(stopped).await.unwrap();
        assert_eq!(stack.end_of(stopped).await, Exit::Code(4));
        assert!(stamped(stopped).is_empty());
        fs::write(stack.dir.path().join("go"), "").unwrap();
        assert_eq!(stack.end_of(left).await, Exit::Code(0));
        assert!(stamped(left).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_death_of_both_a_new_pair_finds_what_is_left() {
    for mut stack in Stack::all().await {
        let (counter, counting) = stack.start(COUNT).await;
        let (ending, ends) = stack.start("while [ ! -e go ]; do sleep 0.005; done; exit 9").await;
        let (lost, losing) = stack.start("exec sleep 1000").await;
        let (leaves, leaving) = stack.start("(setsid sleep 1000 &); echo ready; exec sleep 1000").await;
        let (unnamed, nameless) = stack.start("exec sleep 1000").await;
        stack.says(leaves, "ready").await;
        let mut known = stack.kill_both().await;
        // Its pipe is full by then: it waits, and no signal ends it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(alive(counting));
        kill(losing, libc::SIGKILL);
        kill(leaving, libc::SIGKILL);
        eventually(|| !alive(losing) && !alive(leaving)).await;
        known.iter_mut().find(|known| known.id == unnamed).unwrap().token.clear();
        known.push(stack.known(fresh(), ""));
        let never = known.last().unwrap().id;
        stack.attach().await;
        let fates = within(stack.client().adopt(known)).await.unwrap();
        // The dead are found too as long as nobody has reaped them.
        for (id, pid) in [(lost, losing), (leaves, leaving)] {
            match fates[&id] {
                Fate::Gone => assert!(stack.client().wait(id).await.is_none()),
                fate => {
                    assert_eq!(fate, Fate::Live(pid));
                    assert_eq!(stack.end_of(id).await, Exit::Signal(libc::SIGKILL));
                }
            }
        }
        let expected = [
            (counter, Fate::Live(counting)),
            (ending, Fate::Live(ends)),
            (unnamed, Fate::Live(nameless)),
            (never, Fate::Gone),
        ];
        for (id, fate) in expected {
            assert_eq!(fates[&id], fate);
        }
        assert!(stamped(leaves).is_empty(), "what it left has ended with it");
        fs::write(stack.dir.path().join("go"), "").unwrap();
        assert_eq!(stack.end_of(ending).await, Exit::Code(9));
        let seen = stack.log(counter).len() as u64;
        within(stack.client().beyond(counter, seen)).await;
        stack.client().stop(counter, libc::SIGTERM).await.unwrap();
        assert_eq!(stack.end_of(counter).await, Exit::Code(7));
        assert!(stack.counted(counter) > 1000);
        // And it goes on like that.
        stack.kill_keeper().await;
        stack.client().stop(unnamed, libc::SIGTERM).await.unwrap();
        assert_eq!(stack.end_of(unnamed).await, Exit::Signal(libc::SIGTERM));
    }
}

/// Not left behind by a test that fails.
struct Stranger(std::process::Child);

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_under_a_recorded_pid_is_spared() {
    let mut stack = Stack::new(Backend::Sweep).await;
    let (id, pid) = stack.start("exec sleep 1000").await;
    let stranger = Stranger(std::process::Command::new("sleep").arg("1000").spawn().unwrap());
    let known = stack.kill_both().await;
    let token = known[0].token.clone();
    kill(pid, libc::SIGKILL);
    eventually(|| !alive(pid)).await;
    let parts: Vec<&str> = token.split(':').collect();
    let altered = |changes: &[(usize, String)]| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        changes.iter().for_each(|(at, value)| parts[*at] = value.clone());
        parts.join(":")
    };
    let other = stranger.0.id().to_string();
    let stat = fs::read_to_string(format!("/proc/{other}/stat")).unwrap();
    let start = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().to_owned();
    let tokens = [
        token.clone(),
        altered(&[(1, other.clone())]),
        altered(&[(1, other.clone()), (2, start.clone())]),
        // A kernel that gives processes no number of their own.
        altered(&[(1, other), (2, start), (4, "0".to_owned())]),
        "nonsense".to_owned(),
    ];
    stack.attach().await;
    for (at, token) in tokens.into_iter().enumerate() {
        let fates = within(stack.client().adopt(vec![stack.known(id, &token)])).await.unwrap();
        if at == 0 && fates[&id] == Fate::Live(pid) {
            // It is dead, and nobody has reaped it yet.
            assert_eq!(stack.end_of(id).await, Exit::Signal(libc::SIGKILL));
            stack.client().forget(id);
        } else {
            assert_eq!(fates[&id], Fate::Gone, "{token}");
        }
        assert!(alive(stranger.0.id()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_boot_nothing_is_taken_over() {
    let mut stack = Stack::new(Backend::Sweep).await;
    let (id, pid) = stack.start("exec sleep 1000").await;
    let known = stack.kill_both().await;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let token = known[0].token.replace(boot.trim(), "00000000-0000-0000-0000-000000000000");
    assert_ne!(token, known[0].token);
    stack.attach().await;
    let fates = within(stack.client().adopt(vec![stack.known(id, &token)])).await.unwrap();
    assert_eq!(fates[&id], Fate::Gone);
    assert!(alive(pid), "whoever it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shutdown_ends_the_adopted_too() {
    for mut stack in Stack::all().await {
        let (_, plain) = stack.start("exec sleep 1000").await;
        let (deaf, main) =
            stack.start("(setsid sleep 1000 &); trap '' TERM; echo ready; while :; do sleep 1; done").await;
        stack.says(deaf, "ready").await;
        stack.kill_keeper().await;
        let keeper = stack.keeper();
        within(stack.client().shutdown()).await;
        assert!(!alive(plain) && !alive(main) && stamped(deaf).is_empty());
        assert!(alive(keeper), "it waits for its engine");
        kill(keeper, libc::SIGKILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_found_wherever_the_process_has_put_it() {
    let mut stack = Stack::new(Backend::Sweep).await;
    let elsewhere = "exec 7>&1 8>&2 >/dev/null 2>&1; echo ready >&8; while [ ! -e go ]; do sleep 0.005; done; \
                     echo out >&7; echo err >&8";
    let (moved, _) = stack.start(elsewhere).await;
    let child = "(while [ ! -e go ]; do sleep 0.005; done; echo late) & echo ready; exec >/dev/null 2>&1; wait";
    let (inherited, _) = stack.start(child).await;
    stack.says(moved, "ready").await;
    stack.says(inherited, "ready").await;
    stack.kill_keeper().await;
    fs::write(stack.dir.path().join("go"), "").unwrap();
    for (id, log) in [(moved, "ready\nout\nerr\n"), (inherited, "ready\nlate\n")] {
        assert_eq!(stack.end_of(id).await, Exit::Code(0));
        assert_eq!(stack.log(id), log);
    }
}
