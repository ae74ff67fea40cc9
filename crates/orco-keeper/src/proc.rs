//! What /proc says about processes. Every answer may be out of date as soon as it is given.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    sync::OnceLock,
};

use libc::pid_t;
use orco_core::model::InstanceId;

use crate::STAMP;

/// The part of /proc/PID/stat that is needed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stat {
    pub(crate) parent: pid_t,
    pub(crate) session: pid_t,
    /// Clock ticks since boot.
    pub(crate) start: u64,
    /// Dead, and waiting for its parent to notice.
    pub(crate) zombie: bool,
}

/// Who is `pid` now?
pub(crate) fn stat(pid: pid_t) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    // The name in parentheses may hold anything, parentheses included.
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(15)?.parse().ok()?;
    Some(Stat { parent, session, start, zombie })
}

/// The stamp in the environment that `pid` was started with.
pub(crate) fn stamp(pid: pid_t) -> Option<InstanceId> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environ.split(|byte| *byte == 0).find_map(|variable| {
        let value = variable.strip_prefix(STAMP.as_bytes())?.strip_prefix(b"=")?;
        InstanceId::parse(std::str::from_utf8(value).ok()?)
    })
}

/// The status (as of waitpid(2)) of a dead process that its parent has not noticed yet, if it may be read.
pub(crate) fn zombie_status(pid: pid_t, start: u64) -> Option<i32> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text).filter(|stat| stat.zombie && stat.start == start)?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    std::str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace().nth(49)?.parse().ok()
}

/// The number of this boot.
pub(crate) fn boot() -> Option<String> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned()).filter(|id| !id.is_empty() && !id.contains(':'))
    };
    BOOT.get_or_init(read).clone()
}

/// The number of the pipe that this descriptor of `pid` has open, if it is one.
pub(crate) fn pipe_number(pid: pid_t, fd: impl std::fmt::Display) -> Option<u64> {
    let target = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    target.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok()
}

/// The descriptors that `pid` has open.
pub(crate) fn descriptors(pid: pid_t) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// All processes.
pub(crate) fn all() -> Vec<pid_t> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The children of all threads of `pid`.
pub(crate) fn children(pid: pid_t) -> Vec<pid_t> {
    if !kernel_lists_children() {
        return all().into_iter().filter(|child| stat(*child).is_some_and(|stat| stat.parent == pid)).collect();
    }
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        if let Ok(list) = fs::read(thread.path().join("children")) {
            found.extend(pids(&list));
        }
    }
    found
}

/// Whether this kernel has /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN).
fn kernel_lists_children() -> bool {
    static LISTS: OnceLock<bool> = OnceLock::new();
    *LISTS.get_or_init(|| File::open("/proc/thread-self/children").is_ok())
}

fn pids(list: &[u8]) -> impl Iterator<Item = pid_t> + '_ {
    list.split(u8::is_ascii_whitespace).filter_map(|pid| std::str::from_utf8(pid).ok()?.parse().ok())
}

/// The children of this process's main thread, which spawns and adopts all; read again and again.
#[derive(Debug)]
pub(crate) struct OwnChildren {
    list: Option<File>,
    text: Vec<u8>,
}

impl OwnChildren {
    pub(crate) fn new() -> Self {
        let me = std::process::id();
        Self { list: File::open(format!("/proc/{me}/task/{me}/children")).ok(), text: Vec::new() }
    }

    pub(crate) fn read(&mut self) -> Vec<pid_t> {
        self.text.clear();
        if let Some(list) = &mut self.list
            && list.seek(SeekFrom::Start(0)).is_ok()
            && list.read_to_end(&mut self.text).is_ok()
        {
            return pids(&self.text).collect();
        }
        children(std::process::id().cast_signed())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_full_of_parentheses_is_no_obstacle() {
        let text = b"12 (a) S (b)) Z 7 12 34 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 20\n";
        assert_eq!(parse_stat(text), Some(Stat { parent: 7, session: 34, start: 987_654, zombie: true }));
    }

    #[test]
    fn a_cut_line_is_no_answer() {
        for text in [&b""[..], b"12 (a", b"12 (a) S 7", b"12 (a) S x y z"] {
            assert_eq!(parse_stat(text), None);
        }
    }

    #[test]
    fn this_process_finds_itself() {
        let me = std::process::id().cast_signed();
        let stat = stat(me).unwrap();
        assert!(!stat.zombie && stat.start > 0);
        assert!(children(stat.parent).contains(&me));
        assert!(all().contains(&me));
    }
}
