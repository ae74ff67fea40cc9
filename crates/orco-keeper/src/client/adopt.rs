//! Finding what an earlier pair of engine and keeper has left running.

use std::{
    collections::HashMap,
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    sync::Arc,
};

use orco_core::model::{Exit, InstanceId};
use tokio::sync::oneshot;

use super::{
    error::SpawnError,
    instance::{Instance, Papers},
    keeper::Client,
    link::lock,
};

/// What is remembered of an instance that was alive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Which one.
    pub id: InstanceId,
    /// Its [`Client::token`]; empty where it was never learned.
    pub token: String,
    /// What asks it to end when everything ends.
    pub stop_signal: i32,
    /// The directory of its log.
    pub log_dir: PathBuf,
    /// The name of its segments there, up to `.N.log`.
    pub log_stem: OsString,
}

/// What has become of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Its main process, which is the keeper's now.
    Live(u32),
    /// It is over.
    Over(Exit),
    /// Nothing of it is left, and nobody knows how it ended.
    Gone,
}

impl Client {
    /// Has the keeper take over what an earlier one has left. Of what is not alive any more nothing is left when this
    /// returns. Dropping the future undoes nothing.
    ///
    /// # Errors
    /// There is no keeper. What has been taken over by then stays.
    pub async fn adopt(&self, known: Vec<Known>) -> Result<HashMap<InstanceId, Fate>, SpawnError> {
        let link = self.link().await?;
        let mut fates = HashMap::new();
        let mut answers = Vec::new();
        for Known { id, token, stop_signal, log_dir, log_stem } in known {
            if let Some(instance) = self.shared().instance(id) {
                let state = instance.state();
                let live = state.pid.map_or(Fate::Gone, Fate::Live);
                fates.insert(id, state.exit.map_or(live, Fate::Over));
                continue;
            }
            let papers = Papers {
                token: token.into_bytes().into(),
                stop_signal,
                log_dir: log_dir.as_os_str().as_bytes().into(),
                log_stem: log_stem.into_vec().into(),
            };
            let instance = Arc::new(Instance::new(link.number, papers));
            self.shared().put(id, Arc::clone(&instance));
            let (answer, answered) = oneshot::channel();
            lock(&link.waiters).adoptions.insert(id, answer);
            link.send(&instance.adoption(id))?;
            answers.push((id, answered));
        }
        drop(link);
        for (id, answered) in answers {
            fates.insert(id, answered.await.unwrap_or(Fate::Gone));
        }
        Ok(fates)
    }

    /// By what another keeper knows the instance again: printable; empty until it runs, and where nothing outlives the
    /// keeper.
    pub fn token(&self, id: InstanceId) -> Option<String> {
        Some(self.shared().instance(id)?.token())
    }
}
