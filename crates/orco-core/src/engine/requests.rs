//! What handles ask of the driver.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{
    builder,
    closing::PATIENCE,
    driver::{Driver, Mode},
    live::Found,
    saved,
    status::{StandingWatch, Status, Watch},
};
use crate::{
    brain::{Command, Input, Refused},
    crash,
    model::{Moment, ServiceName},
};

/// What a handle asks of the driver.
#[derive(Debug)]
pub(super) enum Request {
    /// Answered with the first status version that knows of it.
    Command(Command, oneshot::Sender<Taken>),
    Status(oneshot::Sender<Arc<Status>>),
    Watch(oneshot::Sender<Watch>),
    Standing(oneshot::Sender<StandingWatch>),
    /// The running instances of one service (`None`: there is no such service), or of all.
    Running(Option<ServiceName>, oneshot::Sender<Option<Vec<Found>>>),
    /// End, when nothing is left.
    End(oneshot::Sender<()>),
    /// End at once and leave everything to the next engine. The answer: what is remembered is on the disk, or why not.
    Leave(oneshot::Sender<Result<(), Arc<str>>>),
    /// Take in what the host wants to be kept with the state.
    Keep(String, Vec<u8>),
    /// Answered by the loop itself.
    Beat(oneshot::Sender<()>),
}

/// The answer to a command.
pub(super) type Taken = Result<u64, NotTaken>;

/// Why a command was not taken.
#[derive(Clone, Debug)]
pub(super) enum NotTaken {
    Refused(Refused),
    /// Nothing can be recorded at present.
    Unrecorded(Arc<str>),
    /// It was taken, and turned out not to be recordable yet.
    Delayed(Arc<str>),
}

impl Driver {
    pub(super) fn request(&mut self, request: Option<Request>) {
        let now = self.clock.now();
        match request {
            Some(Request::Command(command, reply)) => self.asked(command, reply, now),
            Some(Request::Status(reply)) => {
                self.turn(now);
                let _ = reply.send(self.publish_now(now));
            }
            Some(Request::Watch(reply)) => {
                let rx = self.published.subscribe();
                self.publish_now(now);
                let _ = reply.send(Watch { rx });
            }
            Some(Request::Standing(reply)) => _ = reply.send(StandingWatch { rx: self.standing.subscribe() }),
            Some(Request::Running(service, reply)) => {
                let _ = reply.send(self.running(service.as_ref()));
            }
            Some(Request::End(reply)) => self.end(Some(reply), now),
            Some(Request::Leave(reply)) => self.mode = Mode::Leaving(reply),
            Some(Request::Keep(name, value)) => {
                self.notes.push(saved::put(format!("{}{name}", saved::KEPT), value));
                self.turn(now);
            }
            Some(Request::Beat(reply)) => _ = reply.send(()),
            // Nobody is left to ask anything. What outlives engines outlives this one.
            None if self.world.ledger.records() => self.mode = Mode::Leaving(oneshot::channel().0),
            None => self.end(None, now),
        }
    }

    /// A command is acknowledged when it cannot be forgotten any more.
    fn asked(&mut self, command: Command, reply: oneshot::Sender<Taken>, now: Moment) {
        crash::point("command.before-apply");
        let lessens = matches!(command, Command::Down | Command::Kill | Command::Stop { .. });
        // What ends something is taken also when the disk is full: nobody may be locked in.
        if let Some(trouble) = self.world.ledger.trouble().filter(|_| !lessens) {
            let _ = reply.send(Err(NotTaken::Unrecorded(trouble)));
            return;
        }
        if let Err(refused) = self.command(command, now) {
            let _ = reply.send(Err(NotTaken::Refused(refused)));
            return;
        }
        let mark = self.turn(now);
        let version = self.next_version();
        crash::point("command.after-apply");
        if !self.world.ledger.records() {
            let _ = reply.send(Ok(version));
            return;
        }
        let world = Arc::clone(&self.world);
        self.tasks.spawn(async move {
            let synced = world.ledger.synced(mark).await;
            crash::point("command.before-answer");
            let _ = reply.send(match synced {
                // What the brain has decided is not taken back: it waits for the disk.
                Err(trouble) if !lessens => Err(NotTaken::Delayed(trouble)),
                Ok(()) | Err(_) => Ok(version),
            });
        });
    }

    pub(super) fn command(&mut self, command: Command, now: Moment) -> Result<(), Refused> {
        let kill = matches!(command, Command::Kill);
        let down = kill || matches!(command, Command::Down);
        let starting = if let Command::Start { services, .. } = &command { Some(services.clone()) } else { None };
        let up = starting.is_some();
        let stack = if let Command::Apply(stack) = &command { Some(Arc::clone(stack)) } else { None };
        let scaled =
            if let Command::Scale { service, replicas } = &command { Some((service.clone(), *replicas)) } else { None };
        self.brain.apply(Input::Command(command), now)?;
        self.stale = true;
        self.going_down = down || (self.going_down && !up);
        if kill {
            self.patience.get_or_insert(now + PATIENCE);
            self.world.hurry.cancel();
        }
        let mut directory = self.world.directory();
        if let Some(stack) = stack {
            if self.world.ledger.records() {
                self.notes.push(saved::put(saved::WANTED, stack.to_json()));
            }
            *self.world.wanted() = (*stack).clone();
            self.world.logs.settle(&stack);
            *directory = builder::directory(&stack);
        }
        if let Some((service, replicas)) = scaled
            && let Some(entry) = directory.get_mut(&service)
        {
            entry.1 = replicas;
        }
        drop(directory);
        if let Some(services) = starting {
            self.prepare_ahead(&services);
        }
        Ok(())
    }

    fn end(&mut self, reply: Option<oneshot::Sender<()>>, now: Moment) {
        let _ = self.command(Command::Kill, now);
        self.mode = Mode::Ending(reply.into_iter().collect());
    }
}
