#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::model::Gen;

/// Seats as text: `1:0A` is generation 1, replica 0, available; S(erving), C(oming), X stuck; `-` leaving.
/// Generation 2 with a replica below `replicas` is wanted.
fn seats(text: &str, replicas: u32) -> Vec<Taken> {
    let seat = |word: &str| {
        let (generation, rest) = word.split_once(':').unwrap();
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let key = SlotKey { generation: Gen(generation.parse().unwrap()), replica: number.parse().unwrap() };
        let standing = match rest.as_bytes()[number.len()] {
            b'A' => Standing::Available,
            b'S' => Standing::Serving,
            b'C' => Standing::Coming,
            _ => Standing::Stuck,
        };
        Taken {
            key,
            wanted: key.generation == Gen(2) && key.replica < replicas,
            leaving: rest.ends_with('-'),
            standing,
        }
    };
    text.split_whitespace().map(seat).collect()
}

fn missing(taken: &[Taken], replicas: u32) -> Vec<SlotKey> {
    (0..replicas)
        .map(|replica| SlotKey { generation: Gen(2), replica })
        .filter(|key| taken.iter().all(|s| s.key != *key))
        .collect()
}

fn check(text: &str, (replicas, surge, unavailable): (u32, u32, u32), expect: &str) {
    let taken = seats(text, replicas);
    let limits = Limits { replicas, surge, unavailable, hold: false };
    let plan = pace(&taken, &missing(&taken, replicas), limits);
    let words = plan.create.iter().map(|k| format!("+{}", k.replica));
    let words = words.chain(plan.retire.iter().map(|k| format!("-{}:{}", k.generation.0, k.replica)));
    assert_eq!(words.collect::<Vec<_>>().join(" "), expect, "{text}");
}

#[test]
fn percentages() {
    for (percent, replicas, down, up) in [(25, 4, 1, 1), (25, 3, 0, 1), (30, 10, 3, 3), (1, 1, 0, 1), (100, 7, 7, 7)] {
        assert_eq!(unavailable(Amount::Percent(percent), replicas), down, "{percent}% of {replicas}");
        assert_eq!(surge(Amount::Percent(percent), replicas), up, "{percent}% of {replicas}");
    }
}

#[test]
fn one_at_a_time_in_place() {
    check("", (3, 0, 1), "+0 +1 +2");
    check("1:0A 1:1A 1:2A", (3, 0, 1), "-1:0");
    check("1:0A- 1:1A 1:2A", (3, 0, 1), "");
    check("1:1A 1:2A", (3, 0, 1), "+0");
    check("2:0C 1:1A 1:2A", (3, 0, 1), "");
    check("2:0S 1:1A 1:2A", (3, 0, 1), "");
    check("2:0A 1:1A 1:2A", (3, 0, 1), "-1:1");
    check("1:0A", (1, 0, 1), "-1:0");
}

#[test]
fn the_dead_go_first_and_one_at_a_time() {
    check("1:0A 1:1C 1:2A", (3, 0, 1), "-1:1");
    check("1:0C 1:1C 1:2X", (3, 0, 1), "-1:0");
    // One is on its way: nobody else goes.
    check("2:0C 1:1C 1:2X", (3, 0, 1), "");
}

#[test]
fn with_surge() {
    check("1:0A 1:1A", (2, 1, 0), "+0");
    check("1:0A 1:1A 2:0C", (2, 1, 0), "");
    check("1:0A 1:1A 2:0A", (2, 1, 0), "-1:0");
    check("1:0A- 1:1A 2:0A", (2, 1, 0), "");
}

#[test]
fn shrinking() {
    check("2:0A 2:1A 2:2A 2:3A", (2, 0, 1), "-2:2 -2:3");
    check("2:0C 2:1A", (1, 0, 0), "");
    // A seat that was given up does not keep the surplus alive.
    check("2:0X 2:1A", (1, 0, 0), "-2:1");
    check("2:0C 2:1C", (1, 0, 0), "-2:1");
    // Nor does one go while a wanted one will be made anew.
    check("2:0A- 2:1A", (1, 0, 0), "");
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![Just(Standing::Available), Just(Standing::Serving), Just(Standing::Coming), Just(Standing::Stuck)]
}

proptest! {
    /// I9: no decision makes a seat beyond `replicas + surge`, none takes a serving one below
    /// `replicas - unavailable` unless the fleet shrinks, and a number is never taken twice without surge.
    #[test]
    fn bounds(
        replicas in 0u32..8, surge in 0u32..4, unavailable in 0u32..4,
        state in prop::collection::btree_map((1u32..3, 0u32..10), (standing(), any::<bool>()), 0..14),
    ) {
        prop_assume!(surge + unavailable > 0);
        let taken: Vec<_> = state.into_iter().map(|((generation, replica), (standing, leaving))| {
            let key = SlotKey { generation: Gen(generation), replica };
            Taken { key, wanted: generation == 2 && replica < replicas, leaving, standing }
        }).collect();
        let limits = Limits { replicas, surge, unavailable, hold: false };
        let plan = pace(&taken, &missing(&taken, replicas), limits);
        let most = (replicas + surge) as usize;
        prop_assert!(plan.create.is_empty() || taken.len() + plan.create.len() <= most);
        let serving = |s: &&Taken| counts(s);
        let before = taken.iter().filter(serving).count();
        let gone = taken.iter().filter(serving).filter(|s| plan.retire.contains(&s.key)).count();
        let shrink = taken.iter().filter(serving)
            .filter(|s| plan.retire.contains(&s.key) && s.key.replica >= replicas).count();
        let min = replicas.saturating_sub(unavailable) as usize;
        prop_assert!(gone == 0 || gone == shrink || before - (gone - shrink) >= min, "{plan:?}");
        if surge == 0 {
            for key in &plan.create {
                prop_assert!(taken.iter().all(|s| s.key.replica != key.replica));
            }
        }
    }

    /// A healthy new revision replaces everything, whatever the order in which seats answer, and the
    /// number of serving seats never falls below the limit (bad revision, good fleet: with `bad` the new
    /// seats never become ready, and the old ones that hold the limit stay).
    #[test]
    fn replaces_everything(
        replicas in 1u32..8, surge in 0u32..4, unavailable in 0u32..4, bad: bool,
        order in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        prop_assume!(surge + unavailable > 0);
        let limits = Limits { replicas, surge, unavailable, hold: false };
        let min = replicas.saturating_sub(unavailable) as usize;
        let mut taken: Vec<_> = (0..replicas).map(|replica| Taken {
            key: SlotKey { generation: Gen(1), replica }, wanted: false, leaving: false, standing: Standing::Available,
        }).collect();
        for pick in order {
            let plan = pace(&taken, &missing(&taken, replicas), limits);
            for key in plan.create {
                taken.push(Taken { key, wanted: true, leaving: false, standing: Standing::Coming });
            }
            taken.sort_by_key(|s| s.key);
            for seat in &mut taken {
                seat.leaving |= plan.retire.contains(&seat.key);
            }
            prop_assert!(taken.len() <= (replicas + surge) as usize);
            prop_assert!(taken.iter().filter(|s| counts(s)).count() >= min);
            let movable: Vec<_> = (0..taken.len())
                .filter(|&i| taken[i].leaving || !bad && taken[i].standing == Standing::Coming)
                .collect();
            if movable.is_empty() {
                break;
            }
            let i = *pick.get(&movable);
            if taken[i].leaving { taken.remove(i); } else { taken[i].standing = Standing::Available; }
        }
        let done = taken.iter().all(|s| s.wanted) && taken.len() == replicas as usize;
        prop_assert_eq!(done, !bad || min == 0);
    }
}
