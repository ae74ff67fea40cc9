//! Whatever call fails, and whenever the process or the machine dies: what was promised is there again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io;

use proptest::{collection::vec, prelude::*};

use super::{
    memory::{EINTR, EIO, ENOSPC, Fault, Memory},
    tests::{set, shown},
    *,
};

/// A journal, and what it has promised.
#[derive(Debug)]
struct Checked {
    journal: Journal<Memory>,
    /// The states after each batch, the present one last.
    states: Vec<Entries>,
    /// The state that the last good append or sync left: a crash loses nothing of it.
    written: usize,
    /// The state at the last good sync: a power cut loses nothing of it.
    synced: usize,
    failures: u32,
}

impl Checked {
    fn new(mut medium: Memory, plan: impl FnOnce(&mut Memory)) -> Self {
        plan(&mut medium);
        let journal = open(medium);
        let states = vec![journal.entries().clone()];
        Self { journal, states, written: 0, synced: 0, failures: 0 }
    }

    fn now(&self) -> usize {
        self.states.len() - 1
    }

    fn append(&mut self, changes: &[Change]) {
        let mut state = self.states.last().unwrap().clone();
        for Change { key, value } in changes {
            match value {
                Some(value) => drop(state.insert(key.clone(), value.clone())),
                None => drop(state.remove(key)),
            }
        }
        if !changes.is_empty() {
            self.states.push(state);
        }
        let result = self.journal.append(changes);
        assert_eq!(self.journal.entries(), self.states.last().unwrap(), "the map has the changes, written or not");
        assert_eq!(self.journal.is_behind(), result.is_err());
        match result {
            Ok(()) => self.written = self.now(),
            Err(_) => self.failures += 1,
        }
    }

    fn sync(&mut self) {
        match self.journal.sync() {
            Ok(()) => (self.written, self.synced) = (self.now(), self.now()),
            Err(_) => self.failures += 1,
        }
    }

    fn tidy(&mut self) {
        match self.journal.tidy() {
            Ok(true) => (self.written, self.synced) = (self.now(), self.now()),
            Ok(false) => {}
            Err(_) => self.failures += 1,
        }
    }

    /// The newest state like this one, if it is one of those from `least` on.
    #[track_caller]
    fn find(&self, least: usize, found: &Journal<Memory>, what: &str) -> usize {
        let Some(at) = self.states.iter().rposition(|state| state == found.entries()).filter(|at| *at >= least) else {
            let at = self.states.iter().rposition(|state| state == found.entries());
            panic!("{what}: state {at:?} of {} and not from {least} on; {:?}", self.now(), shown(found.entries()));
        };
        at
    }

    /// What would be found if the process, or the machine, died now.
    #[track_caller]
    fn check_deaths(&self) {
        let mut crashed = self.journal.medium().clone();
        crashed.crash();
        self.find(self.written, &open(crashed), "crash");
        for seed in 0..12 {
            let mut cut = self.journal.medium().clone();
            cut.power_cut(&mut { seed });
            self.find(self.synced, &open(cut), &format!("power cut {seed}"));
        }
        for keep in (0..self.journal.medium().bytes().len()).step_by(97) {
            let mut cut = self.journal.medium().clone();
            cut.power_cut_at(keep);
            self.find(self.synced, &open(cut), &format!("power cut at {keep}"));
        }
    }

    /// Dies and comes back.
    #[track_caller]
    fn restart(&mut self, power_cut: Option<u64>) {
        let mut medium = std::mem::take(self.journal.medium_mut());
        let least = match power_cut {
            None => {
                medium.crash();
                self.written
            }
            Some(mut seed) => {
                medium.power_cut(&mut seed);
                self.synced
            }
        };
        self.journal = open(medium);
        self.written = self.find(least, &self.journal, &format!("restart {power_cut:?}"));
        self.states.truncate(self.written + 1);
    }

    /// When calls succeed again, one batch and one sync bring all of it to the disk.
    #[track_caller]
    fn check_heals(mut self) {
        self.journal.medium_mut().crash();
        self.append(&[set("healed", "yes")]);
        assert_eq!(self.written, self.now(), "not healed");
        self.check_deaths();
        self.sync();
        assert_eq!(self.synced, self.now(), "not healed");
        self.check_deaths();
        // Now a power cut finds all of it, cut or not.
        for seed in 0..20 {
            let mut cut = self.journal.medium().clone();
            cut.power_cut(&mut { seed });
            let found = open(cut);
            assert_eq!((found.entries(), found.cut()), (self.journal.entries(), None));
        }
    }
}

/// Opens it; a failed read is tried once more.
#[track_caller]
fn open(medium: Memory) -> Journal<Memory> {
    match Journal::open(medium.clone()) {
        Ok(journal) => journal,
        Err(OpenError::Read { source, .. }) => {
            assert!(source.raw_os_error().is_some());
            let mut medium = medium;
            medium.crash();
            Journal::open(medium).unwrap()
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// A life with appends, syncs, a compaction and a restart; at least twenty calls of every kind there is.
fn live(checked: &mut Checked, check: bool) {
    let long = "long ".repeat(60_000);
    let each = |checked: &mut Checked| {
        if check {
            checked.check_deaths();
        }
    };
    for round in 0..3 {
        for i in 0..4 {
            checked.append(&[set(&format!("key {i}"), &format!("round {round}")), set("last", &i.to_string())]);
            each(checked);
        }
        checked.sync();
        each(checked);
        checked.append(&[Change::delete("key 1"), set("round", &round.to_string())]);
        each(checked);
        checked.sync();
        each(checked);
        if round == 1 {
            checked.restart(None);
        }
    }
    // Too long for a check of each state.
    for i in 0..5 {
        checked.append(&[set("long", &format!("{i} {long}"))]);
    }
    checked.append(&[set("long", "short again")]);
    checked.tidy();
    each(checked);
    checked.append(&[set("last", "of all")]);
    checked.sync();
    each(checked);
}

const FAULTS: [Fault; 7] = [
    Fault::Errno(ENOSPC),
    Fault::Errno(EIO),
    Fault::Errno(EINTR),
    Fault::Short(0),
    Fault::Short(1),
    Fault::Short(40),
    Fault::Short(100),
];

#[test]
fn without_faults_nothing_fails_and_all_is_promised() {
    let mut checked = Checked::new(Memory::new(), |_| {});
    live(&mut checked, true);
    assert_eq!((checked.failures, checked.written, checked.synced), (0, checked.now(), checked.now()));
    assert!(checked.journal.medium().calls() >= 40, "{}", checked.journal.medium().calls());
    assert!(checked.journal.len() < 1000, "it was compacted: {}", checked.journal.len());
    checked.check_heals();
}

#[test]
fn each_call_fails_in_each_way() {
    let mut failures = 0;
    for (n, fault) in (1..=48).flat_map(|n| FAULTS.map(|fault| (n, fault))) {
        let mut checked = Checked::new(Memory::new(), |medium| medium.fail(n, fault));
        // Each state is checked for the first twenty, and for one fault everywhere.
        let is_first = n <= 20 && matches!(fault, Fault::Errno(_) | Fault::Short(40));
        live(&mut checked, is_first || fault == Fault::Errno(EIO));
        assert!(checked.failures <= 1, "{n}, {fault:?}: one fault, one failure");
        failures += checked.failures;
        checked.check_heals();
    }
    assert!(failures > 40, "{failures}");
}

#[test]
fn two_calls_fail_one_after_the_other() {
    for (n, gap) in (1..=20).flat_map(|n| (1..=3).map(move |gap| (n, gap))) {
        for errno in [ENOSPC, EIO] {
            let mut checked = Checked::new(Memory::new(), |medium| {
                medium.fail(n, Fault::Errno(EIO));
                medium.fail(n + gap, Fault::Errno(errno));
            });
            live(&mut checked, false);
            checked.check_heals();
        }
    }
}

#[test]
fn a_disk_that_stays_full_or_broken_is_survived_with_bounded_memory() {
    for errno in [ENOSPC, EIO, EINTR] {
        for sync_first in [false, true] {
            let mut checked = Checked::new(Memory::new(), |_| {});
            checked.append(&[set("before", "it broke")]);
            checked.sync();
            checked.append(&[set("before", "it broke, not synced")]);
            checked.journal.medium_mut().break_with(Some(errno));
            if sync_first {
                checked.sync();
                assert_eq!(checked.failures, 1);
            }
            let text = "text ".repeat(2000);
            for i in 0..300 {
                checked.append(&[set("during", &format!("{i} {text}"))]);
                assert!(checked.journal.missing_bytes() <= 3 << 20);
            }
            checked.sync();
            assert_eq!(checked.failures, 301 + u32::from(sync_first));
            assert_eq!((checked.written, checked.synced), (2, 1));
            checked.check_heals();
        }
    }
}

/// A failed fsync marks the pages clean: a second one succeeds, and they are not on the disk.
#[test]
fn a_failed_fsync_is_never_taken_for_success_later() {
    for errno in [EIO, ENOSPC, EINTR] {
        let mut checked = Checked::new(Memory::new(), |_| {});
        checked.append(&[set("a", "1")]);
        checked.append(&[set("a", "2")]);
        checked.journal.medium_mut().fail(1, Fault::Errno(errno));
        checked.sync();
        assert_eq!(checked.failures, 1);
        checked.sync();
        assert_eq!((checked.failures, checked.synced), (1, 2));
        checked.check_deaths();
    }
}

#[test]
fn what_failed_is_said() {
    let mut journal = Journal::open(Memory::new()).unwrap();
    let failing = |journal: &mut Journal<Memory>, nth: u64, errno: i32, sync: bool| {
        journal.medium_mut().fail(nth, Fault::Errno(errno));
        let result = if sync { journal.sync() } else { journal.append(&[set("a", "b")]) };
        let error = result.unwrap_err();
        assert_eq!(error.source.raw_os_error(), Some(errno));
        assert_eq!(error.is_full(), errno == ENOSPC);
        (error.step, error.to_string())
    };
    let said = |step: Step, text: &str| (step, format!("cannot {text} the journal `memory/journal`"));
    assert_eq!(failing(&mut journal, 1, ENOSPC, false), said(Step::Stage, "write a new file for"));
    assert_eq!(failing(&mut journal, 3, EIO, false), said(Step::Publish, "replace"));
    journal.append(&[]).unwrap();
    assert!(!journal.is_behind());
    assert_eq!(failing(&mut journal, 1, ENOSPC, false), said(Step::Write, "write to"));
    assert_eq!(failing(&mut journal, 1, EIO, false), said(Step::Truncate, "repair"));
    journal.append(&[]).unwrap();
    assert_eq!(failing(&mut journal, 1, EIO, true), said(Step::Sync, "sync"));
}

#[test]
fn interruptions_are_no_failures_where_trying_again_is_safe() {
    let mut checked = Checked::new(Memory::new(), |_| {});
    checked.append(&[set("a", "1")]);
    (1..=10).for_each(|nth| checked.journal.medium_mut().fail(nth, Fault::Errno(EINTR)));
    checked.append(&[set("a", "2")]);
    assert_eq!(checked.failures, 0);
    let kind = io::Error::from_raw_os_error(EINTR).kind();
    assert_eq!(kind, io::ErrorKind::Interrupted);
}

/// Old or new may be in place, so neither is built upon; not only where the file was unknown before.
#[test]
fn a_replacement_that_fails_half_way_is_done_again() {
    for nth in 1..=4 {
        let mut checked = Checked::new(Memory::new(), |_| {});
        for i in 0..8 {
            checked.append(&[set("a", &i.to_string())]);
        }
        checked.restart(None);
        checked.journal.medium_mut().fail(nth, Fault::Errno(EIO));
        checked.sync();
        assert_eq!(checked.failures, 1);
        checked.check_deaths();
        checked.append(&[set("b", "1")]);
        checked.append(&[set("b", "2")]);
        checked.check_deaths();
        checked.check_heals();
    }
}

#[derive(Clone, Debug)]
enum Op {
    Append(Vec<(u8, Option<Vec<u8>>)>),
    Long(u8),
    Sync,
    Tidy,
    Fail(u64, Fault),
    Break(i32),
    Heal,
    Crash,
    PowerCut(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let change = (0_u8..6, proptest::option::of(vec(b' '..b'~', 0..300)));
    let fault = prop_oneof![
        proptest::sample::select(vec![ENOSPC, EIO, EINTR]).prop_map(Fault::Errno),
        (0_usize..600).prop_map(Fault::Short),
    ];
    prop_oneof![
        8 => vec(change, 0..4).prop_map(Op::Append),
        1 => (0_u8..6).prop_map(Op::Long),
        4 => Just(Op::Sync),
        1 => Just(Op::Tidy),
        4 => (1_u64..8, fault).prop_map(|(nth, fault)| Op::Fail(nth, fault)),
        1 => proptest::sample::select(vec![ENOSPC, EIO]).prop_map(Op::Break),
        2 => Just(Op::Heal),
        2 => Just(Op::Crash),
        2 => any::<u64>().prop_map(Op::PowerCut),
    ]
}

proptest! {
    #[test]
    fn any_life_keeps_its_promises(ops in vec(op(), 1..40)) {
        let mut checked = Checked::new(Memory::new(), |_| {});
        let long = "long ".repeat(80_000);
        for op in ops {
            match op {
                Op::Append(changes) => {
                    let change = |(key, value): (u8, Option<Vec<u8>>)| Change {
                        key: format!("key {key}").into(),
                        value: value.map(Into::into),
                    };
                    checked.append(&changes.into_iter().map(change).collect::<Vec<_>>());
                }
                Op::Long(key) => checked.append(&[set(&format!("key {key}"), &long)]),
                Op::Sync => checked.sync(),
                Op::Tidy => checked.tidy(),
                Op::Fail(nth, fault) => checked.journal.medium_mut().fail(nth, fault),
                Op::Break(errno) => checked.journal.medium_mut().break_with(Some(errno)),
                Op::Heal => checked.journal.medium_mut().crash(),
                Op::Crash => checked.restart(None),
                Op::PowerCut(seed) => checked.restart(Some(seed)),
            }
        }
        checked.restart(None);
        checked.journal.medium_mut().crash();
        checked.append(&[set("healed", "yes")]);
        checked.sync();
        prop_assert_eq!(checked.synced, checked.now());
        checked.restart(Some(7));
        prop_assert_eq!(checked.written, checked.now());
    }
}
