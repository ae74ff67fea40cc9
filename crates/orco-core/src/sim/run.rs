//! One run: chaos, then calm, then down.

use std::{panic::AssertUnwindSafe, time::Duration};

use super::{Adversary, Chance, Fate, Plan, Session, Violation, unrest};
use crate::{brain::Command, model::Moment};

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The broken promise, if any.
    pub violation: Option<Violation>,
    /// Depends on everything that was decided.
    pub hash: u64,
    /// How often the brain was asked.
    pub turns: u32,
    /// How many facts it got.
    pub facts: u64,
    /// The story, if it was asked for.
    pub trace: String,
}

/// After so many moves the calm must have come to rest.
const PATIENCE: u32 = 20_000;

/// Carries a plan out.
pub fn run(plan: &Plan, trace: bool) -> Outcome {
    let adversary = Adversary { seed: plan.seed, faults: plan.faults.clone(), cursed: plan.cursed.clone() };
    let mut session = Session::planned(plan, Fate::Drawn(adversary), trace);
    // What panics is a broken promise like any other, and must not end the hunt.
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(plan, &mut session)));
    let violation = match played {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Some(session.violated("no panic", text.unwrap_or_default()))
        }
    };
    if let Some(violation) = &violation {
        let line = violation.to_string();
        session.note(|_| format!("VIOLATED {line}"));
    }
    let (hash, turns, facts) = (session.hash(), session.turns, session.facts);
    Outcome { violation, hash, turns, facts, trace: session.trace() }
}

fn play(plan: &Plan, session: &mut Session) -> Result<(), Violation> {
    chaos(plan, session)?;
    session.note(|_| "CALM".to_owned());
    session.heal();
    // What waited for the disk goes on.
    session.turn()?;
    if plan.revive && session.operator.killed.is_none() {
        let _ = session.command(&Command::Start { services: Vec::new(), deps: true });
        session.turn()?;
    }
    calm(plan, session)?;
    apply_again(session)?;
    session.note(|_| "DOWN".to_owned());
    if let Some(crash) = plan.parting {
        session.expect(crash);
    }
    let _ = session.command(&Command::Down);
    session.turn()?;
    down(session)
}

/// When something happens next.
fn next(session: &Session) -> Option<Moment> {
    let times = [session.world.next(), session.brain.next_wake(), session.shell.wake()];
    times.into_iter().flatten().min()
}

/// Moves on to `now`: facts, a turn, checks.
fn step(session: &mut Session, now: Moment) -> Result<(), Violation> {
    session.now = session.now.max(now);
    let mut facts = Vec::new();
    session.world.advance(session.now, &mut facts);
    session.deliver(facts)?;
    session.turn()?;
    let n = session.turns;
    session.inspect(n.is_multiple_of(5), n.is_multiple_of(7))
}

fn chaos(plan: &Plan, session: &mut Session) -> Result<(), Violation> {
    let mut chance = Chance::new(&[plan.seed, 3]);
    let mut end = Moment::ZERO + plan.chaos;
    // Orders keep their distance from each other when the machine sleeps.
    let mut slept = Duration::ZERO;
    let mut orders = plan.orders.iter().peekable();
    let mut absences = plan.weather.absences.iter().peekable();
    let mut mischief = plan.weather.mischief.iter().peekable();
    for _ in 0..plan.steps {
        // After the machine was started anew the clock counts from zero, the plan counts on.
        let booted = session.shell.booted;
        let clock = |at: Moment| Moment::ZERO + at.since(Moment::ZERO + booted);
        let ordered = orders.peek().map(|(at, _)| clock(*at + slept));
        let away = absences.peek().map(|absence| clock(absence.at + slept));
        let pranked = mischief.peek().map(|one| clock(one.at + slept));
        let planned = [ordered, away, pranked].into_iter().flatten();
        let Some(mut now) = next(session).into_iter().chain(planned).min().filter(|at| *at <= clock(end)) else {
            break;
        };
        if chance.hit(plan.faults.burst) {
            now = now + chance.duration(1, 200);
        }
        if chance.hit(plan.faults.suspend) {
            let sleep = chance.duration(1000, 3_600_000);
            session.note(|_| format!("SLEEP {sleep:?}"));
            (now, slept, end) = (now + sleep, slept + sleep, end + sleep);
            session.shell.slept = slept;
        }
        session.now = session.now.max(now);
        while let Some((_, command)) = orders.next_if(|(at, _)| *at + slept <= session.now + booted) {
            // A refusal changes nothing; the operator's wishes say so.
            let _ = session.command(command);
        }
        while let Some(absence) = absences.next_if(|absence| absence.at + slept <= session.now + booted) {
            session.leave_dock(absence);
        }
        while let Some(one) = mischief.next_if(|one| one.at + slept <= session.now + booted) {
            session.prank(one);
        }
        step(session, now)?;
        if chance.hit(20) && !session.shell.is_armed(session.now) && session.turn()? > 0 {
            return Err(session.violated("a second turn decides nothing", ""));
        }
    }
    Ok(())
}

fn calm(plan: &Plan, session: &mut Session) -> Result<(), Violation> {
    let revived = plan.revive && session.operator.killed.is_none();
    for n in 0..PATIENCE {
        let Some(now) = next(session) else { break };
        step(session, now)?;
        if n == PATIENCE / 2 && !plan.cursed.is_empty() {
            // Who tries for ever never comes to rest by himself.
            let cursed = session.operator.wishes.keys().filter(|name| plan.cursed.contains_key(*name));
            let services = cursed.cloned().collect();
            let _ = session.command(&Command::Stop { services });
        }
        if n % 16 == 15 && session.world.next().is_none() && unrest(session.scene(), &plan.cursed, revived).is_none() {
            break;
        }
        if n > 2000 && n % 64 == 0 && unrest(session.scene(), &plan.cursed, revived).is_none() {
            break;
        }
    }
    session.inspect(true, true)?;
    match unrest(session.scene(), &plan.cursed, revived) {
        Some(why) => Err(session.violated("the calm comes to rest", why)),
        None => Ok(()),
    }
}

/// I23: the same stack once more changes nothing.
fn apply_again(session: &mut Session) -> Result<(), Violation> {
    let scaled = session.operator.wishes.values().any(|w| w.replicas != w.service.replicas);
    let Some(stack) = session.operator.stack.clone().filter(|_| !scaled) else { return Ok(()) };
    session.turn()?;
    let _ = session.command(&Command::Apply(stack));
    let steps = session.turn()?;
    session.inspect(true, true)?;
    if steps > 0 {
        return Err(session.violated("I23 the same stack changes nothing", format!("{steps} steps")));
    }
    Ok(())
}

/// I24: down leaves nothing, and then nothing happens any more.
fn down(session: &mut Session) -> Result<(), Violation> {
    for _ in 0..PATIENCE {
        let Some(now) = next(session) else { break };
        step(session, now)?;
    }
    session.inspect(true, true)?;
    if let Some((_, body)) = session.world.living().next() {
        let what = format!("{} replica {} is left", body.service.name, body.at.slot.replica);
        return Err(session.violated("I24 down leaves nothing", what));
    }
    if let Some(husk) = session.world.husks().first() {
        return Err(
            session.violated("I24 down leaves nothing", format!("a container that never ran, {husk:?}, is left"))
        );
    }
    let snapshot = session.brain.snapshot(session.now);
    if !snapshot.all_down() {
        return Err(session.violated("I24 down is shown", "not all is down"));
    }
    match next(session) {
        Some(at) => Err(session.violated("an idle stack sleeps", format!("woken at {at:?}"))),
        None => Ok(()),
    }
}
