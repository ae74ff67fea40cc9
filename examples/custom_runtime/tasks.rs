//! The runtime `task`: `command[0]` names a registered async function, the rest are its arguments.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::{FutureExt, stream};
use orco::{
    model::{Exit, InstanceId, ServiceName, StackId},
    runtime::{Found, Handle, How, Known, LogChunk, LogPosition, LogSource, Runtime, RuntimeError, StartRequest},
    spec::{Diagnostic, Service},
};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
};

type Body = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
type Function = Arc<dyn Fn(Context) -> Body + Send + Sync>;

/// How a function ends if not well: with a code, and words for its log.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: i32,
    /// The words.
    pub why: String,
}

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: 1, why: error.to_string() }
    }
}

/// What a function knows of itself.
pub struct Context {
    arguments: Vec<String>,
    output: mpsc::Sender<LogChunk>,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// The argument of this number; 0 is the function's name.
    pub fn argument(&self, number: usize) -> Result<&str, Failure> {
        Ok(self.arguments.get(number).map(String::as_str).ok_or_else(|| format!("argument {number} is missing"))?)
    }

    /// Writes a line to the service's log.
    pub async fn say(&self, line: &str) {
        self.write(false, format!("{line}\n")).await;
    }

    /// Writes to the service's log, as stdout or stderr. It waits while the log is behind: nothing is dropped.
    pub async fn write(&self, stderr: bool, text: impl Into<Vec<u8>>) {
        // Without a reader the engine has ended, and so will this function.
        let _ = self.output.send(LogChunk::new(stderr, text.into())).await;
    }

    /// Returns when the instance is asked to stop.
    pub async fn stopped(&mut self) {
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}

/// Runs async functions as services.
#[derive(Clone, Default)]
pub struct Tasks {
    functions: BTreeMap<String, Function>,
    live: Arc<Mutex<BTreeMap<InstanceId, Live>>>,
}

struct Live {
    stack: StackId,
    service: ServiceName,
    stop: watch::Sender<bool>,
    abort: AbortHandle,
    exit: watch::Receiver<Option<Exit>>,
    output: Option<mpsc::Receiver<LogChunk>>,
}

impl Live {
    /// A task that has ended said so; one that was aborted has dropped its end of `exit`.
    fn runs(&self) -> bool {
        self.exit.borrow().is_none() && self.exit.has_changed().is_ok()
    }
}

impl Tasks {
    /// Registers a function under a name.
    #[must_use]
    pub fn function<F, R>(mut self, name: &str, function: F) -> Self
    where
        F: Fn(Context) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.functions.insert(name.to_owned(), Arc::new(move |context| Box::pin(function(context))));
        self
    }

    /// Whether the instance runs.
    pub fn runs(&self, instance: InstanceId) -> bool {
        self.live().get(&instance).is_some_and(Live::runs)
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, instance: InstanceId, how: How) {
        if let Some(live) = self.live().get(&instance) {
            match how {
                How::Graceful(_) => drop(live.stop.send(true)),
                How::Kill => live.abort.abort(),
            }
        }
    }

    /// How the instance ended, or will; `None` for one that is not known.
    fn exit(&self, instance: InstanceId) -> Option<watch::Receiver<Option<Exit>>> {
        self.live().get(&instance).map(|live| live.exit.clone())
    }

    async fn ended(&self, instance: InstanceId) -> Exit {
        let Some(mut exit) = self.exit(instance) else { return Exit::Unknown };
        // A task that was aborted has dropped its sender without a word.
        exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit).unwrap_or(Exit::Signal(9))
    }
}

#[async_trait]
impl Runtime for Tasks {
    fn name(&self) -> &str {
        "task"
    }

    fn validate(&self, service: &Service) -> Vec<Diagnostic> {
        let name = service.command.as_ref().and_then(|command| command.argv.first());
        match name {
            Some(name) if self.functions.contains_key(name) => Vec::new(),
            Some(name) => vec![Diagnostic::error("unknown-function", format!("there is no function `{name}`"))],
            None => vec![Diagnostic::error("unknown-function", "a task needs the name of a function".to_owned())],
        }
    }

    /// What has ended stays in the list until it is removed. Tasks end with their engine, so what an earlier engine
    /// knew is of no use here.
    async fn list(&self, stack: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
        let live = self.live();
        let ours = live.iter().filter(|(_, live)| live.stack == *stack);
        Ok(ours.map(|(id, live)| Found::new(Handle::new(*id, id.to_string()), live.service.clone())).collect())
    }

    async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
        let name = request.argv.first().map_or("", String::as_str);
        let function =
            self.functions.get(name).ok_or_else(|| RuntimeError::refused(format!("no function `{name}`")))?;
        let (stop, stop_rx) = watch::channel(false);
        let (output, output_rx) = mpsc::channel(64);
        let (ended, exit) = watch::channel(None);
        let body = function(Context { arguments: request.argv, output: output.clone(), stop: stop_rx });
        let task = tokio::spawn(async move {
            let code = match AssertUnwindSafe(body).catch_unwind().await {
                Ok(Ok(())) => 0,
                Ok(Err(Failure { code, why })) => {
                    let _ = output.send(LogChunk::new(true, format!("{why}\n").into_bytes())).await;
                    code
                }
                Err(_) => 101,
            };
            // All output first, then the exit: whoever sees it has all the words.
            drop(output);
            let _ = ended.send(Some(Exit::Code(code)));
        });
        let live = Live {
            stack: request.stack,
            service: request.service.name.clone(),
            stop,
            abort: task.abort_handle(),
            exit,
            output: Some(output_rx),
        };
        self.live().insert(request.instance, live);
        Ok(Handle::new(request.instance, request.instance.to_string()))
    }

    async fn wait(&self, handle: &Handle) -> Result<Exit, RuntimeError> {
        Ok(self.ended(handle.instance).await)
    }

    async fn stop(&self, handle: &Handle, how: How) -> Result<(), RuntimeError> {
        self.end(handle.instance, how);
        Ok(())
    }

    /// A function knows two signals: be gone, and please stop.
    async fn signal(&self, handle: &Handle, signal: i32) -> Result<(), RuntimeError> {
        match signal {
            9 => self.end(handle.instance, How::Kill),
            2 | 15 => self.end(handle.instance, How::Graceful(signal)),
            _ => return Err(RuntimeError::refused(format!("a function knows no signal {signal}"))),
        }
        Ok(())
    }

    async fn reap(&self, instance: InstanceId) -> Result<(), RuntimeError> {
        self.end(instance, How::Kill);
        self.ended(instance).await;
        self.live().remove(&instance);
        Ok(())
    }

    async fn remove(&self, handle: &Handle) -> Result<(), RuntimeError> {
        self.live().remove(&handle.instance);
        Ok(())
    }

    fn logs(&self, handle: &Handle, _: Option<&LogPosition>) -> LogSource {
        let output = self.live().get_mut(&handle.instance).and_then(|live| live.output.take());
        LogSource::Stream(Box::pin(stream::unfold(output, |output| async move {
            let mut output = output?;
            output.recv().await.map(|chunk| (chunk, Some(output)))
        })))
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("functions", &self.functions.keys()).field("live", &self.live().len()).finish()
    }
}
