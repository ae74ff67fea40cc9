//! How far the models are gone through.

use std::collections::HashSet;

use super::{Do, Model, apply};

/// Every sequence of at most `commands` commands, with at most `facts` facts after each, in every order.
fn explore(text: &'static str, alphabet: &[Do], commands: usize, facts: usize, crashes: bool) -> usize {
    let mut seen = HashSet::new();
    let mut settled = Model::new(text);
    settled.rest();
    let mut queue = vec![(Model::new(text), commands, facts), (settled, commands, facts)];
    while let Some((model, commands, left)) = queue.pop() {
        if !seen.insert((model.digest(), commands, left)) {
            continue;
        }
        model.clone().rest();
        if crashes {
            let mut crashed = model.clone();
            crashed.crash(None);
            assert_eq!(crashed.digest(), model.digest(), "another one after a crash: {:#?}", crashed.history);
            crashed.rest();
            for inst in model.next() {
                let mut next = model.clone();
                next.crash(Some(inst));
                next.clone().rest();
                if left > 0 {
                    queue.push((next, commands, left - 1));
                }
            }
        }
        if left > 0 {
            for inst in model.next() {
                let mut next = model.clone();
                next.happen(inst);
                queue.push((next, commands, left - 1));
            }
        }
        if commands > 0 {
            for what in alphabet {
                let mut next = model.clone();
                next.command(what);
                queue.push((next, commands - 1, facts));
            }
        }
    }
    seen.len()
}

/// How deep: the debug build is ten times slower.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]
fn depth(release: usize) -> usize {
    if cfg!(debug_assertions) && std::env::var_os("ORCO_DEEP").is_none() { release - 1 } else { release }
}

fn of_two() -> Vec<Do> {
    use Do::{Down, Restart, Start, Stop, Up};
    vec![
        Up,
        Down,
        Start("db"),
        Stop("db"),
        Stop("api"),
        Restart("api"),
        Restart("db"),
        apply("db api>db"),
        apply("db:2 api:2>db"),
        apply("api:2"),
        apply("db"),
        apply("db>api api"),
        apply("db:2>api api:2"),
    ]
}

#[test]
fn two_services() {
    assert!(explore("db api>db", &of_two(), depth(4), 4, false) > 1000);
}

#[test]
fn two_services_and_a_crash_at_every_point() {
    assert!(explore("db api>db", &of_two(), depth(3), 4, true) > 1000);
}

fn of_three() -> Vec<Do> {
    use Do::{Down, Restart, Stop, Up};
    vec![
        Up,
        Down,
        Stop("db"),
        Stop("api"),
        Restart("api"),
        Restart("web"),
        apply("db api>db web>api"),
        apply("db api:2 web:2>api"),
        apply("db web:2"),
        apply("web:2"),
        apply("api:2 web>api"),
        apply("db web:2>db"),
        apply("web:2 api:2>web db>api"),
    ]
}

#[test]
fn three_in_a_chain() {
    assert!(explore("db api>db web>api", &of_three(), depth(3), 5, false) > 1000);
}

#[test]
fn three_in_a_chain_and_a_crash_at_every_point() {
    assert!(explore("db api>db web>api", &of_three(), depth(2), 5, true) > 100);
}
