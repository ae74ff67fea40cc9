//! The programs that tests start: this binary as `--role NAME ARGUMENT...`, before libtest begins.

use std::{
    ffi::{CStr, CString, c_char, c_int},
    fs,
    io::Write,
    ptr,
    time::{Duration, Instant},
};

#[used]
#[unsafe(link_section = ".init_array")]
static ROLES: extern "C" fn(c_int, *const *const c_char) = before_main;

extern "C" fn before_main(argc: c_int, argv: *const *const c_char) {
    // SAFETY: glibc passes main's own arguments.
    let argument = |at: usize| unsafe { CStr::from_ptr(*argv.add(at)) }.to_str().unwrap_or("");
    let arguments: Vec<&str> = (0..argc as usize).map(argument).collect();
    if arguments.get(1) == Some(&"--role") {
        play(arguments[2], &arguments[3..]);
        std::process::exit(0);
    }
}

fn play(role: &str, arguments: &[&str]) {
    match role {
        "dump" => dump(),
        "hostile" => hostile(arguments[0], arguments.contains(&"clean"), arguments.contains(&"slow")),
        "hop" => hop(arguments[1].parse().unwrap()),
        "stay" => stay(),
        "hide" => hide(arguments[0]),
        "count" => count(),
        "storm" => storm(arguments[0].parse().unwrap()),
        other => panic!("no role {other}"),
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).unwrap();
    out.flush().unwrap();
}

fn fork() -> bool {
    // SAFETY: there is one thread.
    unsafe { libc::fork() == 0 }
}

fn ignore_all() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGCHLD] {
        // SAFETY: ignoring installs no code. (SIGCHLD: its own children vanish without being waited for.)
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

fn stay() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}

/// A thousand numbered lines a second.
fn count() -> ! {
    for number in 0.. {
        say(&format!("{number}\n"));
        std::thread::sleep(Duration::from_millis(1));
    }
    unreachable!()
}

/// Leaves behind so many orphans that live for a millisecond.
fn storm(count: u32) {
    for _ in 0..count {
        if fork() {
            if fork() {
                std::thread::sleep(Duration::from_millis(1));
            }
            // SAFETY: ends this copy alone.
            unsafe { libc::_exit(0) };
        }
        // SAFETY: any child of ours; its status is not wanted.
        unsafe { libc::waitpid(-1, ptr::null_mut(), 0) };
    }
    say("done\n");
}

/// What it was born with.
fn dump() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let masks =
        status.lines().filter(|line| ["SigBlk", "SigIgn", "SigCgt", "Umask"].iter().any(|m| line.starts_with(m)));
    let mut text: String = masks.map(|line| format!("{}\n", line.replace('\t', ""))).collect();
    let mut fds: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().flatten().map(|entry| entry.path()).collect();
    fds.sort();
    for fd in fds {
        let target = fs::read_link(&fd).unwrap_or_default();
        // The directory that is being read is open itself.
        if target.as_os_str() != "" && !target.starts_with("/proc") {
            let kind = target.display().to_string();
            let kind = kind.split(':').next().unwrap_or_default().to_owned();
            text += &format!("fd {} {kind}\n", fd.file_name().unwrap().display());
        }
    }
    // SAFETY: all take numbers or a valid place.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        text += &format!("nofile {} {}\n", limit.rlim_cur, limit.rlim_max);
        let me = libc::getpid();
        text += &format!("session {} group {}\n", libc::getsid(0) == me, libc::getpgrp() == me);
        let mut death = 0;
        libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut death);
        text += &format!("death {death}\n");
    }
    say(&text);
}

/// Fifty children that hide in sessions of their own, ignore what can be ignored, and never stay the same process:
/// together 200 forks a second.
fn hostile(tag: &str, clean: bool, slow: bool) {
    ignore_all();
    for child in 0..50 {
        if fork() {
            // SAFETY: takes nothing.
            unsafe { libc::setsid() };
            if !fork() {
                std::process::exit(0);
            }
            // SAFETY: takes nothing.
            unsafe { libc::setsid() };
            let millis = if child == 0 && !slow { 5 } else { 250 };
            become_hop(tag, millis, clean);
        }
    }
    say("ready\n");
    stay();
}

/// Executes itself as a hopper, perhaps without an environment.
fn become_hop(tag: &str, millis: u64, clean: bool) {
    let strings = ["orco-test", "--role", "hop", tag, &millis.to_string()].map(|s| CString::new(s).unwrap());
    let argv: Vec<*const c_char> = strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect();
    let empty = [ptr::null()];
    let path = c"/proc/self/exe".as_ptr();
    // SAFETY: the arrays end with null and outlive the call.
    unsafe {
        if clean {
            libc::execve(path, argv.as_ptr(), empty.as_ptr());
        } else {
            libc::execv(path, argv.as_ptr());
        }
    }
    panic!("cannot execute");
}

/// Dies and lives on in its child, again and again; but not for ever, should a test fail to end it.
fn hop(millis: u64) {
    ignore_all();
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(millis));
        if !fork() {
            std::process::exit(0);
        }
    }
}

/// Leaves behind a process in a session of its own without an environment, which holds standard output open.
fn hide(tag: &str) {
    let mut pipe = [0; 2];
    // SAFETY: room for two descriptors.
    assert_eq!(unsafe { libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    if fork() {
        // SAFETY: takes nothing.
        unsafe { libc::setsid() };
        if !fork() {
            std::process::exit(0);
        }
        become_hop(tag, 60_000, true);
    }
    // Until the other has executed itself, its old environment would give it away.
    // SAFETY: room for a byte, and two descriptors of our own.
    unsafe {
        libc::close(pipe[1]);
        libc::read(pipe[0], [0u8].as_mut_ptr().cast(), 1);
    }
    say("hidden\n");
    std::process::exit(0);
}
