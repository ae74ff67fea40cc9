//! What can be asked of services, wherever they run.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use orco_core::engine::Engine;

use crate::{Error, Logs, host::Holder, keep, launch, room::Room};

/// Services that are ready: where they are and what they print. Cheap to clone; they run as long as one clone lives.
///
/// [`Running`](crate::Running) and [`Shared`](crate::Shared) give this.
#[derive(Clone, Debug)]
pub struct Services {
    pub(crate) held: Arc<Held>,
}

/// What ends the services when it goes.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) stack: String,
    /// For how long they are left running if the test fails.
    pub(crate) keep: Option<Duration>,
    pub(crate) place: Place,
}

/// Where they run.
#[derive(Debug)]
pub(crate) enum Place {
    /// In this process.
    Here { engine: Engine, room: Arc<Room> },
    /// In a host.
    Host(Arc<Holder>),
}

impl Services {
    pub(crate) fn new(stack: String, keep: Option<Duration>, place: Place) -> Self {
        Self { held: Arc::new(Held { stack, keep, place }) }
    }

    /// The address of a service's port (its first replica's): `${port}`, or the first that `ports:` names.
    ///
    /// # Errors
    /// [`Error::Command`] or [`Error::Refused`] when it does not run or has no port; [`Error::Host`].
    pub async fn endpoint(&self, service: &str) -> Result<SocketAddr, Error> {
        self.find(service, None).await.map(|all| all[0])
    }

    /// The addresses of all its replicas, at least one.
    ///
    /// # Errors
    /// As [`endpoint`](Self::endpoint).
    pub async fn endpoints(&self, service: &str) -> Result<Vec<SocketAddr>, Error> {
        self.find(service, None).await
    }

    /// The address of a named port: `ports:` names it, or the service uses it as `${port.NAME}`.
    ///
    /// # Errors
    /// As [`endpoint`](Self::endpoint).
    pub async fn endpoint_of(&self, service: &str, port: &str) -> Result<SocketAddr, Error> {
        self.find(service, Some(port)).await.map(|all| all[0])
    }

    /// The addresses of a named port of all replicas, at least one.
    ///
    /// # Errors
    /// As [`endpoint`](Self::endpoint).
    pub async fn endpoints_of(&self, service: &str, port: &str) -> Result<Vec<SocketAddr>, Error> {
        self.find(service, Some(port)).await
    }

    /// At least one.
    async fn find(&self, service: &str, port: Option<&str>) -> Result<Vec<SocketAddr>, Error> {
        match &self.held.place {
            Place::Here { engine, .. } => Ok(launch::endpoints(engine, service, port).await?),
            Place::Host(holder) => holder.endpoints(service, port).await,
        }
    }

    /// What a service prints and has printed, from the first byte; also when its instances are gone. The files live as
    /// long as the services are held, and those of services of this process as long as the [`Logs`].
    pub fn logs(&self, service: &str) -> Logs {
        let room = match &self.held.place {
            Place::Here { room, .. } => Some(Arc::clone(room)),
            Place::Host(_) => None,
        };
        Logs::new(self.log_dir(), service, room)
    }

    /// The directory of the log files.
    pub fn log_dir(&self) -> PathBuf {
        match &self.held.place {
            Place::Here { engine, .. } => launch::logs(engine.state_dir()),
            Place::Host(holder) => holder.about().logs.clone(),
        }
    }

    /// The process that runs them, if that is not this one: a [shared](crate::shared) fixture's, or one that can keep them.
    pub fn host_pid(&self) -> Option<u32> {
        match &self.held.place {
            Place::Here { .. } => None,
            Place::Host(holder) => Some(holder.about().pid),
        }
    }

    /// Leaves them running for so long though nobody holds them, and prints how to look at them: for a test that fails
    /// without a panic. They must run in a host: start them with `ORCO_TEST_KEEP` or `keep_on_failure`, or share them.
    ///
    /// # Errors
    /// [`Error::Refused`] when they run in this process, [`Error::Host`].
    pub async fn keep(&self, time: Duration) -> Result<(), Error> {
        match &self.held.place {
            Place::Here { .. } => Err(Error::Refused(HERE.to_owned())),
            Place::Host(holder) => {
                holder.keep(time).await?;
                keep::announce(&self.held.stack, time, holder.about());
                Ok(())
            }
        }
    }
}

const HERE: &str = "services that run in this process end with it";

impl Drop for Held {
    fn drop(&mut self) {
        let Some(time) = self.keep.filter(|_| std::thread::panicking()) else { return };
        if let Place::Host(holder) = &self.place {
            holder.keep_at_last(time);
            keep::announce(&self.stack, time, holder.about());
        }
    }
}
