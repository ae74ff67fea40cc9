//! What is to be cleaned up after an engine, in memory that the engine shares with its keepers and their guards.
//!
//! The engine alone writes; the others read when something has died. So whatever it has written is known to whoever is
//! left, whoever is killed at whatever moment, and a new keeper has to be told nothing.

use std::{
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::memfd::{MFdFlags, memfd_create},
};

use crate::{
    clean::{CleanUp, EngineHost, MAX_CLEAN_UPS, key},
    program,
    wire::{Frames, frame, wire_enum},
};

/// It is as long as the changes since nothing was registered; longer it does not get.
const LONGEST: usize = 1 << 20;

/// A change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// In place of an earlier one for the same host and label.
    Register {
        clean_up: CleanUp,
    },
    Withdraw {
        host: EngineHost,
        label: Box<[u8]>,
    },
    /// The keeper of this number is there.
    Kept {
        keeper: u64,
    },
    /// The engine is done: to be cleaned up even though it lives.
    Due {},
}

wire_enum!(Entry {
    0 => Register { clean_up },
    1 => Withdraw { host, label },
    2 => Kept { keeper },
    3 => Due {},
});

/// What the entries come to.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    pub(crate) clean_ups: Vec<CleanUp>,
    pub(crate) due: bool,
    /// The newest keeper.
    pub(crate) kept: Option<u64>,
}

impl Known {
    fn take_in(&mut self, entry: Entry) {
        match entry {
            Entry::Register { clean_up } => {
                self.clean_ups.retain(|other| key(other) != key(&clean_up));
                self.clean_ups.push(clean_up);
            }
            Entry::Withdraw { host, label } => {
                self.clean_ups.retain(|other| other.host != host || other.label.as_bytes() != &*label);
            }
            Entry::Kept { keeper } => self.kept = self.kept.max(Some(keeper)),
            Entry::Due {} => self.due = true,
        }
    }
}

/// The readers' side. An entry that was not written to its end does not count: nobody has relied on it.
pub(crate) fn read(file: &File) -> Known {
    let mut frames = Frames::default();
    let mut known = Known::default();
    let mut bytes = vec![0; LONGEST];
    let mut filled = 0;
    while let Ok(count @ 1..) = file.read_at(&mut bytes[filled..], filled as u64) {
        filled += count;
    }
    frames.room().extend_from_slice(&bytes[..filled]);
    while let Ok(Some(entry)) = frames.next() {
        known.take_in(entry);
    }
    known
}

/// The engine's side.
#[derive(Default, Debug)]
pub(crate) struct Ledger(Mutex<Written>);

#[derive(Default, Debug)]
struct Written {
    file: Option<File>,
    length: usize,
    known: Known,
}

impl Ledger {
    /// For a keeper: another name of the memory, with a high number.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        let mut written = self.written();
        program::high(written.file()?.as_fd())
    }

    /// Whether it is new.
    pub(crate) fn register(&self, clean_up: &CleanUp) -> io::Result<bool> {
        let mut written = self.written();
        if written.known.clean_ups.contains(clean_up) {
            return Ok(false);
        }
        let new = !written.known.clean_ups.iter().any(|other| key(other) == key(clean_up));
        if new && written.known.clean_ups.len() >= MAX_CLEAN_UPS {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        written.append(Entry::Register { clean_up: clean_up.clone() })?;
        Ok(new)
    }

    /// Nothing is left of it.
    pub(crate) fn withdraw(&self, host: &EngineHost, label: &str) {
        let mut written = self.written();
        if !written.known.clean_ups.iter().any(|other| key(other) == (host, label)) {
            return;
        }
        let entry = Entry::Withdraw { host: host.clone(), label: label.as_bytes().into() };
        if let [_] = written.known.clean_ups[..] {
            // The last one: what is known is nothing, and that is what an empty file says.
            written.clear();
        } else if written.append(entry.clone()).is_err() {
            // Who looks then looks in vain.
            written.known.take_in(entry);
        }
    }

    /// This keeper is there: a guard that waits for one need not wait any longer.
    pub(crate) fn kept(&self, keeper: u64) {
        let mut written = self.written();
        if !written.known.clean_ups.is_empty() && written.known.kept < Some(keeper) {
            let _ = written.append(Entry::Kept { keeper });
        }
    }

    /// The engine is done, whether it lives on or not.
    pub(crate) fn due(&self) {
        let mut written = self.written();
        if !written.known.clean_ups.is_empty() && !written.known.due {
            let _ = written.append(Entry::Due {});
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written().known.clean_ups.is_empty()
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn file(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = File::from(memfd_create(c"orco-ledger", MFdFlags::MFD_CLOEXEC)?);
                fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
                file
            }
        };
        Ok(self.file.insert(file))
    }

    /// Writes it, then takes it for true.
    fn append(&mut self, entry: Entry) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame(&entry, &mut bytes);
        if self.length + bytes.len() > LONGEST {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        self.file()?.write_all(&bytes)?;
        self.length += bytes.len();
        self.known.take_in(entry);
        Ok(())
    }

    fn clear(&mut self) {
        if self.file.as_ref().is_some_and(|file| file.set_len(0).is_ok()) {
            self.length = 0;
        }
        self.known = Known::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::wire::Wire;

    fn host(name: u8) -> EngineHost {
        if name.is_multiple_of(2) {
            EngineHost::Unix(format!("/run/{name}").into())
        } else {
            EngineHost::Tcp(name.to_string())
        }
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let host = || (0u8..3).prop_map(host);
        prop_oneof![
            (host(), "[ab]=[a-c]", any::<bool>()).prop_map(|(host, label, volumes)| {
                let clean_up = CleanUp::new(host, label);
                Entry::Register { clean_up: if volumes { clean_up.with_volumes() } else { clean_up } }
            }),
            (host(), "[ab]=[a-c]").prop_map(|(host, label)| Entry::Withdraw { host, label: label.as_bytes().into() }),
            any::<u64>().prop_map(|keeper| Entry::Kept { keeper }),
            Just(Entry::Due {}),
        ]
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = File::from(memfd_create(c"test", MFdFlags::MFD_CLOEXEC).unwrap());
        file.write_all(bytes).unwrap();
        file
    }

    proptest! {
        #[test]
        fn entries_survive_and_a_cut_one_does_not_count(
            entries in prop::collection::vec(entry(), 1..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut ends = vec![0];
            let mut bytes = Vec::new();
            for entry in &entries {
                frame(entry, &mut bytes);
                ends.push(bytes.len());
            }
            let cut = cut.index(bytes.len() + 1);
            let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
            let mut expected = Known::default();
            entries[..whole].iter().for_each(|entry| expected.take_in(entry.clone()));
            prop_assert_eq!(read(&file(&bytes[..cut])), expected);
        }

        #[test]
        fn nonsense_is_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read(&file(&bytes));
            let _ = Entry::take(&mut &bytes[..]);
        }

        #[test]
        fn readers_know_what_the_engine_has_said(entries in prop::collection::vec(entry(), 1..30)) {
            let ledger = Ledger::default();
            let reader = File::from(ledger.descriptor().unwrap());
            let mut expected = Known::default();
            for entry in entries {
                match entry.clone() {
                    Entry::Register { clean_up } => _ = ledger.register(&clean_up).unwrap(),
                    Entry::Withdraw { host, label } => ledger.withdraw(&host, std::str::from_utf8(&label).unwrap()),
                    Entry::Kept { keeper } => ledger.kept(keeper),
                    Entry::Due {} => ledger.due(),
                }
                let moot = expected.clean_ups.is_empty() && !matches!(entry, Entry::Register { .. });
                if !moot && !matches!(&entry, Entry::Register { clean_up } if expected.clean_ups.contains(clean_up)) {
                    expected.take_in(entry);
                }
                if expected.clean_ups.is_empty() {
                    expected = Known::default();
                }
                prop_assert_eq!(&read(&reader), &expected);
                prop_assert_eq!(ledger.is_empty(), expected.clean_ups.is_empty());
            }
        }
    }

    #[test]
    fn it_does_not_grow_with_stacks_that_come_and_go_and_is_bounded() {
        let ledger = Ledger::default();
        let one = CleanUp::new(host(0), "a=b");
        for _ in 0..20_000 {
            assert!(ledger.register(&one).unwrap());
            assert!(!ledger.register(&one).unwrap());
            ledger.withdraw(&one.host, &one.label);
        }
        for number in 0..MAX_CLEAN_UPS {
            assert!(ledger.register(&CleanUp::new(host(0), format!("a={number}"))).unwrap());
        }
        let error = ledger.register(&CleanUp::new(host(0), "a=more")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
        assert!(!ledger.register(&CleanUp::new(host(0), "a=0").with_volumes()).unwrap(), "in place of the first");
    }
}
