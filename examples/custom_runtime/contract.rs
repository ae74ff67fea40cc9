//! The conformance kit, run on the runtime: what it must be told is how to make services of certain behaviours.

use std::{future, path::PathBuf, sync::Arc};

use orco::{
    conformance::{self, Behaviour, Fixture, Report},
    model::InstanceId,
    runtime::Runtime,
    spec::ServiceBuilder,
};

use crate::tasks::{Context, Failure, Tasks};

struct Kit {
    tasks: Tasks,
    scratch: PathBuf,
}

impl Fixture for Kit {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.tasks.clone())
    }

    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder> {
        let argv = match behaviour {
            Behaviour::Exits(code) => vec!["exits".to_owned(), code.to_string()],
            Behaviour::Runs => vec!["runs".to_owned()],
            Behaviour::IgnoresStop => vec!["ignores".to_owned()],
            Behaviour::Prints(lines) => vec!["prints".to_owned(), lines.to_string()],
            Behaviour::FailsToStart => vec!["nobody".to_owned()],
            // A function has no children and gets no signals; the kit skips what needs them.
            _ => return None,
        };
        Some(ServiceBuilder::new("function", "task").command(argv))
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.clone()
    }

    fn alive(&self, instance: InstanceId) -> Option<usize> {
        Some(usize::from(self.tasks.runs(instance)))
    }
}

/// Asks every clause of the contract.
pub async fn check(scratch: PathBuf) -> Report {
    let tasks = Tasks::default()
        .function("exits", exits)
        .function("runs", runs)
        .function("ignores", ignores)
        .function("prints", prints);
    conformance::runtime(&Kit { tasks, scratch }).await
}

async fn exits(context: Context) -> Result<(), Failure> {
    match context.argument(1)?.parse()? {
        0 => Ok(()),
        code => Err(Failure { code, why: format!("exits with {code}") }),
    }
}

async fn runs(mut context: Context) -> Result<(), Failure> {
    context.say("ready").await;
    context.stopped().await;
    Ok(())
}

async fn ignores(context: Context) -> Result<(), Failure> {
    context.say("ready").await;
    future::pending().await
}

async fn prints(context: Context) -> Result<(), Failure> {
    let lines: u32 = context.argument(1)?.parse()?;
    for number in 0..lines {
        context.write(false, format!("{number}\n")).await;
    }
    for number in 0..lines {
        context.write(true, format!("{number}\n")).await;
    }
    context.write(false, "end").await;
    Ok(())
}
