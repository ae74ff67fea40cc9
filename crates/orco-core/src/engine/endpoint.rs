//! Where a named port of a running service is reached.

use std::net::{Ipv4Addr, SocketAddr};

use super::{
    handle::{CommandError, Engine},
    live::Found,
};

impl Engine {
    /// The address of a running service's named port (its first replica's), as seen from this process: a port that
    /// `ports:` names, or one that the service uses as `${port.NAME}`.
    ///
    /// # Errors
    /// [`CommandError`] when it does not run or has no port of this name.
    pub async fn endpoint_of(&self, service: &str, port: &str) -> Result<SocketAddr, CommandError> {
        self.endpoints_of(service, port).await.map(|all| all[0])
    }

    /// The addresses of a named port of all running replicas, at least one.
    ///
    /// # Errors
    /// [`CommandError`] when none runs or none has a port of this name.
    pub async fn endpoints_of(&self, service: &str, port: &str) -> Result<Vec<SocketAddr>, CommandError> {
        let all = self.running(service, None).await?;
        let found: Vec<_> = all.iter().filter_map(|found| self.named(found, port)).collect();
        if found.is_empty() {
            let why = format!("it has no port named `{port}`");
            return Err(CommandError::Runtime {
                service: self.name(service)?,
                replica: all[0].0,
                why,
                shell_code: None,
            });
        }
        Ok(found)
    }

    fn named(&self, (replica, _, running): &Found, name: &str) -> Option<SocketAddr> {
        let service = &running.request.service;
        if let Some(port) = service.ports.iter().find(|port| port.name.as_deref() == Some(name)) {
            return running.endpoints.get(&port.target).copied();
        }
        // One of the seat's own: only processes have such, and they listen on loopback.
        let port = self.shared.world.ports().known(&service.name, *replica, name)?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}
