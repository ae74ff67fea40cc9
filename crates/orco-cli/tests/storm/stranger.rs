//! A process that has come to a pid which the journal knows gets no signal, whatever the record says of it.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
};

use orco_core::journal::{Change, Folder, Journal};
use serde_json::{Value, json};

use crate::{
    census,
    dice::Dice,
    fleet::{Act, Fleet, Ship, kill9, until},
    strike::{Whom, holders, strike},
};

/// What the record says after it was altered: the fields of a token are format, pid, start, boot, number, two pipes,
/// and the control group.
fn altered(case: usize, token: &str, pid: u32) -> String {
    let mut parts: Vec<String> = token.splitn(8, ':').map(str::to_owned).collect();
    assert_eq!(parts.len(), 8, "another form of tokens: {token}");
    parts[1] = pid.to_string();
    let start = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = start.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    match case {
        // Only the pid was used again.
        0 => {}
        // In the same tick.
        1 => parts[2] = start,
        // Before the kernel gave processes numbers of their own.
        2 => (parts[2], parts[4]) = (start, "0".to_owned()),
        // And without control groups.
        3 => (parts[2], parts[4], parts[7]) = (start, "0".to_owned(), String::new()),
        // In another life of the machine.
        4 => (parts[2], parts[3]) = (start, "another-boot".to_owned()),
        _ => return format!("1:{pid}"),
    }
    parts.join(":")
}

const CASES: usize = 6;

/// Notes every signal that it can catch. In a group of its own: whoever signalled that would not hit us.
fn stranger(fleet: &Fleet, case: usize) -> Child {
    let script = format!(
        "for s in HUP INT QUIT USR1 USR2 TERM CONT; do trap \"echo $s >> got.{case}\" $s; done; : > ready.{case}; \
         while :; do sleep 0.05; done"
    );
    let child = Command::new("/bin/sh").args(["-c", &script]).current_dir(&fleet.dir).process_group(0).spawn().unwrap();
    until("the stranger is ready", || fleet.path(&format!("ready.{case}")).exists());
    child
}

#[test]
fn a_stranger_under_a_recorded_pid_gets_no_signal() {
    let ships: Vec<Ship> = (0..CASES).map(|n| Ship::new(format!("s{n}"), Act::Stay)).collect();
    let fleet = Fleet::new(&ships);
    fleet.ok(&["up", "-d"]);
    let status = fleet.settled(&ships);
    let mut dice = Dice::new("stranger");
    // Whatever of the two repairs the other.
    until("both are dead", || strike(&fleet, Whom::Both, &mut dice).is_none() && holders(&fleet) == Default::default());
    census::processes(&fleet.tag).iter().for_each(|process| _ = kill9(process.pid));
    until("the services are dead", || census::processes(&fleet.tag).is_empty());

    let mut strangers: Vec<Child> = (0..CASES).map(|case| stranger(&fleet, case)).collect();
    let mut journal = Journal::open(Folder::new(fleet.state().unwrap())).unwrap();
    let changes: Vec<Change> = (0..CASES)
        .map(|case| {
            let id = status["services"][format!("s{case}")]["instances"][0]["id"].as_str().unwrap();
            let key = format!("engine/instance/{id}");
            let mut record: Value = serde_json::from_slice(journal.entries().get(&*key).unwrap()).unwrap();
            let pid = strangers[case].id();
            record["pid"] = json!(pid);
            record["token"] = json!(altered(case, record["token"].as_str().unwrap(), pid));
            Change { key: key.into(), value: Some(record.to_string().into_bytes().into()) }
        })
        .collect();
    journal.append(&changes).unwrap();
    journal.sync().unwrap();
    drop(journal);

    fleet.ok(&["up", "-d"]);
    let status = fleet.settled(&ships);
    fleet.check(&ships);
    for (case, stranger) in strangers.iter().enumerate() {
        let pid = &status["services"][format!("s{case}")]["instances"][0]["pid"];
        assert_ne!(pid.as_u64(), Some(u64::from(stranger.id())), "case {case}: the stranger was taken for ours");
        assert_eq!(fleet.starts(&format!("s{case}.0")).len(), 2, "case {case}");
    }
    fleet.down();
    for (case, stranger) in strangers.iter_mut().enumerate() {
        let alive = stranger.try_wait().unwrap().is_none();
        let got = fs::read_to_string(fleet.path(&format!("got.{case}"))).unwrap_or_default();
        let _ = stranger.kill();
        let _ = stranger.wait();
        assert!(alive && got.is_empty(), "case {case}: the stranger got signals: {got:?}, alive: {alive}");
    }
}
