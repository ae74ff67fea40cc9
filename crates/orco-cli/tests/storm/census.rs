//! Who runs, seen from outside: by the marks in the environment of processes, never by what Orco believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// One live process with our tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: i32,
    pub session: i32,
    /// `service.replica`.
    pub seat: String,
    /// The instance it belongs to.
    pub instance: String,
}

/// All live processes (no zombies) with this tag in their environment. A process that ends or executes something else
/// while it is looked at is left out or seen at the next look.
pub fn processes(tag: &str) -> Vec<Process> {
    let mut found: Vec<Process> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| look(pid, tag))
        .collect();
    found.sort();
    found
}

fn look(pid: i32, tag: &str) -> Option<Process> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let variables: BTreeMap<&str, &str> = environ
        .split(|byte| *byte == 0)
        .filter_map(|variable| std::str::from_utf8(variable).ok()?.split_once('='))
        .collect();
    if variables.get("STORM_TAG") != Some(&tag) {
        return None;
    }
    let (seat, instance) = (variables.get("STORM_SEAT")?, variables.get("ORCO_INSTANCE")?);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let session = fields.nth(2)?.parse().ok()?;
    Some(Process { pid, session, seat: (*seat).to_owned(), instance: (*instance).to_owned() })
}

/// The instances of each seat that live.
pub fn instances(tag: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut seats: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for process in processes(tag) {
        seats.entry(process.seat).or_default().insert(process.instance);
    }
    seats
}

/// Whether the process is there and no zombie.
pub fn alive(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !matches!(stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next()), Some("Z" | "X") | None)
}
