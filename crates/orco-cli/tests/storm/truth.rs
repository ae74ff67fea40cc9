//! Is what `status` says so, and has anything gone backwards?

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{census, fleet::Fleet};

/// The main process of each seat.
pub type Mains = BTreeMap<String, i32>;

/// The first thing in which the status differs from what is seen outside. `untouched` have to be as they were.
pub fn lie(fleet: &Fleet, status: &Value, untouched: &Mains) -> Option<String> {
    let services = status["services"].as_object().unwrap();
    let mut pids: BTreeMap<String, i64> = BTreeMap::new();
    let (mut said, mut running) = (BTreeSet::new(), BTreeSet::new());
    for (name, service) in services.iter().filter(|(name, _)| !comes_and_goes(name)) {
        for instance in service["instances"].as_array().unwrap() {
            let seat = format!("{name}.{}", instance["replica"]);
            if untouched.contains_key(&seat) && instance["ready"] != true {
                return Some(format!("{seat} runs, and is said to be not ready"));
            }
            // One that is starting may run already.
            let Some(id) = instance["id"].as_str() else { continue };
            said.insert(id.to_owned());
            if instance["state"] == "Running" {
                running.insert(id.to_owned());
            }
            pids.extend(instance["pid"].as_i64().map(|pid| (seat, pid)));
        }
    }
    for (seat, pid) in untouched {
        if pids.get(seat) != Some(&i64::from(*pid)) {
            return Some(format!("{seat} was {pid}, and is said to be {:?}", pids.get(seat)));
        }
    }
    let mut alive = census::processes(&fleet.tag);
    alive.retain(|process| !comes_and_goes(&process.seat));
    let there: BTreeSet<&str> = alive.iter().map(|process| &*process.instance).collect();
    if let Some(dead) = running.iter().find(|id| !there.contains(&***id)) {
        return Some(format!("{dead} is said to run, and does not"));
    }
    let hidden = alive.iter().find(|process| !said.contains(&process.instance))?;
    let service = hidden.seat.rsplit_once('.').unwrap().0;
    Some(format!("{hidden:?} is not said to run: {}", services.get(service).unwrap_or(&Value::Null)))
}

/// Between two looks it may have come or gone.
fn comes_and_goes(name: &str) -> bool {
    name.starts_with("crash") || name.starts_with("once")
}

/// The main processes of what does not end by itself.
pub fn mains(fleet: &Fleet) -> Mains {
    let main = census::processes(&fleet.tag).into_iter().filter(|p| p.pid == p.session);
    // What a tree has put into a session of its own leads one too, and is younger.
    let mut mains = Mains::new();
    for process in main.filter(|p| !comes_and_goes(&p.seat)) {
        mains.entry(process.seat).or_insert(process.pid);
    }
    mains
}

/// What may only grow.
#[derive(Default)]
pub struct Marks {
    restarts: BTreeMap<String, u64>,
    last_event: u64,
}

impl Marks {
    /// Totals of restarts never go back.
    pub fn take_in(&mut self, status: &Value, context: &str) {
        for (name, service) in status["services"].as_object().unwrap() {
            let now = service["restarts"].as_u64().unwrap();
            // What was taken away begins anew when it comes back.
            if matches!(&**name, "more" | "less") {
                continue;
            }
            let before = self.restarts.entry(name.clone()).or_default();
            assert!(now >= *before, "{context}: restarts of {name} went from {before} back to {now}");
            *before = now;
        }
    }

    /// Events have their numbers without a hole or a double, and none that was there is gone.
    pub fn events(&mut self, fleet: &Fleet, context: &str) {
        let state = fleet.state().unwrap();
        let mut numbers = Vec::new();
        for name in ["events.1.ndjson", "events.ndjson"] {
            let text = fs::read_to_string(state.join(name)).unwrap_or_default();
            // The last line may be being written.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            numbers.extend(whole.lines().map(|line| {
                let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{context}: {e}: {line}"));
                event["seq"].as_u64().unwrap()
            }));
        }
        let bad = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
        assert_eq!(bad, None, "{context}: the numbers of events do not follow each other");
        let last = numbers.last().copied().unwrap_or_default();
        assert!(
            last >= self.last_event,
            "{context}: events up to {} were there, now only up to {last}",
            self.last_event
        );
        self.last_event = last;
    }
}

/// The service of a seat, `SERVICE.REPLICA`.
pub fn service(seat: &str) -> &str {
    seat.rsplit_once('.').unwrap().0
}
