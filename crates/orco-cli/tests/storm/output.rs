//! G31: no line is lost or doubled, whoever dies and whatever takes over while services write.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;

use crate::{
    dice::Dice,
    fleet::{Act, Done, Fleet, Ship, figure, rounds, until},
    strike::{Times, Whom, holders, strike},
    truth::{Mains, lie, mains},
};

impl Fleet {
    /// What is in the exported files of these services, the oldest first.
    pub fn exported<'a>(&self, services: impl IntoIterator<Item = &'a str>) -> String {
        let files: Vec<_> = fs::read_dir(self.path("exported")).into_iter().flatten().flatten().collect();
        let mut text = String::new();
        for service in services {
            let number = |name: &str| match name.strip_prefix(service)?.strip_prefix(".ndjson")? {
                "" => Some(0),
                older => older.strip_prefix('.')?.parse::<u32>().ok(),
            };
            // A rotation that got no further leaves a number out.
            let mut its: Vec<_> =
                files.iter().filter_map(|file| Some((number(file.file_name().to_str()?)?, file.path()))).collect();
            its.sort_by(|a, b| b.cmp(a));
            its.iter().for_each(|(_, path)| text += &fs::read_to_string(path).unwrap_or_default());
        }
        text
    }
}

/// One that writes about 1,000 lines a second, and thirty that do so together.
fn writers() -> Vec<Ship> {
    let mut ships: Vec<Ship> = (0..30).map(|n| Ship::new(format!("drop{n:02}"), Act::Flood(4, 100))).collect();
    ships.push(Ship::new("flood", Act::Flood(14, 10)));
    ships
}

/// The last number of each writer. Every line has to be there once and in order.
fn lines(text: &str, context: &str) -> BTreeMap<String, u64> {
    let mut seqs: BTreeMap<(String, u64), u64> = BTreeMap::new();
    let mut last: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let key = (record["service"].as_str().unwrap().to_owned(), record["run"].as_u64().unwrap());
        let seq = record["seq"].as_u64().unwrap();
        if let Some(before) = seqs.insert(key.clone(), seq) {
            assert_eq!(seq, before + 1, "{context}: {key:?}: {line}");
        }
        // A shell says that what it waited for was terminated.
        if record["source"] == "stderr" {
            continue;
        }
        let text = record["msg"].as_str().unwrap();
        let number: u64 = text.strip_prefix("line ").unwrap_or_else(|| panic!("{context}: {line}")).parse().unwrap();
        let before = last.insert(key.clone(), number).unwrap_or_default();
        assert_eq!(number, before + 1, "{context}: {key:?}: {line}");
    }
    assert!(last.keys().all(|(_, run)| *run == 1), "{context}: a writer was started again");
    last.into_iter().map(|((service, _), number)| (service, number)).collect()
}

struct Flood {
    fleet: Fleet,
    ships: Vec<Ship>,
    known: Mains,
    reader: Option<Child>,
}

impl Flood {
    fn begin(follow: bool) -> Self {
        let ships = writers();
        let mut fleet = Fleet::new(&ships);
        // Files of their own are small, so that they are often rotated; the log itself stays whole.
        fleet.logging = Some("{ directory: exported, maxFileSize: 64KiB }");
        fleet.write(&ships);
        fleet.ok(&["up", "-d"]);
        fleet.settled(&ships);
        let known = mains(&fleet);
        let reader = follow.then(|| {
            let mut command = fleet.command(&["logs", "-f", "-o", "json"]);
            let (out, err) = (fs::File::create(fleet.path("read")), fs::File::create(fleet.path("said")));
            command.stdout(out.unwrap()).stderr(err.unwrap()).stdin(Stdio::null()).spawn().unwrap()
        });
        Self { fleet, ships, known, reader }
    }

    /// Until status is right again, and every writer is who it was.
    fn recover(&self, context: &str) -> Duration {
        let took = until(context, || {
            self.fleet.status().is_some_and(|status| lie(&self.fleet, &status, &self.known).is_none())
        });
        assert_eq!(mains(&self.fleet), self.known, "{context}: {}", self.fleet.daemon_log());
        took
    }

    /// Stops the writers, and counts what was read against what they have written.
    fn end(mut self, context: &str) -> u64 {
        self.fleet.check(&self.ships);
        let names: Vec<&str> = self.ships.iter().map(|ship| &*ship.name).collect();
        self.fleet.ok(&[&["stop"], &*names].concat());
        let written: BTreeMap<String, u64> = names
            .iter()
            .map(|name| ((*name).to_owned(), number(&self.fleet.path(&format!("last.{name}.0")))))
            .collect();
        let read = lines(&self.fleet.ok(&["logs", "-o", "json"]).out, context);
        assert_eq!(read, written, "{context}: `logs` lacks lines at the end");
        self.fleet.down();
        let exported = lines(&self.fleet.exported(names.iter().copied()), &format!("{context}, exported"));
        assert_eq!(exported, written, "{context}: the export lacks lines at the end\n{}", self.fleet.daemon_log());
        if let Some(mut reader) = self.reader.take() {
            until("the reader ends", || reader.try_wait().unwrap().is_some());
            let followed =
                lines(&fs::read_to_string(self.fleet.path("read")).unwrap(), &format!("{context}, followed"));
            let said = fs::read_to_string(self.fleet.path("said")).unwrap();
            assert_eq!(followed, written, "{context}: `logs -f` lacks lines at the end: {said}");
        }
        written.values().sum()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        if let Some(mut reader) = self.reader.take() {
            let _ = reader.kill();
            let _ = reader.wait();
        }
    }
}

fn number(file: &Path) -> u64 {
    fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display())).trim().parse().unwrap()
}

fn killed(whom: Whom) {
    let flood = Flood::begin(whom != Whom::Both);
    let mut dice = Dice::new(&format!("{whom:?}"));
    let mut times = Times::default();
    for round in 0..rounds(3).min(20) {
        let context = format!("{whom:?} killed, round {round}");
        sleep(dice.moment(Duration::from_millis(1500), Duration::from_millis(500)));
        assert!(strike(&flood.fleet, whom, &mut dice).is_some(), "{context}");
        if whom == Whom::Both {
            // Output goes nowhere until then; the pipes hold it.
            flood.fleet.ok(&["up", "-d"]);
        }
        times.push(flood.recover(&context));
    }
    let lines = flood.end(&format!("{whom:?} killed"));
    figure(&format!("G31 {whom:?}: {lines} lines, none lost or doubled; {}", times.say()));
}

#[test]
fn no_line_is_lost_with_the_engine() {
    killed(Whom::Engine);
}

#[test]
fn no_line_is_lost_with_the_keeper() {
    killed(Whom::Keeper);
}

#[test]
fn no_line_is_lost_with_both() {
    killed(Whom::Both);
}

/// Another engine takes over, again and again, while everybody writes, one follows, and a hundred ask at once.
#[test]
fn nobody_notices_an_upgrade() {
    let flood = Flood::begin(true);
    let upgrades = rounds(2).min(20);
    let mut asked = 0;
    for round in 0..upgrades {
        let context = format!("upgrade {round}");
        let before = holders(&flood.fleet);
        let upgrade = flood.fleet.spawn(&["daemon", "upgrade"]);
        let crowd: Vec<Child> = (0..100).map(|_| flood.fleet.spawn(&["status", "-o", "json"])).collect();
        for one in crowd {
            let done = Done::of(one.wait_with_output().unwrap());
            assert_eq!(done.code, Some(0), "{context}: {done:?}\n{}", flood.fleet.daemon_log());
            let status: Value = serde_json::from_str(&done.out).unwrap();
            assert_eq!(lie(&flood.fleet, &status, &flood.known), None, "{context}");
            asked += 1;
        }
        let done = Done::of(upgrade.wait_with_output().unwrap());
        assert_eq!(done.code, Some(0), "{context}: {done:?}\n{}", flood.fleet.daemon_log());
        flood.recover(&context);
        let after = holders(&flood.fleet);
        assert_eq!(after.keepers, before.keepers, "{context}");
        assert_ne!(after.engines, before.engines, "{context}");
    }
    let lines = flood.end("upgrades");
    figure(&format!("G31: {upgrades} upgrades, {asked} questions answered, {lines} lines, none lost or doubled"));
}
