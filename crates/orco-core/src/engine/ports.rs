//! Which port each seat gets for `${port}`.
//!
//! A port is kept over restarts of its seat. Against other Orcos of the same user there is a lock file
//! per port; the port itself is never held open, so that the service can bind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::PathBuf,
};

use crate::model::{InstanceId, ServiceName};

/// The first port that is ever given out.
const FIRST: u16 = 20_000;

/// Before the target port, in the name of a port that is published for an isolated instance.
pub(super) const PUBLISHED: &str = "publish ";

/// A seat's port by name; the empty name is `${port}`.
type Key = (ServiceName, u32, String);

/// The ports of one engine.
#[derive(Debug)]
pub(super) struct Ports {
    dir: PathBuf,
    end: u16,
    next: u16,
    locks: BTreeMap<u16, File>,
    seats: BTreeMap<Key, Vec<(u16, Option<InstanceId>)>>,
    /// Ports whose seat or user changed since they were last remembered.
    changed: BTreeSet<u16>,
}

impl Ports {
    /// `start` spreads engines over the range, so that they seldom meet.
    #[expect(clippy::disallowed_methods, reason = "locks and the kernel's port range are files")]
    pub(super) fn new(start: u64) -> Self {
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        let ephemeral = range.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(32_768_u16);
        let end = if ephemeral > FIRST + 100 { ephemeral } else { 32_768 };
        let uid = fs::metadata("/proc/self").map_or(0, |m| m.uid());
        let dir = std::env::temp_dir().join(format!("orco-ports-{uid}"));
        let width = u64::from(end - FIRST);
        let next = FIRST + u16::try_from(start % width).unwrap_or(0);
        Self { dir, end, next, locks: BTreeMap::new(), seats: BTreeMap::new(), changed: BTreeSet::new() }
    }

    /// The port of a seat for a live instance. A port that another live instance of the seat uses (an
    /// older set beside a newer one) is not given twice.
    pub(super) fn take(
        &mut self,
        service: &ServiceName,
        replica: u32,
        name: &str,
        inst: InstanceId,
    ) -> io::Result<u16> {
        let key = (service.clone(), replica, name.to_owned());
        if let Some(held) = self.seats.get_mut(&key)
            && let Some(at) = mine(held, inst)
            && let Some((port, user)) = held.get_mut(at)
        {
            if *user != Some(inst) {
                *user = Some(inst);
                self.changed.insert(*port);
            }
            return Ok(*port);
        }
        let port = self.acquire()?;
        self.changed.insert(port);
        self.seats.entry(key).or_default().push((port, Some(inst)));
        Ok(port)
    }

    /// The port under which others find the seat: its newest user's, or one kept for it.
    pub(super) fn find(&mut self, service: &ServiceName, replica: u32, name: &str) -> io::Result<u16> {
        let key = (service.clone(), replica, name.to_owned());
        if let Some((port, _)) = self.seats.get(&key).and_then(|held| held.last()) {
            return Ok(*port);
        }
        let port = self.acquire()?;
        self.changed.insert(port);
        self.seats.entry(key).or_default().push((port, None));
        Ok(port)
    }

    /// The port of this name that the seat has, if it has one.
    pub(super) fn known(&self, service: &ServiceName, replica: u32, name: &str) -> Option<u16> {
        let key = (service.clone(), replica, name.to_owned());
        self.seats.get(&key).and_then(|held| held.last()).map(|(port, _)| *port)
    }

    /// An instance is over. Its ports stay with their seats, except those that a stranger listens on
    /// now: they are given up. True if there was one.
    pub(super) fn release(&mut self, inst: InstanceId) -> bool {
        let mut lost = false;
        for ((_, _, name), held) in &mut self.seats {
            held.retain_mut(|(port, user)| {
                if *user != Some(inst) {
                    return true;
                }
                *user = None;
                self.changed.insert(*port);
                // What a container engine publishes it may still be letting go; a stranger shows at the next start.
                let fine = name.starts_with(PUBLISHED) || bindable(*port);
                if !fine {
                    lost = true;
                    self.locks.remove(port);
                }
                fine
            });
        }
        lost
    }

    /// A stranger has it after all: nobody of ours gets it again, until it is found free.
    pub(super) fn give_up(&mut self, port: u16) {
        for held in self.seats.values_mut() {
            held.retain(|(known, _)| *known != port);
        }
        self.locks.remove(&port);
        self.changed.insert(port);
    }

    /// What is to be remembered of the ports since the last call: each with its seat and user, or `None` if it was
    /// given up.
    pub(super) fn changes(&mut self) -> Vec<(u16, Option<Seated>)> {
        std::mem::take(&mut self.changed).into_iter().map(|port| (port, self.seated(port))).collect()
    }

    fn seated(&self, port: u16) -> Option<Seated> {
        self.seats.iter().find_map(|((service, replica, name), held)| {
            let (_, user) = held.iter().find(|(p, _)| *p == port)?;
            Some(Seated { service: service.clone(), replica: *replica, name: name.clone(), user: *user })
        })
    }

    /// A port as it was remembered. Its lock is taken again where that is possible; a service that lives listens on it
    /// anyway.
    pub(super) fn restore(&mut self, port: u16, seated: Seated) {
        let Seated { service, replica, name, user } = seated;
        if self.make_dir().is_ok()
            && let Ok(Some(lock)) = self.lock(port)
        {
            self.locks.insert(port, lock);
        }
        self.seats.entry((service, replica, name)).or_default().push((port, user));
    }

    /// Ports of instances that are not among these have no user any more.
    pub(super) fn keep_users(&mut self, live: &BTreeSet<InstanceId>) {
        for (port, user) in self.seats.values_mut().flatten() {
            if user.is_some_and(|u| !live.contains(&u)) {
                *user = None;
                self.changed.insert(*port);
            }
        }
    }

    /// A port nobody has: no other Orco by its lock, no other program by trying.
    fn acquire(&mut self) -> io::Result<u16> {
        self.make_dir()?;
        for _ in FIRST..self.end {
            let port = self.next;
            self.next = if port + 1 >= self.end { FIRST } else { port + 1 };
            if self.locks.contains_key(&port) {
                continue;
            }
            if let Some(lock) = self.lock(port)?
                && bindable(port)
            {
                self.locks.insert(port, lock);
                return Ok(port);
            }
        }
        Err(io::Error::other(format!("no free port from {FIRST} to {}", self.end - 1)))
    }

    #[expect(clippy::disallowed_methods, reason = "the port locks are files")]
    fn make_dir(&self) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        // A folder of somebody else under this name could hold the locks hostage.
        let (ours, theirs) = (fs::metadata("/proc/self")?.uid(), fs::symlink_metadata(&self.dir)?);
        if theirs.is_dir() && theirs.uid() == ours {
            Ok(())
        } else {
            Err(io::Error::other(format!("{} is not a directory of this user", self.dir.display())))
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the port locks are files")]
    fn lock(&self, port: u16) -> io::Result<Option<File>> {
        let file = File::options().create(true).truncate(false).write(true).open(self.dir.join(port.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(e),
        }
    }
}

/// Whose a port is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seated {
    pub(super) service: ServiceName,
    pub(super) replica: u32,
    /// Empty for `${port}`.
    pub(super) name: String,
    /// The live instance that has it.
    pub(super) user: Option<InstanceId>,
}

/// The instance's own port among those of its seat, else a free one.
fn mine(held: &[(u16, Option<InstanceId>)], inst: InstanceId) -> Option<usize> {
    let own = held.iter().position(|(_, user)| *user == Some(inst));
    own.or_else(|| held.iter().position(|(_, user)| user.is_none()))
}

fn bindable(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seat_keeps_its_port_and_a_stranger_takes_it_away() {
        let mut ports = Ports::new(4_711);
        let api = ServiceName::new("api").unwrap();
        let (a, b) = (InstanceId(1), InstanceId(2));
        let first = ports.take(&api, 0, "", a).unwrap();
        assert_eq!(ports.find(&api, 0, "").unwrap(), first);
        assert_ne!(ports.take(&api, 0, "", b).unwrap(), first, "two live instances of one seat");
        assert!(!ports.release(a));
        assert_eq!(ports.take(&api, 0, "", a).unwrap(), first);
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert!(ports.release(a));
        drop(stranger);
        assert_ne!(ports.take(&api, 0, "", InstanceId(3)).unwrap(), first);
    }

    #[test]
    fn two_engines_never_share_a_port() {
        let (mut one, mut two) = (Ports::new(99), Ports::new(99));
        let api = ServiceName::new("api").unwrap();
        let taken: std::collections::BTreeSet<u16> = (0..20)
            .flat_map(|r| {
                [one.take(&api, r, "", InstanceId(1)).unwrap(), two.take(&api, r, "", InstanceId(1)).unwrap()]
            })
            .collect();
        assert_eq!(taken.len(), 40);
    }
}
