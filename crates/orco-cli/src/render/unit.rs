//! A unit for systemd.

use std::{fmt::Write, path::Path, time::Duration};

/// What the unit is made from.
pub struct Unit<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// This program.
    pub program: &'a Path,
    /// The stack file.
    pub file: &'a Path,
    /// `ORCO_STATE_DIR`, where it is set.
    pub state_dir: Option<&'a Path>,
    /// For the user's own manager, instead of the system's.
    pub user: bool,
    /// The longest that an orderly stop may take.
    pub stop: Duration,
}

/// How long the engine may be silent, in seconds.
const WATCHDOG: u64 = 30;

/// The text of the unit.
pub fn unit(unit: &Unit<'_>) -> String {
    let mut text = String::new();
    let stack = escaped(unit.stack);
    let _ = write!(text, "[Unit]\nDescription=Orco stack {stack}\n");
    if !unit.user {
        text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
    }
    let (program, file) = (quoted(unit.program), quoted(unit.file));
    let _ = write!(
        text,
        "
[Service]
# The main process is the keeper; the engine, its child, says when it is ready and that it is alive.
Type=notify
NotifyAccess=all
ExecStart={program} daemon run -f {file}
# Reads the stack file again, as `orco apply` does.
ExecReload=/bin/kill -HUP $MAINPID
# The stop signal goes to the keeper alone, and services are stopped in order.
KillMode=mixed
TimeoutStopSec={}
Restart=on-failure
WatchdogSec={WATCHDOG}
# Each service gets a control group of its own.
Delegate=yes
",
        unit.stop.as_secs() + u64::from(unit.stop.subsec_nanos() > 0),
    );
    if let Some(dir) = unit.state_dir {
        let _ = writeln!(text, "Environment={}", word(&escaped(&format!("ORCO_STATE_DIR={}", dir.display()))));
    }
    let target = if unit.user { "default.target" } else { "multi-user.target" };
    let _ = write!(text, "\n[Install]\nWantedBy={target}\n");
    text
}

/// As one word of a command line, where `$` would begin a variable.
fn quoted(path: &Path) -> String {
    word(&escaped(&path.display().to_string()).replace('$', "$$"))
}

/// Quotes and blanks would end a word.
fn word(text: &str) -> String {
    if text.contains([' ', '\t', '"', '\'', '\\', ';']) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

/// `%` begins a specifier everywhere.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(user: bool, program: &str, file: &str, state_dir: Option<&str>) -> String {
        unit(&Unit {
            stack: "demo",
            program: Path::new(program),
            file: Path::new(file),
            state_dir: state_dir.map(Path::new),
            user,
            stop: Duration::from_millis(35_500),
        })
    }

    #[test]
    fn of_the_system() {
        insta::assert_snapshot!(sample(false, "/usr/bin/orco", "/srv/demo/stack.yaml", None));
    }

    #[test]
    fn of_a_user_with_an_awkward_path() {
        insta::assert_snapshot!(sample(true, "/opt/my tools/orco", "/home/me/100%/$x \"y\".yaml", Some("/tmp/o")));
    }
}
