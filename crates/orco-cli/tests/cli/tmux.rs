//! A terminal for tests: tmux, with a server of its own.

use std::{
    cell::Cell,
    process::{Command, Stdio},
};

use nix::sys::signal::Signal;

use crate::bench::{Bench, LIMIT, signal};

/// A shell in a terminal.
pub struct Tmux {
    socket: String,
    /// The process that is the terminal.
    server: Cell<i32>,
}

impl Tmux {
    /// A terminal of this size, in the folder of the bench. `None`: there is no tmux here, which is said; continuous
    /// integration must have it.
    pub fn open(bench: &Bench, width: u16, height: u16) -> Option<Self> {
        let there = Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "continuous integration needs tmux");
            eprintln!("skipped: no tmux here");
            return None;
        }
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let socket = bench.dir.path().join(format!("tmux{number}")).to_str().unwrap().to_owned();
        let tmux = Self { socket, server: Cell::new(0) };
        let (width, height) = (width.to_string(), height.to_string());
        let state = format!("ORCO_STATE_DIR={}", bench.dir.path().join("state").display());
        let size = ["-x", width.as_str(), "-y", height.as_str()];
        let mut command = tmux.command();
        command.args(["-f", "/dev/null", "new-session", "-d"]).args(size).args(["-e", state.as_str(), "-e", "PS1=$ "]);
        // An interactive shell has jobs.
        let status = command.args(["sh", "-i"]).current_dir(bench.dir.path()).env_remove("TMUX").env_remove("ORCO_LOG");
        assert!(status.status().unwrap().success(), "tmux starts");
        let output = tmux.command().args(["display-message", "-p", "#{pid}"]).output().unwrap();
        tmux.server.set(String::from_utf8(output.stdout).unwrap().trim().parse().unwrap());
        tmux.until("a prompt", |text| text.contains('$'));
        Some(tmux)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket]).stdin(Stdio::null());
        command
    }

    /// Presses keys, as tmux names them.
    pub fn keys(&self, keys: &[&str]) {
        assert!(self.command().arg("send-keys").args(keys).status().unwrap().success());
    }

    /// Runs the command under test in the shell; its exit code is shown behind `code=`.
    pub fn orco(&self, args: &str) {
        self.keys(&[&format!("{} {args}; echo code=$?", env!("CARGO_BIN_EXE_orco")), "Enter"]);
    }

    /// The same, without a word about how it ended.
    pub fn job(&self, args: &str) {
        self.keys(&[&format!("{} {args}", env!("CARGO_BIN_EXE_orco")), "Enter"]);
    }

    /// The screen.
    pub fn text(&self) -> String {
        let output = self.command().args(["capture-pane", "-p", "-J"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives the terminal another size.
    pub fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        let args = ["resize-window", "-x", &width, "-y", &height];
        assert!(self.command().args(args).status().unwrap().success());
    }

    /// It takes nothing any more.
    pub fn hang(&self) {
        signal(self.server.get(), Signal::SIGSTOP);
    }

    /// It takes everything again.
    pub fn go_on(&self) {
        signal(self.server.get(), Signal::SIGCONT);
    }

    /// Waits until the screen is so, and returns it.
    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let start = std::time::Instant::now();
        loop {
            let text = self.text();
            if is(&text) {
                return text;
            }
            assert!(start.elapsed() < LIMIT, "in vain: {what}\n{text}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Waits for the shell to show this exit code, with a terminal that is as it was: lines, and echo.
    pub fn until_back(&self, code: i32) -> String {
        let text = self.until("the shell is back", |text| text.contains(&format!("code={code}")));
        self.keys(&["clear; stty -a; echo done", "Enter"]);
        let modes = self.until("its modes", |text| text.contains("\ndone"));
        for mode in ["icanon", "echo", "isig", "icrnl", "opost"] {
            assert!(modes.split_whitespace().any(|word| word == mode), "{mode}: {modes}");
        }
        text
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        if self.server.get() > 0 {
            self.go_on();
        }
        let _ = self.command().arg("kill-server").status();
    }
}
