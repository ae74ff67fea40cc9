//! What children begin with, and that the keeper leaks nothing.

use std::{fs, path::Path, process::Command};

use orco_keeper::{CleanUp, EngineHost};

use crate::world::{World, eventually};

#[tokio::test]
async fn children_begin_clean() {
    // The test's own signal state is as dirty as it gets: a blocked and an ignored signal, open descriptors.
    // SAFETY: numbers and valid places.
    unsafe {
        libc::signal(libc::SIGWINCH, libc::SIG_IGN);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGUSR2);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        libc::dup2(2, 700);
    }
    for world in [World::all().await, vec![World::with(|config| config.nofile = (321, 654)).await]].concat_worlds() {
        let (id, _) = world.start(world.role("dump", &[])).await;
        world.end_of(id).await;
        let limit = world.client.config().nofile;
        // SAFETY: swaps the mask twice; other tests of this process do not depend on it.
        let umask = unsafe {
            let umask = libc::umask(0o022);
            libc::umask(umask);
            umask
        };
        let expect = format!(
            "Umask:{umask:04o}\nSigBlk:0000000000000000\nSigIgn:0000000000000000\nSigCgt:0000000000000000\n\
             fd 0 /dev/null\nfd 1 pipe\nfd 2 pipe\nnofile {} {}\nsession true group true\ndeath 9\n",
            limit.0, limit.1
        );
        assert_eq!(world.log_text(id), expect, "{:?}", world.client.backend());
    }
}

trait ConcatWorlds {
    fn concat_worlds(self) -> Vec<World>;
}

impl ConcatWorlds for [Vec<World>; 2] {
    fn concat_worlds(self) -> Vec<World> {
        self.into_iter().flatten().collect()
    }
}

fn open_files(pid: u32) -> usize {
    fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).unwrap().count()
}

fn threads(pid: u32) -> usize {
    fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")).unwrap().count()
}

#[tokio::test]
async fn the_keeper_leaks_nothing() {
    for world in World::all().await {
        let keeper = world.client.keeper_pid().unwrap();
        world.run("echo x").await;
        let (files, two) = (open_files(keeper), threads(keeper));
        assert_eq!(two, 2);
        for _ in 0..crate::trees::rounds(100) {
            world.run("echo x").await;
            let _ = world.client.exec(world.sh("echo y").launch, std::time::Duration::from_secs(10)).await;
            let mut gone = world.sh("true");
            gone.launch.program = (*b"/no/such").into();
            assert!(world.client.spawn(gone).await.is_err());
        }
        eventually(|| open_files(keeper) == files).await;
        assert_eq!(threads(keeper), 2);
    }
}

#[tokio::test]
async fn an_idle_keeper_does_not_wake_up() {
    let world = World::new().await;
    for _ in 0..20 {
        let (id, _) = world.start(world.sh("echo up; exec sleep 1000")).await;
        world.says(id, "up").await;
    }
    // What is to be cleaned up after us lets nobody wake up either.
    let clean_up = CleanUp::new(EngineHost::Unix("/no/such/engine".into()), "orco.stack=idle");
    world.client.on_engine_death(clean_up.clone()).await.unwrap();
    let keeper = world.client.keeper_pid().unwrap();
    let switches = || -> u64 {
        let count = |task: fs::DirEntry| {
            let status = fs::read_to_string(task.path().join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            line.trim().parse::<u64>().unwrap()
        };
        fs::read_dir(format!("/proc/{keeper}/task")).unwrap().flatten().map(count).sum()
    };
    // It settles once, then nothing at all.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let before = switches();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(switches(), before);
    world.client.clean_up_done(&clean_up.host, &clean_up.label);
}

#[test]
fn the_keeper_holds_the_lock_and_nothing_else_of_ours() {
    // In a process of its own: a descriptor that is not close-on-exec would leak into other tests' children.
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["clean::inner_lock", "--exact", "--ignored", "--quiet"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn inner_lock() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lock");
    let lock: std::os::fd::OwnedFd = fs::File::create(&file).unwrap().into();
    // SAFETY: copies without close-on-exec, as a careless program has them; 4 is where the keeper's own lock goes.
    unsafe {
        libc::dup2(2, 40);
        libc::dup2(2, 41);
    }
    let world = World::with(|config| config.lock = Some(std::sync::Arc::new(lock))).await;
    let fds = fs::read_dir(format!("/proc/{}/fd", world.client.keeper_pid().unwrap())).unwrap();
    let targets: Vec<_> = fds.flatten().map(|fd| (fd.file_name(), fs::read_link(fd.path()).unwrap())).collect();
    assert_eq!(targets.iter().filter(|(_, target)| *target == file).count(), 1);
    let own = |target: &Path| {
        let text = target.to_str().unwrap();
        let known = ["/dev/null", "socket:", "anon_inode:", "/proc/", "/memfd:orco-ledger"];
        target == file || text.ends_with("keeper.err") || known.iter().any(|start| text.starts_with(start))
    };
    assert!(targets.iter().all(|(_, target)| own(target)), "{targets:?}");
}
