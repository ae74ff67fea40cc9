//! Keepers that outlive their engines.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use orco_keeper::{Client, Config, daemon::Outcome};

use crate::{
    engine::GATE,
    stack::{Stack, below, in_time, soon},
    trees::rounds,
    world::{PATIENCE, alive, called, fresh, kill},
};

#[test]
fn the_launcher_hears_that_an_engine_serves_or_how_it_ended() {
    let stack = Stack::up();
    assert!(alive(stack.keeper));
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", stack.keeper)).unwrap().to_str(), Some("/"));
    let stat = fs::read_to_string(format!("/proc/{}/stat", stack.keeper)).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
    assert_ne!(parent, std::process::id().to_string(), "nobody has to wait for it");
    stack.down();

    let (failed, started) = Stack::begin("fail 3");
    assert_eq!(started.result(PATIENCE), Outcome::Failed { status: 3, text: "exit code 3".to_owned() });
    assert_eq!(failed.starts().len(), 1, "whoever ends by itself is not tried again");
    soon("the keeper goes", || called(failed.dir.path().to_str().unwrap()).is_empty());

    let (mute, started) = Stack::begin("mute");
    assert_eq!(started.result(Duration::from_millis(300)), Outcome::Silent);
    let keeper: u32 = mute.ask("keeper").parse().unwrap();
    let _ = mute.try_ask("shutdown");
    soon("the keeper goes", || !alive(keeper));
}

#[test]
fn an_engine_killed_before_it_serves_is_started_again() {
    let (mut stack, started) = Stack::begin("gate");
    soon("an engine starts", || !stack.starts().is_empty());
    kill(stack.starts()[0], libc::SIGKILL);
    soon("another starts", || stack.starts().len() > 1);
    fs::remove_file(stack.file(GATE)).unwrap();
    let outcome = started.result(PATIENCE);
    let Outcome::Serving { keeper_pid } = outcome else { panic!("{outcome:?}") };
    stack.keeper = keeper_pid;
    stack.down();
}

#[test]
fn killed_again_and_again_the_engine_comes_back_and_nothing_is_lost() {
    let stack = Stack::up();
    let (counter, counting) = stack.start("role count");
    let others: Vec<(String, u32)> = (0..5).map(|_| stack.start("role stay")).collect();
    for round in 0..rounds(20) {
        let go = stack.file(&format!("go{round}"));
        let script = format!("while [ ! -e {} ]; do sleep 0.005; done; exit {}", go.display(), round % 100);
        let (ending, _) = stack.start(&format!("start {script}"));
        // At any moment of its life.
        std::thread::sleep(Duration::from_millis(u64::from(fresh().0 as u32 % 60)));
        let engine = stack.engine();
        kill(engine, libc::SIGKILL);
        fs::write(&go, "").unwrap();
        let begun = Instant::now();
        assert_eq!(stack.ask(&format!("wait {ending}")), format!("Some(Code({}))", round % 100));
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert_ne!(stack.engine(), engine);
        // It is told to each engine until one has recorded it.
        if round % 4 == 0 {
            stack.kill_engine();
            soon("it is told", || stack.ask("held").contains(&ending));
        }
        let line = format!("Some(Code({}))", round % 100);
        assert!(
            stack
                .ask("held")
                .lines()
                .any(|held| held.starts_with(&ending) && (round % 4 != 0 || held.ends_with(&line)))
        );
        stack.ask(&format!("recorded {ending}"));
        let held = stack.ask("held");
        for (id, pid) in others.iter().chain([&(counter.clone(), counting)]) {
            assert!(held.contains(&format!("{id} {pid} None")), "{held}");
            assert!(alive(*pid));
        }
    }
    stack.kill_engine();
    assert_eq!(stack.ask("held").lines().count(), 6, "what is recorded is forgotten");
    kill(counting, libc::SIGTERM);
    assert_eq!(stack.ask(&format!("wait {counter}")), "Some(Signal(15))");
    let text = stack.output(&counter);
    let lines: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert!(lines.len() > 100);
    assert!(lines.iter().enumerate().all(|(at, line)| at == *line), "lost or doubled");
    stack.down();
    for (_, pid) in others {
        assert!(!alive(pid));
    }
}

#[test]
fn an_engine_that_talks_nonsense_is_replaced() {
    let stack = Stack::up();
    let (id, pid) = stack.start("role stay");
    for count in [5, 100, 70_000] {
        let engine = stack.engine();
        assert_eq!(stack.try_ask(&format!("nonsense {count}")).unwrap_or_default(), "");
        soon("it is killed", || !alive(engine));
        assert_ne!(stack.engine(), engine);
        assert!(stack.ask("held").contains(&format!("{id} {pid} None")));
    }
    assert!(stack.log("daemon.log").contains("the engine has ended: signal 9"));
    stack.down();
}

#[test]
fn a_crash_loop_is_given_up_until_somebody_asks() {
    let stack = Stack::up();
    let (id, pid) = stack.start("role stay");
    stack.mode("fail 9");
    stack.kill_engine();
    let given_up = || stack.log("daemon.log").contains("given up");
    in_time("it is given up", Duration::from_secs(60), given_up);
    // The first one, and ten tries of which the last is the tenth without a service.
    let tries = stack.starts().len();
    assert_eq!(tries, 11);
    assert!(alive(pid));
    // Whoever knocks now is told no, after one more try; and it is not tried again and again.
    std::thread::sleep(Duration::from_millis(1100));
    let mut stream = stack.connect();
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(stack.starts().len(), tries + 1);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(stack.starts().len(), tries + 1);
    kill(stack.keeper, libc::SIGHUP);
    soon("a hang-up is a question too", || stack.starts().len() == tries + 2);
    stack.mode("");
    std::thread::sleep(Duration::from_millis(1100));
    assert!(stack.ask("held").contains(&format!("{id} {pid} None")));
    assert_eq!(stack.ask("asked"), libc::SIGHUP.to_string());
    stack.down();
}

#[test]
fn without_any_engine_a_stop_of_the_keeper_ends_everything() {
    let stack = Stack::up();
    let (_, pid) = stack.start("start trap 'echo bye > bye; exit' TERM; while :; do sleep 0.01; done");
    let (_, deaf) = stack.start("role hostile tag");
    stack.mode("fail 9");
    stack.kill_engine();
    in_time("it is given up", Duration::from_secs(60), || stack.log("daemon.log").contains("given up"));
    let begun = Instant::now();
    kill(stack.keeper, libc::SIGTERM);
    in_time("the keeper goes", Duration::from_secs(30), || !alive(stack.keeper));
    assert!(!alive(pid) && !alive(deaf));
    assert_eq!(stack.log("bye"), "bye\n", "it was asked first");
    assert!(begun.elapsed() >= Duration::from_secs(9), "the deaf one was given time");
}

#[test]
fn signals_to_the_keeper_come_to_its_engine_also_to_the_next_one() {
    let stack = Stack::up();
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        kill(stack.keeper, signal);
        assert_eq!(stack.ask("asked"), signal.to_string());
    }
    for ignored in [libc::SIGUSR1, libc::SIGQUIT, libc::SIGTSTP, libc::SIGPIPE] {
        kill(stack.keeper, ignored);
    }
    fs::write(stack.file(GATE), "").unwrap();
    kill(stack.starts()[0], libc::SIGKILL);
    soon("the next one starts", || stack.starts().len() == 2);
    for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGHUP] {
        kill(stack.keeper, signal);
    }
    fs::remove_file(stack.file(GATE)).unwrap();
    let mut heard = [stack.ask("asked"), stack.ask("asked")];
    heard.sort();
    assert_eq!(heard, ["1", "15"], "each once");
    stack.down();
}

#[test]
fn an_engine_is_followed_by_the_program_it_names_and_by_the_former_one_if_that_fails() {
    let stack = Stack::up();
    let (id, pid) = stack.start("role stay");
    let other = stack.file("other");
    fs::copy(std::env::current_exe().unwrap(), &other).unwrap();
    assert_ne!(stack.ask("exe"), other.to_str().unwrap());
    let succeed = |program: &str| {
        let before = stack.starts().len();
        let _ = stack.try_ask(&format!("succeed {program}"));
        soon("the next one", || stack.starts().len() > before);
        let held = stack.ask("held");
        assert!(held.contains(&format!("{id} {pid} None")), "{held}");
        stack.ask("exe")
    };
    assert_eq!(succeed(other.to_str().unwrap()), other.to_str().unwrap());
    // Its file may go away: the keeper holds it open.
    fs::remove_file(&other).unwrap();
    stack.kill_engine();
    assert_eq!(stack.ask("exe"), format!("{} (deleted)", other.display()));
    for unusable in ["/bin/false", "/no/such", "/proc/version", "/"] {
        assert_eq!(succeed(unusable), format!("{} (deleted)", other.display()), "{unusable}");
    }
    let me = std::env::current_exe().unwrap();
    assert_eq!(succeed(me.to_str().unwrap()), me.to_str().unwrap());
    assert!(alive(pid));
    stack.down();
}

#[test]
fn after_the_shutdown_nothing_is_left_and_the_engine_goes_before_the_keeper() {
    let stack = Stack::up();
    let tag = format!("tag-{}", fresh());
    for _ in 0..3 {
        stack.start(&format!("role hostile {tag} clean"));
    }
    let engine = stack.engine();
    stack.down();
    assert!(stack.file("cleared").exists() && !alive(engine));
    assert_eq!(called(&tag), Vec::<u32>::new());
    assert_eq!(called(stack.dir.path().to_str().unwrap()), Vec::<u32>::new());
}

#[test]
fn a_stop_that_is_repeated_is_delivered_once() {
    let stack = Stack::up();
    let (id, _) = stack.start("start trap 'echo term' TERM; trap 'exit 5' INT; echo up; while :; do sleep 0.01; done");
    soon("it is up", || stack.output(&id).contains("up"));
    stack.ask(&format!("stop {id} 15"));
    soon("it hears", || stack.output(&id).contains("term"));
    stack.ask(&format!("stop {id} 15"));
    stack.kill_engine();
    stack.ask(&format!("stop {id} 15"));
    stack.ask(&format!("stop {id} 2"));
    assert_eq!(stack.ask(&format!("wait {id}")), "Some(Code(5))");
    // The shell may have said how its children ended.
    assert_eq!(stack.output(&id).matches("term\n").count(), 1);
    stack.down();
}

#[test]
fn commands_end_with_the_engine_that_wanted_them() {
    let stack = Stack::up();
    let tag = format!("tag-{}", fresh());
    assert_eq!(stack.ask("exec echo yes"), "yes\n");
    let mut stream = stack.connect();
    std::io::Write::write_all(&mut stream, format!("exec : {tag}; sleep 1000; :\n").as_bytes()).unwrap();
    soon("it runs", || !called(&tag).is_empty());
    stack.kill_engine();
    soon("it ends", || called(&tag).is_empty());
    assert_eq!(stack.ask("exec echo again"), "again\n");
    stack.down();
}

#[test]
fn services_begin_as_the_caller_began_and_outlive_the_keeper() {
    let stack = Stack::up();
    // SAFETY: swaps the mask twice.
    let umask = unsafe {
        let umask = libc::umask(0o022);
        libc::umask(umask);
        umask
    };
    let limit = nix_limit();
    let oom = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    for _ in 0..2 {
        let (id, _) = stack.start("role dump");
        assert_eq!(stack.ask(&format!("wait {id}")), "Some(Code(0))");
        let text = stack.output(&id);
        let expect = format!(
            "fd 0 /dev/null\nfd 1 pipe\nfd 2 pipe\nnofile {} {}\nsession true group true\ndeath 0\n",
            limit.0, limit.1
        );
        assert!(text.ends_with(&expect), "{text}");
        assert!(text.starts_with(&format!("Umask:{umask:04o}\nSigBlk:0000000000000000\nSigIgn:0000000000000000\n")));
        let (oomer, _) = stack.start("start cat /proc/self/oom_score_adj; env");
        assert_eq!(stack.ask(&format!("wait {oomer}")), "Some(Code(0))");
        assert!(stack.output(&oomer).starts_with(&oom));
        stack.kill_engine();
    }
    let expect = if may_lower_oom_score() { "-900\n" } else { &*oom };
    for pid in [stack.keeper, stack.engine()] {
        assert_eq!(fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap(), expect);
    }
    let name = fs::read_to_string(format!("/proc/{}/comm", stack.engine())).unwrap();
    assert_eq!(name, "orco\n");
    stack.down();
}

/// CAP_SYS_RESOURCE, without which the keeper stays as it is.
fn may_lower_oom_score() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
    u64::from_str_radix(capabilities, 16).unwrap() & 1 << 24 != 0
}

fn nix_limit() -> (u64, u64) {
    // SAFETY: a valid place.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        (limit.rlim_cur, limit.rlim_max)
    }
}

#[test]
fn without_descriptors_starts_fail_and_the_engine_comes_back_all_the_same() {
    let stack = Stack::up();
    let limit = libc::rlimit { rlim_cur: 60, rlim_max: nix_limit().1 };
    // SAFETY: a valid limit for a process of ours.
    let done = unsafe {
        libc::prlimit(stack.keeper.cast_signed(), libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut())
    };
    assert_eq!(done, 0);
    let mut services = Vec::new();
    let error = loop {
        let answer = stack.ask("role stay");
        match answer.split_once(' ') {
            Some(("error:", error)) => break error.to_owned(),
            Some((id, pid)) => services.push((id.to_owned(), pid.parse::<u32>().unwrap())),
            None => panic!("{answer}"),
        }
        assert!(services.len() < 60);
    };
    assert!(error.contains("too many open files"), "{error}");
    for _ in 0..5 {
        let engine = stack.engine();
        kill(engine, libc::SIGKILL);
        assert_ne!(stack.engine(), engine);
        assert!(services.iter().all(|(_, pid)| alive(*pid)));
    }
    let (id, pid) = services.pop().unwrap();
    kill(pid, libc::SIGKILL);
    assert_eq!(stack.ask(&format!("wait {id}")), "Some(Signal(9))");
    stack.ask(&format!("recorded {id}"));
    soon("there is room again", || !stack.ask("role stay").starts_with("error"));
    stack.down();
}

#[test]
fn an_engine_whose_keeper_is_killed_has_another_that_restarts_it() {
    let mut stack = Stack::up();
    let first = stack.keeper;
    kill(first, libc::SIGKILL);
    soon("it is gone", || !alive(first));
    // What is asked in between is told that the keeper was lost.
    soon("there is another", || stack.ask("keeper").parse::<u32>().is_ok_and(|now| now != first));
    let (id, pid) = stack.start("role stay");
    stack.keeper = stack.ask("keeper").parse().unwrap();
    assert_ne!(stack.keeper, first);
    let engine = stack.engine();
    for _ in 0..3 {
        kill(stack.engine(), libc::SIGKILL);
        assert!(stack.ask("held").contains(&format!("{id} {pid} None")));
        assert_eq!(stack.ask("keeper"), stack.keeper.to_string());
    }
    assert_ne!(stack.engine(), engine);
    kill(stack.keeper, libc::SIGTERM);
    assert_eq!(stack.ask("asked"), libc::SIGTERM.to_string());
    stack.down();
}

#[test]
#[ignore = "run by the test below"]
fn inner_become() {
    let dir = std::path::PathBuf::from(std::env::args_os().next_back().unwrap());
    if dir.is_dir() {
        std::io::stdout().write_all(b"\nbefore\n").unwrap();
        panic!("{}", orco_keeper::daemon::become_keeper(crate::stack::charter(&dir)));
    }
}

/// In a pid namespace of its own the keeper is process 1 and everybody's last parent.
#[test]
fn as_process_1_it_reaps_ten_thousand_orphans() {
    // SAFETY: takes nothing.
    if unsafe { libc::geteuid() } != 0 {
        assert!(std::env::var_os("CI").is_none(), "needs root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let first = Command::new("unshare")
        .args(["-pf", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(["detached::inner_become", "--exact", "--ignored", "--nocapture", dir.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = Namespace(first);
    let stack = Stack { dir, keeper: 0 };
    soon("it listens", || std::os::unix::net::UnixStream::connect(stack.file("control")).is_ok());
    assert_eq!(stack.ask("keeper"), "1");
    // Where others keep all processors busy the keeper has to wait for its turn, as we have: three chances.
    let mut seen = Vec::new();
    while seen.len() < 3 && seen.last().is_none_or(|(worst, allowed)| worst > allowed) {
        seen.push(storm(&stack));
    }
    writeln!(std::io::stderr(), "zombies at once, and how many may be: {seen:?}").unwrap();
    assert!(seen.last().is_some_and(|(worst, allowed)| worst <= allowed), "zombies at once, and allowed: {seen:?}");
    let out = BufReader::new(first.0.stdout.take().unwrap());
    let _ = stack.try_ask("shutdown");
    assert!(first.0.wait().unwrap().success());
    let said: Vec<String> = out.lines().map(Result::unwrap).collect();
    assert!(said.contains(&"before".to_owned()), "standard output stays: {said:?}");
}

/// How many zombies were seen at once while ten thousand orphans came and went, and how many may be: five, and those who
/// died while whoever wanted a processor had to wait for it. Afterwards there are none.
fn storm(stack: &Stack) -> (usize, usize) {
    const PAUSE: Duration = Duration::from_millis(5);
    let begun = std::time::Instant::now();
    let (id, _) = stack.start("role storm 10000");
    let (mut worst, mut looks, mut late) = (0, 0, Duration::ZERO);
    while stack.output(&id).is_empty() {
        worst = worst.max(stack.ask("zombies").parse().unwrap());
        looks += 1;
        // Who looks all the time takes the processor from who reaps.
        let before = std::time::Instant::now();
        std::thread::sleep(PAUSE);
        late = late.max(before.elapsed().saturating_sub(PAUSE + Duration::from_millis(1)));
    }
    let died = 10_000.0 * (2.0 * late.as_secs_f64() / begun.elapsed().as_secs_f64()).min(1.0);
    assert!(looks > 10, "{looks}");
    assert_eq!(stack.ask(&format!("wait {id}")), "Some(Code(0))");
    soon("all are reaped", || stack.ask("zombies") == "0");
    (worst, 5 + died as usize)
}

/// Its process 1 can only be killed from outside.
struct Namespace(std::process::Child);

impl Drop for Namespace {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            below(self.0.id()).into_iter().for_each(|pid| kill(pid, libc::SIGKILL));
            let _ = self.0.wait();
        }
    }
}

#[test]
fn an_engine_of_another_version_is_told_ours_and_refused() {
    let (stack, started) = Stack::begin("stranger");
    assert_eq!(started.result(PATIENCE), Outcome::Failed { status: 4, text: "exit code 4".to_owned() });
    assert!(stack.log("daemon.log").contains("the engine speaks protocol 9, this keeper 4"));
}

#[tokio::test]
async fn a_keeper_of_another_version_is_refused() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut &theirs, &[7, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5]).unwrap();
    let attached = Client::attach(Config::new(), ours.into(), std::process::id()).await;
    let error = attached.unwrap_err().to_string();
    assert!(error.ends_with("is a keeper of protocol 9, this program needs 4"), "{error}");
}
