//! Plays a story.

use std::collections::BTreeMap;

use super::{parse, table};
use crate::{
    brain::{Command, samples},
    model::{InstanceId, Moment, Role, ServiceName},
    sim::{Absence, Blow, Fate, Mood, Script, Session, Violation},
    spec::Service,
};

struct Stage {
    session: Session,
    services: BTreeMap<usize, Service>,
    out: Vec<String>,
}

/// Plays the commands of a story (lines that begin with `> `; a line `# ...` is kept as it is) and
/// returns the whole text with the answers.
///
/// # Errors
/// A line that cannot be understood, or a promise that the brain breaks.
pub fn tell(story: &str) -> Result<String, String> {
    let session = Session::told(1, Fate::Told(BTreeMap::new()));
    let mut stage = Stage { session, services: BTreeMap::new(), out: Vec::new() };
    for (n, line) in story.lines().enumerate() {
        if line.starts_with('#') {
            if stage.out.last().is_some_and(|last| !last.starts_with('#')) {
                stage.out.push(String::new());
            }
            stage.out.push(line.to_owned());
        }
        let Some(command) = line.strip_prefix("> ") else { continue };
        // A paragraph after each answer, none between orders that need none.
        if stage.out.last().is_some_and(|last| last.starts_with(' ')) {
            stage.out.push(String::new());
        }
        stage.out.push(line.to_owned());
        let words: Vec<&str> = command.split_whitespace().collect();
        stage.command(&words).map_err(|why| format!("line {}: {command}: {why}", n + 1))?;
    }
    let mut text = stage.out.join("\n");
    text.push('\n');
    Ok(text)
}

impl Stage {
    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        let names = |words: &[&str]| words.iter().map(|w| parse::name(w)).collect::<Result<Vec<_>, _>>();
        match words {
            ["service", rest @ ..] => self.service(rest),
            ["remove", name] => {
                self.services.retain(|_, s| s.name != *name);
                Ok(())
            }
            ["load", "demo"] => {
                self.services = parse::demo()?;
                self.apply()
            }
            ["load" | "apply"] => self.apply(),
            ["up"] => self.order(&Command::Start { services: Vec::new(), deps: true }),
            ["up", rest @ ..] => self.order(&Command::Start { services: names(rest)?, deps: true }),
            ["start", rest @ ..] => self.order(&Command::Start { services: names(rest)?, deps: false }),
            ["stop", rest @ ..] => self.order(&Command::Stop { services: names(rest)? }),
            ["restart", rest @ ..] => self.order(&Command::Restart { services: names(rest)? }),
            ["scale", name, n] => {
                self.order(&Command::Scale { service: parse::name(name)?, replicas: parse::number(n)? })
            }
            ["down"] => self.order(&Command::Down),
            ["kill"] => self.order(&Command::Kill),
            ["fate", name, rest @ ..] => self.fate(&parse::name(name)?, rest),
            ["crash", "engine", rest @ ..] => self.die(Blow::Engine, rest),
            ["crash", "keeper", rest @ ..] => self.die(Blow::Keeper, rest),
            ["crash", "both", rest @ ..] => self.die(Blow::Both, rest),
            ["power", "cut", rest @ ..] => self.die(Blow::Machine, rest),
            ["crash", who] => self.crash(who, "1"),
            ["crash", who, how] => self.crash(who, how),
            ["sick", who] => self.mood(who, Role::Readiness, Mood::Sick),
            ["well", who] => self.mood(who, Role::Readiness, Mood::WellAfter(std::time::Duration::ZERO)),
            ["hang", who] => self.mood(who, Role::Liveness, Mood::Sick),
            ["away", engine, manner, time] => {
                let (engine, manner) = (parse::engine(engine)?, parse::manner(manner)?);
                let at = self.session.now;
                self.session.leave_dock(&Absence { at, lasts: parse::duration(time)?, engine, manner });
                self.move_to(at)
            }
            ["tick", time] => self.tick(parse::duration(time)?),
            ["show"] => {
                self.out.extend(table::status(&self.session.brain.snapshot(self.session.now)));
                Ok(())
            }
            _ => Err("no such command".to_owned()),
        }
    }

    fn service(&mut self, words: &[&str]) -> Result<(), String> {
        let service = parse::service(words)?;
        let at = self.services.iter().find(|(_, s)| s.name == service.name).map(|(at, _)| *at);
        let at = at.unwrap_or_else(|| self.services.keys().last().map_or(0, |last| last + 1));
        self.services.insert(at, service);
        Ok(())
    }

    fn apply(&mut self) -> Result<(), String> {
        let services: Vec<Service> = self.services.values().cloned().collect();
        for service in &services {
            if let Some(dep) = service.depends_on.iter().find(|d| !services.iter().any(|s| s.name == d.target)) {
                return Err(format!("{} needs {}, which is not there", service.name, dep.target));
            }
        }
        self.order(&Command::Apply(samples::stack(services)))
    }

    fn order(&mut self, command: &Command) -> Result<(), String> {
        match self.session.command(command) {
            Ok(()) => self.turn(),
            Err(refused) => {
                self.out.push(format!("  refused: {refused}"));
                Ok(())
            }
        }
    }

    fn turn(&mut self) -> Result<(), String> {
        let broken = |violation: Violation| violation.to_string();
        self.session.turn().map_err(broken)?;
        self.session.inspect(true, true).map_err(broken)?;
        for (at, happening) in std::mem::take(&mut self.session.told) {
            self.out.push(table::event(&self.session.brain, at, &happening));
        }
        Ok(())
    }

    fn tick(&mut self, time: std::time::Duration) -> Result<(), String> {
        let end = self.session.now + time;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.move_to(at)?;
        }
        self.session.now = end;
        Ok(())
    }

    fn next(&self) -> Option<Moment> {
        [self.session.world.next(), self.session.brain.next_wake()].into_iter().flatten().min()
    }

    fn move_to(&mut self, at: Moment) -> Result<(), String> {
        self.session.now = self.session.now.max(at);
        let mut facts = Vec::new();
        self.session.world.advance(self.session.now, &mut facts);
        self.session.deliver(facts).map_err(|violation| violation.to_string())?;
        self.turn()
    }

    fn fate(&mut self, name: &ServiceName, words: &[&str]) -> Result<(), String> {
        let Some(service) = self.services.values().find(|s| s.name == *name) else {
            return Err(format!("no service `{name}`"));
        };
        let plain = Script::plain(service.kind);
        let Fate::Told(table) = self.session.world.fate_mut() else { return Ok(()) };
        if words == ["plain"] {
            table.insert(name.clone(), plain);
            return Ok(());
        }
        parse::script(table.entry(name.clone()).or_insert(plain), words)
    }

    /// The newest live instance of `service/replica`.
    fn find(&self, who: &str) -> Result<InstanceId, String> {
        let (name, replica) = who.split_once('/').unwrap_or((who, "0"));
        let replica = parse::number(replica)?;
        let living = self.session.world.living();
        living
            .filter(|(_, body)| body.service.name == name && body.at.slot.replica == replica)
            .max_by_key(|(_, body)| body.at.slot.generation)
            .map(|(inst, _)| inst)
            .ok_or(format!("nobody lives at {who}"))
    }

    fn crash(&mut self, who: &str, how: &str) -> Result<(), String> {
        let inst = self.find(who)?;
        self.session.world.strike(inst, parse::exit(how)?, self.session.now);
        self.move_to(self.session.now)
    }

    /// The next engine or keeper comes after 100 ms or what is said.
    fn die(&mut self, blow: Blow, away: &[&str]) -> Result<(), String> {
        let away = away.first().map_or(Ok(std::time::Duration::from_millis(100)), |text| parse::duration(text))?;
        self.session.die(blow, away).map_err(|violation| violation.to_string())?;
        self.move_to(self.session.now)
    }

    fn mood(&mut self, who: &str, role: Role, mood: Mood) -> Result<(), String> {
        let inst = self.find(who)?;
        self.session.world.set_mood(inst, role, mood);
        Ok(())
    }
}
