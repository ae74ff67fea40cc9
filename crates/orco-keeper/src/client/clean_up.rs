//! What keepers clean up after the engine's death.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use super::{
    error::{CleanUpError, StartError},
    keeper::Client,
    shared::Shared,
};
use crate::clean::{CleanUp, EngineHost, Label};

/// The first pause after a keeper that could not be started. It doubles each time.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest path of a socket (unix(7)), without the terminating null; names of hosts are bounded likewise.
const LONGEST_PATH: usize = 107;
const LONGEST_ADDRESS: usize = 300;

impl Client {
    /// Has all containers (with their anonymous volumes), networks and, if asked, named volumes with a label removed when
    /// this program ends by whatever means, or drops the client. When this returns, keeper and guard know of it, and so
    /// will every later keeper: to be awaited before the first create. Idempotent for each host and label; the last
    /// word about volumes counts. Starts a keeper if there is none, and another at once when it dies.
    ///
    /// Not cleaned up is what the container engine creates seconds after it has heard of it, and what is left when
    /// program, keeper and guard are all killed at once.
    ///
    /// Dropping the future may leave it registered.
    ///
    /// # Errors
    /// It is not registered: the label or the host is none, the stack is detached, there are too many, there is no
    /// keeper.
    pub async fn on_engine_death(&self, clean_up: CleanUp) -> Result<(), CleanUpError> {
        check(&clean_up)?;
        if self.shared.config.detached.is_some() {
            return Err(CleanUpError::Detached);
        }
        if self.shared.leaving.load(Ordering::Acquire) {
            return Err(CleanUpError::NoKeeper(StartError::ShutDown));
        }
        let ledger = &self.shared.ledger;
        let new = ledger.register(&clean_up).map_err(|error| CleanUpError::Ledger(Arc::new(error)))?;
        match self.shared.linked().await {
            Ok(link) => {
                ledger.kept(link.number);
                Ok(())
            }
            Err(error) => {
                if new {
                    ledger.withdraw(&clean_up.host, &clean_up.label);
                }
                Err(CleanUpError::NoKeeper(error))
            }
        }
    }

    /// Nothing is left of what was registered, or what is left shall stay: it is not cleaned up. At once, for keeper and
    /// guard too.
    pub fn clean_up_done(&self, host: &EngineHost, label: &str) {
        self.shared.ledger.withdraw(host, label);
    }

    /// What is still registered is the keeper's from now on, and there has to be one.
    pub(super) async fn before_leaving(&self) {
        let shared = &self.shared;
        if shared.config.detached.is_some() || shared.ledger.is_empty() {
            return;
        }
        if shared.current().is_none() {
            // One that cannot be started cleans up nothing; the engine's end is not held up by it.
            let _ = shared.linked().await;
        }
        shared.ledger.due();
    }
}

fn check(clean_up: &CleanUp) -> Result<(), CleanUpError> {
    if Label::parse(&clean_up.label).is_none() {
        return Err(CleanUpError::Label(clean_up.label.clone()));
    }
    let (sound, text) = match &clean_up.host {
        EngineHost::Unix(path) => {
            let sound = path.is_absolute() && path.as_os_str().len() <= LONGEST_PATH;
            (sound, path.display().to_string())
        }
        EngineHost::Tcp(address) => {
            let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            let sound = port.is_some_and(|(_, port)| port.parse::<u16>().is_ok()) && address.len() <= LONGEST_ADDRESS;
            (sound, address.clone())
        }
    };
    if sound { Ok(()) } else { Err(CleanUpError::Host(text)) }
}

/// A keeper is gone: where something is registered, another is started at once, not only when it is needed, for the
/// engine may die any moment. Returns the pid of the lost one then.
pub(super) fn renew(client: &Weak<Shared>, number: u64) -> Option<u32> {
    let strong = client.upgrade()?;
    if strong.ledger.is_empty() || strong.leaving.load(Ordering::Acquire) {
        return None;
    }
    let lost = strong.cut(number)?;
    tokio::spawn(start_another(Weak::clone(client)));
    Some(lost.keeper_pid)
}

/// Ends when there is a keeper, or none is needed any more.
async fn start_another(client: Weak<Shared>) {
    let mut pause = PAUSE;
    loop {
        let Some(strong) = client.upgrade() else { return };
        if strong.ledger.is_empty() || strong.linked().await.is_ok() || strong.leaving.load(Ordering::Acquire) {
            return;
        }
        drop(strong);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_meant_is_refused() {
        let client = Client::new(crate::Config::new());
        let socket = || EngineHost::Unix("/run/engine.sock".into());
        for label in ["", "orco.stack", "orco.stack=", "=x"] {
            let error = client.on_engine_death(CleanUp::new(socket(), label)).await.unwrap_err();
            assert!(matches!(error, CleanUpError::Label(_)), "{label}: {error}");
        }
        let long = EngineHost::Unix(format!("/{}", "x".repeat(LONGEST_PATH)).into());
        let tcp = ["", "localhost", "localhost:", ":1", "localhost:70000"].map(|text| EngineHost::Tcp(text.to_owned()));
        for host in [EngineHost::Unix("run/engine.sock".into()), long].into_iter().chain(tcp) {
            let error = client.on_engine_death(CleanUp::new(host, "a=b")).await.unwrap_err();
            assert!(matches!(error, CleanUpError::Host(_)), "{error}");
        }
        assert_eq!(client.keeper_pid(), None, "nothing is started for nothing");
    }
}
