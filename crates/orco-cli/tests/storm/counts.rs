//! G2: an engine that is killed again and again forgets no restart: neither their number, nor how long the next one has
//! to wait, nor that there will be no further one.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    dice::Dice,
    fleet::{Act, Fleet, LIMIT, Ship, figure, rounds},
    strike::{Whom, strike},
};

/// In seconds.
const MIN: f64 = 0.1;

struct Policy {
    retries: u32,
    max: f64,
    factor: f64,
}

impl Policy {
    fn yaml(&self) -> String {
        let Self { retries, max, factor } = self;
        format!("{{ maxRetries: {retries}, backoff: {{ min: 100ms, max: {max}s, factor: {factor} }} }}")
    }

    /// The least and the most that retry `attempt` (from 0) waits, in seconds.
    fn bounds(&self, attempt: usize) -> (f64, f64) {
        let most = (MIN * self.factor.powi(attempt as i32 + 1)).min(self.max);
        ((most / self.factor).max(MIN), most)
    }
}

fn times(fleet: &Fleet) -> Vec<f64> {
    let text = fs::read_to_string(fleet.path("times")).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn whoever_is_killed_the_count_goes_on() {
    let kills = rounds(8);
    let full = kills >= 100;
    // About five minutes of retries, or about six seconds.
    let policy = if full {
        Policy { retries: 30, max: 20.0, factor: 1.3 }
    } else {
        Policy { retries: 7, max: 5.0, factor: 1.6 }
    };
    let mut ship = Ship::new("fails", Act::Fail);
    ship.policy = Some(policy.yaml());
    let ships = [ship, Ship::new("stays", Act::Stay)];
    let fleet = Fleet::new(&ships);
    let mut dice = Dice::new("counts");
    fleet.ok(&["up", "-d"]);
    let mut struck = 0;
    let mut last = 0;
    let begun = Instant::now();
    let failed = |last: &mut u64| {
        let Some(status) = fleet.status() else { return false };
        let service = &status["services"]["fails"];
        let now = service["restarts"].as_u64().unwrap();
        assert!(now >= *last, "restarts went from {last} back to {now}");
        *last = now;
        service["state"] == "Failed"
    };
    while !failed(&mut last) {
        assert!(begun.elapsed() < LIMIT * if full { 20 } else { 1 }, "it never fails\n{}", fleet.daemon_log());
        sleep(dice.moment(Duration::from_millis(2400), Duration::from_millis(if full { 600 } else { 400 })));
        struck += usize::from(strike(&fleet, Whom::Engine, &mut dice).is_some());
    }
    let took = begun.elapsed();
    let starts = times(&fleet);
    assert_eq!(starts.len() as u64, u64::from(policy.retries) + 1, "{}", fleet.daemon_log());
    assert_eq!(last, u64::from(policy.retries));
    for (attempt, pair) in starts.windows(2).enumerate() {
        let ((least, most), waited) = (policy.bounds(attempt), pair[1] - pair[0]);
        assert!(waited >= least - 0.001, "retry {attempt} came after {waited:.3} s, and not before {least:.3} s");
        // An engine may be away when the time has come.
        assert!(waited <= most + 4.0, "retry {attempt} came only after {waited:.3} s, and by {most:.3} s");
    }
    // Failed stays Failed.
    for _ in 0..3 {
        assert!(strike(&fleet, Whom::Engine, &mut dice).is_some());
        sleep(Duration::from_millis(300));
        assert!(failed(&mut last), "it was given up, and begins again");
    }
    assert_eq!(times(&fleet).len(), starts.len());
    fleet.down();
    figure(&format!("G2: {struck} kills in {:.0} s, {} starts, {last} restarts", took.as_secs_f64(), starts.len()));
}
