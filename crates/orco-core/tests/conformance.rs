//! The runtime kit against a runtime of in-process tasks: it passes when right, and is found out when wrong.
#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use orco_core::{
    conformance::{Behaviour, Fixture, Outcome, runtime},
    model::{Exit, InstanceId, ServiceName, StackId},
    runtime::{Found, Handle, How, Known, LogChunk, LogPosition, LogSource, Runtime, RuntimeError, StartRequest},
    spec::ServiceBuilder,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    ForgetsTheExit,
    StopFailsAfterTheEnd,
    ListsTheRemoved,
    ForgetsTheEnded,
    IgnoresKill,
    LosesTheLastLine,
    FailsUncertainly,
    ReapDoesNothing,
    HangsInRemove,
}

#[derive(Debug)]
struct Tasks {
    fault: Fault,
    instances: Mutex<BTreeMap<InstanceId, Task>>,
}

#[derive(Debug)]
struct Task {
    stack: StackId,
    service: ServiceName,
    stops: mpsc::UnboundedSender<How>,
    exit: watch::Receiver<Option<Exit>>,
    output: Option<mpsc::UnboundedReceiver<LogChunk>>,
    running: JoinHandle<()>,
}

/// What an instance does: its argv says it.
async fn live(
    argv: Vec<String>,
    out: mpsc::UnboundedSender<LogChunk>,
    mut stops: mpsc::UnboundedReceiver<How>,
) -> Exit {
    let say = |stderr, text: String| {
        let _ = out.send(LogChunk::new(stderr, text.into_bytes()));
    };
    let number: i32 = argv.get(1).map_or(0, |n| n.parse().unwrap());
    match argv[0].as_str() {
        "exit" => Exit::Code(number),
        "print" => {
            (0..number).for_each(|n| say(false, format!("{n}\n")));
            (0..number).for_each(|n| say(true, format!("{n}\n")));
            say(false, "end".to_owned());
            Exit::Code(0)
        }
        deaf_or_not => {
            say(false, "ready\n".to_owned());
            loop {
                match stops.recv().await {
                    Some(How::Graceful(_)) if deaf_or_not == "deaf" => {}
                    Some(How::Graceful(signal)) => return Exit::Signal(signal),
                    Some(How::Kill) | None => return Exit::Signal(9),
                }
            }
        }
    }
}

impl Tasks {
    fn exit_of(&self, id: InstanceId) -> Result<watch::Receiver<Option<Exit>>, RuntimeError> {
        let instances = self.instances.lock().unwrap();
        instances.get(&id).map(|task| task.exit.clone()).ok_or_else(|| RuntimeError::unknown("no such instance"))
    }
}

#[async_trait]
impl Runtime for Tasks {
    fn name(&self) -> &str {
        "tasks"
    }

    async fn list(&self, stack: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        let instances = self.instances.lock().unwrap();
        let ours = instances.iter().filter(|(_, task)| task.stack == *stack);
        let ours = ours.filter(|(_, task)| self.fault != Fault::ForgetsTheEnded || task.exit.borrow().is_none());
        Ok(ours.map(|(id, task)| Found::new(Handle::new(*id, "task"), task.service.clone())).collect())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        if request.argv[0] == "missing" {
            return Err(match self.fault {
                Fault::FailsUncertainly => RuntimeError::unknown("no such task"),
                _ => RuntimeError::refused("no such task"),
            });
        }
        tokio::task::yield_now().await;
        let (stops, orders) = mpsc::unbounded_channel();
        let (out, output) = mpsc::unbounded_channel();
        let (ended, exit) = watch::channel(None);
        let argv = request.argv.clone();
        let running = tokio::spawn(async move {
            let exit = live(argv, out, orders).await;
            let _ = ended.send(Some(exit));
        });
        let (stack, service, output) = (request.stack, request.service.name.clone(), Some(output));
        let task = Task { stack, service, stops, exit, output, running };
        self.instances.lock().unwrap().insert(request.instance, task);
        Ok(Handle::new(request.instance, "task"))
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        let mut exit = self.exit_of(handle.instance)?;
        let exit = exit.wait_for(Option::is_some).await.map_err(|_| RuntimeError::unknown("lost"))?.unwrap();
        if self.fault == Fault::ForgetsTheExit {
            self.instances.lock().unwrap().remove(&handle.instance);
        }
        Ok(exit)
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        if let Some(task) = self.instances.lock().unwrap().get(&handle.instance) {
            let is_ignored = self.fault == Fault::IgnoresKill && how == How::Kill;
            if !is_ignored && task.stops.send(how).is_err() && self.fault == Fault::StopFailsAfterTheEnd {
                return Err(RuntimeError::refused("it has ended"));
            }
        }
        Ok(())
    }

    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
        self.stop(handle, How::Graceful(signal)).await
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        if self.fault != Fault::ReapDoesNothing
            && let Some(task) = self.instances.lock().unwrap().remove(&instance)
        {
            task.running.abort();
        }
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        if self.fault == Fault::HangsInRemove {
            std::future::pending::<()>().await;
        }
        if self.fault == Fault::ListsTheRemoved {
            return Ok(());
        }
        self.instances.lock().unwrap().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, handle: &Handle, _: Option<&LogPosition>) -> LogSource {
        let output = self.instances.lock().unwrap().get_mut(&handle.instance).and_then(|task| task.output.take());
        let chunks = stream::unfold(output, async |output| {
            let mut output = output?;
            output.recv().await.map(|chunk| (chunk, Some(output)))
        });
        let fault = self.fault;
        LogSource::Stream(Box::pin(
            chunks.filter(move |chunk| std::future::ready(fault != Fault::LosesTheLastLine || chunk.bytes != b"end")),
        ))
    }
}

struct Bench {
    runtime: Arc<Tasks>,
    scratch: tempfile::TempDir,
}

impl Fixture for Bench {
    fn runtime(&self) -> Arc<dyn Runtime> {
        self.runtime.clone()
    }

    fn again(&self) -> Option<Arc<dyn Runtime>> {
        Some(self.runtime.clone())
    }

    fn service(&self, behaviour: Behaviour) -> Option<ServiceBuilder> {
        let argv = match behaviour {
            Behaviour::Exits(code) => vec!["exit".to_owned(), code.to_string()],
            Behaviour::Runs => vec!["obey".to_owned()],
            Behaviour::IgnoresStop => vec!["deaf".to_owned()],
            Behaviour::Prints(lines) => vec!["print".to_owned(), lines.to_string()],
            Behaviour::FailsToStart => vec!["missing".to_owned()],
            _ => return None,
        };
        Some(ServiceBuilder::new("task", "tasks").command(argv))
    }

    fn scratch(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    fn bound(&self) -> Duration {
        if self.runtime.fault == Fault::None { Duration::from_secs(10) } else { Duration::from_millis(300) }
    }
}

/// The names of the checks that fail, and how many are skipped.
async fn failing(fault: Fault) -> (Vec<&'static str>, usize) {
    let runtime_ = Arc::new(Tasks { fault, instances: Mutex::default() });
    let report = runtime(&Bench { runtime: runtime_, scratch: tempfile::tempdir().unwrap() }).await;
    let failed = report.checks().iter().filter(|c| matches!(c.outcome, Outcome::Failed(_))).map(|c| c.name).collect();
    if fault == Fault::None {
        report.assert();
    }
    (failed, report.checks().iter().filter(|c| matches!(c.outcome, Outcome::Skipped(_))).count())
}

#[tokio::test]
async fn a_right_runtime_passes() {
    assert_eq!(failing(Fault::None).await, (Vec::new(), 6));
}

#[tokio::test]
async fn each_fault_is_found() {
    let table = [
        (Fault::ForgetsTheExit, "wait may be called twice and after the end"),
        (Fault::StopFailsAfterTheEnd, "stop may be called twice and after the end"),
        (Fault::ListsTheRemoved, "list has what is not removed and no others"),
        (Fault::ForgetsTheEnded, "list has what is not removed and no others"),
        (Fault::ForgetsTheEnded, "a second client finds what runs and what has ended"),
        (Fault::IgnoresKill, "kill ends what ignores the stop signal"),
        (Fault::LosesTheLastLine, "all output is there from the first byte"),
        (Fault::FailsUncertainly, "a start that fails did not happen"),
        (Fault::ReapDoesNothing, "a dropped start can be reaped"),
        (Fault::HangsInRemove, "remove may be called twice"),
    ];
    for (fault, want) in table {
        let (failed, _) = failing(fault).await;
        assert!(failed.contains(&want), "{fault:?}: {failed:?}");
    }
}
