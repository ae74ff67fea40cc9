//! What a probe's target needs, without a runtime.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};

use crate::{
    log::{Level, Record, Source},
    model::ServiceName,
    probe::{Exec, Follow, RecordStream},
    runtime::{ExecResult, RuntimeError},
};

/// For probes that run no commands: refuses.
#[derive(Clone, Copy, Debug)]
pub struct NoExec;

#[async_trait]
impl Exec for NoExec {
    async fn exec(&self, _argv: Vec<String>, _timeout: Duration) -> Result<ExecResult, RuntimeError> {
        Err(RuntimeError::refused("no commands here"))
    }
}

/// Answers every command alike, and keeps what was asked.
#[derive(Debug)]
pub struct CannedExec {
    answer: Option<Result<ExecResult, RuntimeError>>,
    asked: Mutex<Vec<(Vec<String>, Duration)>>,
}

impl CannedExec {
    /// Gives this answer at once.
    pub const fn new(answer: Result<ExecResult, RuntimeError>) -> Self {
        Self { answer: Some(answer), asked: Mutex::new(Vec::new()) }
    }

    /// Never answers.
    pub const fn hung() -> Self {
        Self { answer: None, asked: Mutex::new(Vec::new()) }
    }

    /// Commands and timeouts so far.
    pub fn asked(&self) -> Vec<(Vec<String>, Duration)> {
        self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Exec for CannedExec {
    async fn exec(&self, argv: Vec<String>, timeout: Duration) -> Result<ExecResult, RuntimeError> {
        self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((argv, timeout));
        match &self.answer {
            Some(answer) => answer.clone(),
            None => std::future::pending().await,
        }
    }
}

/// An output that is there already: one batch per line.
#[derive(Clone, Debug)]
pub struct CannedLogs {
    records: Vec<Record>,
    ends: bool,
}

impl CannedLogs {
    /// These lines of stdout at level info, then the end if `ends`, else silence.
    pub fn new<S: Into<String>>(service: &ServiceName, lines: impl IntoIterator<Item = S>, ends: bool) -> Self {
        let record = |(seq, line): (usize, S)| {
            let mut record = Record::system(0, service.clone(), Level::Info, line);
            (record.source, record.replica, record.seq, record.run) = (Source::Stdout, 0, seq as u64, 1);
            record
        };
        Self { records: lines.into_iter().enumerate().map(record).collect(), ends }
    }

    /// With these records changed.
    #[must_use]
    pub fn map(mut self, change: impl FnMut(&mut Record)) -> Self {
        self.records.iter_mut().for_each(change);
        self
    }
}

impl Follow for CannedLogs {
    fn records(&self) -> RecordStream {
        let batches = stream::iter(self.records.clone().into_iter().map(|record| vec![record]));
        if self.ends { Box::pin(batches) } else { Box::pin(batches.chain(stream::pending())) }
    }
}
