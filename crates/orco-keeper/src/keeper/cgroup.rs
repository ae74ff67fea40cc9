//! Control groups, version 2: one below our own for the stack, one below that for each instance.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use libc::pid_t;
use orco_core::model::InstanceId;

use super::spawn;
use crate::{
    proc,
    sys::{self, Reaped},
};

/// The stack's own group.
#[derive(Debug)]
pub(crate) struct Cgroups {
    root: PathBuf,
}

impl Cgroups {
    /// Makes the stack's group and moves a child into one below it, to see whether that works here: the files alone
    /// prove nothing.
    pub(crate) fn probe() -> io::Result<Self> {
        let above = own_group()?;
        remove_stale(&above);
        let me = std::process::id().cast_signed();
        let start = proc::stat(me).map_or(0, |stat| stat.start);
        let root = above.join(format!("orco-{me}-{start}"));
        fs::create_dir(&root)?;
        let cgroups = Self { root };
        let works = cgroups.try_out();
        if works.is_err() {
            cgroups.remove_all();
        }
        works.map(|()| cgroups)
    }

    fn try_out(&self) -> io::Result<()> {
        let id = InstanceId(0);
        let group = self.create(id)?;
        if !self.path(id).join("cgroup.kill").exists() {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        }
        let child = spawn::paused_child_in(&group)?;
        let moved = self.members(id).contains(&child);
        self.kill(id);
        let _ = sys::kill(child, libc::SIGKILL);
        let Reaped::Child(_, status) = sys::reap(child, true) else {
            return Err(io::Error::from_raw_os_error(libc::ECHILD));
        };
        self.remove(id);
        if moved && libc::WIFSIGNALED(status) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)) }
    }

    pub(super) fn path(&self, id: InstanceId) -> PathBuf {
        self.root.join(id.to_string())
    }

    /// A group for an instance, to be spawned into.
    pub(super) fn create(&self, id: InstanceId) -> io::Result<OwnedFd> {
        let path = self.path(id);
        fs::create_dir(&path)?;
        Ok(fs::File::open(path)?.into())
    }

    /// Kills everything in the instance's group and the groups below it.
    pub(super) fn kill(&self, id: InstanceId) {
        // Where it fails, the sweep by descent that always follows does it.
        let _ = fs::write(self.path(id).join("cgroup.kill"), "1");
    }

    pub(super) fn kill_all(&self) {
        let _ = fs::write(self.root.join("cgroup.kill"), "1");
    }

    /// Who is in the instance's group or one below it; the dying are not listed.
    pub(super) fn members(&self, id: InstanceId) -> Vec<pid_t> {
        let mut found = Vec::new();
        collect_members(&self.path(id), &mut found);
        found
    }

    /// Removes the instance's group. It may fail while the last process is on its way out; `remove_all` follows.
    pub(super) fn remove(&self, id: InstanceId) {
        remove_below(&self.path(id));
    }

    /// Removes the stack's group and all below it.
    pub(super) fn remove_all(&self) {
        // A killed process leaves its group a moment after its parent has reaped it.
        for _ in 0..100 {
            remove_below(&self.root);
            if !self.root.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// The instance in whose group `pid` is.
    pub(super) fn owner(&self, pid: pid_t) -> Option<InstanceId> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let group = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        let name = self.root.file_name()?.to_str()?;
        let mut parts = group.split('/').skip_while(|part| *part != name);
        parts.next()?;
        InstanceId::parse(parts.next()?)
    }
}

/// The group of an instance of any keeper that `pid` is in.
pub(super) fn group_of(pid: pid_t, id: InstanceId) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find_map(cgroup2_mount)?;
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let group = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    instance_group(group, id).map(|group| mount.join(group))
}

/// The part of a group's path that ends with the instance's own group, below one of a keeper.
fn instance_group(group: &str, id: InstanceId) -> Option<&Path> {
    let id = id.to_string();
    let below = |path: &&Path| {
        let above = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        path.file_name().is_some_and(|name| name == &*id) && above.is_some_and(|name| name.starts_with("orco-"))
    };
    Path::new(group).ancestors().find(below)
}

/// Who is in an instance's group, whichever keeper's; the dying are not listed.
pub(super) fn members_of(group: &Path) -> Vec<pid_t> {
    let mut found = Vec::new();
    collect_members(group, &mut found);
    found
}

/// Kills all in an instance's group, whichever keeper's.
pub(super) fn kill_group(group: &Path) {
    let _ = fs::write(group.join("cgroup.kill"), "1");
}

/// Removes an instance's group of a dead keeper, and that keeper's if it is empty then. False: somebody is in it.
pub(super) fn remove_group(group: &Path) -> bool {
    remove_below(group);
    if let Some(above) = group
        .parent()
        .filter(|above| above.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("orco-")))
    {
        let _ = fs::remove_dir(above);
    }
    !group.exists()
}

fn collect_members(group: &Path, found: &mut Vec<pid_t>) {
    if let Ok(list) = fs::read_to_string(group.join("cgroup.procs")) {
        // 0 stands for a process that this pid namespace does not know.
        found.extend(list.lines().filter_map(|pid| pid.parse::<pid_t>().ok()).filter(|pid| *pid != 0));
    }
    for below in groups_below(group) {
        collect_members(&below, found);
    }
}

fn remove_below(group: &Path) {
    // Most are empty and have none below.
    if fs::remove_dir(group).is_ok() {
        return;
    }
    for below in groups_below(group) {
        remove_below(&below);
    }
    let _ = fs::remove_dir(group);
}

/// Removes empty groups of guards that were killed.
fn remove_stale(above: &Path) {
    for group in groups_below(above) {
        let owner = group.file_name().and_then(|name| name.to_str()?.strip_prefix("orco-")?.split_once('-'));
        if let Some((pid, start)) = owner
            && let (Ok(pid), Ok(start)) = (pid.parse(), start.parse::<u64>())
            && proc::stat(pid).is_none_or(|stat| stat.start != start)
        {
            remove_below(&group);
        }
    }
}

fn groups_below(group: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(group) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// The directory of the group that this process is in.
fn own_group() -> io::Result<PathBuf> {
    let unsupported = || io::Error::from_raw_os_error(libc::EOPNOTSUPP);
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::")).ok_or_else(unsupported)?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mount = mounts.lines().find_map(cgroup2_mount).ok_or_else(unsupported)?;
    Ok(mount.join(group.trim_start_matches('/')))
}

/// The mount point, if this line of mountinfo is about the whole cgroup2 tree.
fn cgroup2_mount(line: &str) -> Option<PathBuf> {
    let (mount, source) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let root = fields.next()?;
    let point = fields.next()?;
    (source.starts_with("cgroup2 ") && root == "/").then(|| PathBuf::from(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instances_group_is_known_by_its_place() {
        let id = InstanceId(7);
        let own = format!("user/orco-12-345/{id}");
        assert_eq!(instance_group(&own, id), Some(Path::new(&*own)));
        assert_eq!(instance_group(&format!("{own}/below/that"), id), Some(Path::new(&*own)));
        for other in [format!("user/{id}"), format!("orco-12-345/{}", InstanceId(8)), String::new()] {
            assert_eq!(instance_group(&other, id), None, "{other}");
        }
    }

    #[test]
    fn only_a_whole_cgroup2_tree_will_do() {
        let cases = [
            ("35 34 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw", Some("/sys/fs/cgroup/unified")),
            ("35 34 0:30 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup rw,nsdelegate", Some("/sys/fs/cgroup")),
            ("35 34 0:30 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw", None),
            ("36 34 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", None),
            ("nonsense", None),
        ];
        for (line, expect) in cases {
            assert_eq!(cgroup2_mount(line), expect.map(PathBuf::from), "{line}");
        }
    }
}
