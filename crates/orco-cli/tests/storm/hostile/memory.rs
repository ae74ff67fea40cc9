//! No memory for the engine: it ends, and the keeper starts another. No service notices.

use std::{fs, process::Command};

use super::{custom, has, sleepers};
use crate::{
    census,
    fleet::{figure, until},
};

#[test]
fn an_engine_without_memory_is_replaced() {
    assert!(has("prlimit"), "prlimit is missing");
    let fleet = custom(&sleepers(10));
    fleet.ok(&["up", "-d", "--wait"]);
    let before = fleet.mains();
    let (engine, keeper) = (fleet.engine().unwrap(), fleet.keeper().unwrap());
    // Not a byte more than it has.
    let statm = fs::read_to_string(format!("/proc/{engine}/statm")).unwrap();
    let pages: u64 = statm.split_whitespace().next().unwrap().parse().unwrap();
    let limit = format!("--as={}", pages * 4096);
    assert!(Command::new("prlimit").args(["--pid", &engine.to_string(), &limit]).status().unwrap().success());
    // Whatever is asked needs memory some day; an answer may also be an error.
    let mut asked = 0;
    until("it has ended", || {
        asked += 1;
        fleet.write_padding(asked);
        let _ = fleet.orco(&["apply", "--dry-run"]);
        !census::alive(engine)
    });
    until("another serves", || fleet.status().is_some() && fleet.engine() != Some(engine));
    assert_eq!(fleet.keeper(), Some(keeper));
    assert_eq!(fleet.mains(), before);
    assert_eq!(fleet.restarts(), 0);
    figure(&format!("memory: the engine ended at question {asked}"));
    fleet.down();
}

impl crate::fleet::Fleet {
    /// A stack file that takes much memory to look at.
    fn write_padding(&self, times: usize) {
        let padding = "x".repeat((times * (1 << 20)).min(100 << 20));
        let more = format!("  padded: {{ command: [sleep, \"100000\"], env: {{ PADDING: {padding} }} }}\n");
        super::rewrite(self, &(sleepers(10) + &more));
    }
}
