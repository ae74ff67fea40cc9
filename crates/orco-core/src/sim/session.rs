//! One brain in one world, judged: what a run and a story have in common.

use std::fmt::Write as _;

use super::{
    Absence, Fate, Faults, Judge, Ledger, Mischief, Operator, Plan, Scene, Violation, World,
    plan::describe,
    shell::Shell,
    show::{show_fact, show_happening},
};
use crate::{
    brain::{Action, Brain, BrainConfig, Command, Input, Plant, Refused, Step, Turn},
    model::{Fact, Happening, Moment, ServiceName},
    spec::Stack,
};

/// One brain in one world.
#[derive(Debug)]
pub struct Session {
    /// The one that decides.
    pub brain: Brain,
    /// The truth.
    pub world: World,
    /// What facts tell.
    pub ledger: Ledger,
    /// What is wanted.
    pub operator: Operator,
    /// What was told since somebody last took it.
    pub told: Vec<(Moment, Happening)>,
    pub(super) judge: Judge,
    /// What is around the brain.
    pub(super) shell: Shell,
    /// Now.
    pub now: Moment,
    /// How often the brain was asked.
    pub turns: u32,
    /// How many facts were delivered.
    pub facts: u64,
    hash: u64,
    trace: Option<String>,
    keep_told: bool,
}

macro_rules! scene {
    ($self:ident) => {
        Scene {
            brain: &$self.brain,
            world: &$self.world,
            ledger: &$self.ledger,
            operator: &$self.operator,
            now: $self.now,
        }
    };
}

impl Session {
    /// A session of a plan.
    pub fn planned(plan: &Plan, fate: Fate, trace: bool) -> Self {
        let mut config = BrainConfig::new(u128::from(plan.seed));
        config.restarts_per_second = plan.restarts_per_second;
        let mut world = World::new(fate, plan.faults.clone(), plan.seed);
        (world.late_born, world.plant) = (plan.weather.late_born, plan.plant);
        let mut session = Self::new(config, world, Judge::new(plan.quiet, plan.restarts_per_second));
        session.trace = trace.then(String::new);
        session.shell = Shell::planned(plan);
        if let Some(bug) = plan.plant {
            session.brain.plant(bug);
        }
        session
    }

    /// A session in which only what is told goes wrong.
    pub fn told(seed: u64, fate: Fate) -> Self {
        let config = BrainConfig::new(u128::from(seed));
        let judge = Judge::new(false, config.restarts_per_second);
        let shell = Shell::told(&config);
        let mut session = Self::new(config, World::new(fate, Faults::default(), seed), judge);
        session.shell = shell;
        session.keep_told = true;
        session
    }

    fn new(config: BrainConfig, world: World, judge: Judge) -> Self {
        Self {
            brain: Brain::new(config),
            world,
            ledger: Ledger::default(),
            operator: Operator::default(),
            told: Vec::new(),
            judge,
            shell: Shell::default(),
            now: Moment::ZERO,
            turns: 0,
            facts: 0,
            hash: 0xcbf2_9ce4_8422_2325,
            trace: None,
            keep_told: false,
        }
    }

    /// A number that depends on everything that was decided.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The trace so far.
    pub fn trace(&mut self) -> String {
        self.trace.take().unwrap_or_default()
    }

    /// What checks look at.
    pub const fn scene(&self) -> Scene<'_> {
        scene!(self)
    }

    /// A container engine goes away.
    pub fn leave_dock(&mut self, absence: &Absence) {
        self.note(|_| absence.to_string());
        self.judge.leaves(scene!(self), absence.engine);
        self.world.leave_dock(absence, self.now);
    }

    /// Somebody plays a prank on a container.
    pub fn prank(&mut self, mischief: &Mischief) {
        if let Some(victim) = self.world.prank(mischief, self.now) {
            self.note(|_| format!("{mischief} on {victim:?}"));
        }
    }

    /// Writes a line into the trace.
    pub fn note(&mut self, line: impl FnOnce(&Brain) -> String) {
        if let Some(trace) = &mut self.trace {
            // Writing to a string cannot fail.
            let _ = writeln!(trace, "{:?} {}", self.now, line(&self.brain));
        }
    }

    const fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }

    /// Gives an order.
    ///
    /// # Errors
    /// The brain's refusal.
    pub fn command(&mut self, command: &Command) -> Result<(), Refused> {
        self.note(|_| format!("ORDER {}", describe(command)));
        self.prepare();
        if self.shell.refuses() {
            self.note(|_| "  refused: the journal cannot be written".to_owned());
            return Ok(());
        }
        let renewed = self.renewed_by(command);
        let taken = self.brain.apply(Input::Command(command.clone()), self.now);
        match &taken {
            Ok(()) => {
                self.shell.commanded = true;
                if let Command::Apply(stack) = command {
                    self.begin_anew(stack);
                }
                self.operator.asked(command, self.now);
                for name in renewed {
                    if let Some(wish) = self.operator.wishes.get_mut(&name) {
                        wish.renewed = self.now;
                    }
                }
                self.follow(command);
                self.judge.forget_leans(scene!(self));
                if matches!(command, Command::Start { .. } | Command::Restart { .. }) {
                    self.clear_counts();
                }
            }
            Err(refused) => {
                let refused = refused.to_string();
                self.note(|_| format!("  refused: {refused}"));
            }
        }
        taken
    }

    /// A changed service of which nothing lives begins anew, without a decision.
    fn begin_anew(&mut self, stack: &Stack) {
        for name in self.operator.replaced_by(stack) {
            if let Some(ix) = self.brain.ix(name.as_str())
                && self.ledger.live_of(ix).next().is_none()
            {
                self.ledger.seats.remove(&ix);
            }
        }
    }

    /// A restart replaces what lives and is wanted; of the rest it is a start.
    fn renewed_by(&self, command: &Command) -> Vec<ServiceName> {
        let Command::Restart { services } = command else { return Vec::new() };
        let replaced = |name: &&ServiceName| {
            // Named twice, the first time takes it up.
            let twice = services.iter().filter(|other| other == name).count() > 1;
            let up = twice || self.operator.wishes.get(*name).is_some_and(|wish| wish.up);
            up && self.brain.ix(name.as_str()).is_some_and(|ix| self.ledger.stays(ix))
        };
        services.iter().filter(replaced).cloned().collect()
    }

    /// What the ledger makes of the operator's newest wishes.
    fn follow(&mut self, command: &Command) {
        for (name, wish) in &self.operator.wishes {
            let Some(ix) = self.brain.ix(name.as_str()) else { continue };
            if wish.retuned == self.now {
                self.ledger.retune(ix, &wish.service, self.now);
            }
            let again = match command {
                Command::Start { services, .. } => services.contains(name),
                // With something that lives it is a replacement: what succeeded stays until it goes.
                Command::Restart { services } => services.contains(name) && wish.renewed < self.now,
                _ => false,
            };
            if again {
                self.ledger.clear_done(ix);
            }
        }
    }

    fn clear_counts(&mut self) {
        for (name, wish) in &self.operator.wishes {
            if wish.asked == self.now
                && let Some(ix) = self.brain.ix(name.as_str())
            {
                self.ledger.clear_counts(ix);
            }
        }
    }

    /// Delivers facts. They never refuse.
    ///
    /// # Errors
    /// A fact that is not so.
    pub fn deliver(&mut self, facts: Vec<Fact>) -> Result<(), Violation> {
        self.prepare();
        for fact in facts {
            if let Fact::Exited { inst, .. } = &fact {
                self.shell.ended.push(*inst);
                if self.shell.plant == Some(Plant::EndForgotten) {
                    self.world.recorded(*inst);
                }
            }
            self.note(|brain| format!("  fact {}", show_fact(brain, &fact)));
            self.facts += 1;
            scene!(self).fact(&fact)?;
            self.ledger.hear(&fact, self.now);
            // Facts never refuse.
            let _ = self.brain.apply(Input::Fact(fact), self.now);
        }
        Ok(())
    }

    /// Asks the brain, judges the answer, writes it down and carries it out. Returns how many steps it took.
    ///
    /// # Errors
    /// The broken promise.
    pub fn turn(&mut self) -> Result<usize, Violation> {
        self.turns += 1;
        self.prepare();
        let turn = self.brain.turn(self.now);
        if let Some(crash) = self.shell.strikes(&turn, self.now) {
            self.struck(&crash, turn)?;
            return self.turn();
        }
        self.book(&turn)?;
        let steps = turn.steps.len();
        let recorded = self.record(turn.actions);
        self.forget_ended(&recorded.ended);
        self.carry_out(recorded.actions);
        self.shell.turned();
        Ok(steps)
    }

    /// Judges and books what was decided.
    pub(super) fn book(&mut self, turn: &Turn) -> Result<(), Violation> {
        let mut actions = turn.actions.iter();
        for (ix, step) in &turn.steps {
            self.note(|brain| format!("    {} {step:?}", brain.name(*ix)));
            self.judge.step(scene!(self), *ix, step)?;
            self.ledger.decide(*ix, step, self.now);
            self.mix(u64::from(ix.0) << 32);
            let name = self.brain.name(*ix);
            match step {
                Step::Yield(_) => self.operator.stopped_by_dependency(name, self.now),
                Step::Gone => self.operator.gone(name),
                _ => {}
            }
            if is_effect(step) {
                let Some(action) = actions.next() else {
                    return Err(self.violated("every effect is an action", format!("{step:?}")));
                };
                self.judge.action(scene!(self), action)?;
                self.ledger.order(action, self.now);
            }
        }
        if let Some(action) = actions.next() {
            return Err(self.violated("every action is a decision", format!("{action:?}")));
        }
        self.judge.turn(scene!(self), turn)?;
        self.hear(turn);
        Ok(())
    }

    pub(super) fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            if let Action::Start { at, service, run, .. } = &action {
                self.shell.logs(service, at.slot.replica, *run);
            }
            self.world.carry_out(&action, self.now);
            let word = match action {
                Action::Start { inst, .. } => inst.0,
                Action::Probe { inst, .. } => inst.0 ^ 1,
                Action::Unprobe { inst, .. } => inst.0 ^ 2,
                Action::Stop { inst, .. } => inst.0 ^ 3,
                Action::Kill { inst, .. } => inst.0 ^ 4,
            };
            self.mix(u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0));
            self.mix(self.now.as_micros());
        }
    }

    fn hear(&mut self, turn: &Turn) {
        for happening in &turn.happenings {
            self.note(|brain| format!("      * {}", show_happening(brain, happening)));
            self.mix(happening.kind as u64 ^ (happening.message.len() as u64) << 8);
        }
        if self.keep_told {
            self.told.extend(turn.happenings.iter().map(|h| (self.now, h.clone())));
        }
    }

    /// Compares what the brain shows with what is so, and lets it look for forgotten work.
    ///
    /// # Errors
    /// The broken promise.
    pub fn inspect(&mut self, shown: bool, scan: bool) -> Result<(), Violation> {
        if shown {
            self.judge.shown(scene!(self))?;
        }
        if scan && let Err(what) = self.brain.check(self.now) {
            return Err(self.violated("no wake-up is lost", what));
        }
        if scan && self.shell.compares() { self.compare() } else { Ok(()) }
    }

    /// A violation, now.
    pub fn violated(&self, rule: &'static str, what: impl Into<String>) -> Violation {
        Violation { rule, what: what.into(), at: self.now }
    }
}

/// Whether a step yields an action.
const fn is_effect(step: &Step) -> bool {
    matches!(
        step,
        Step::Start(_) | Step::Probe(..) | Step::Unprobe(..) | Step::Stop(_) | Step::Kill(_) | Step::Repeat(_)
    )
}
