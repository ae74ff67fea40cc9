//! The container runtimes: Docker, and Podman over its socket.

use orco_core::engine::EngineBuilder;
use orco_keeper::Client;
use orco_runtime_docker::Docker;

/// Registers both. What one finds of its engine, it finds when it is first needed. Named volumes stay: a stack of the
/// command comes back under the same id.
pub fn register(builder: EngineBuilder, keeper: &Client) -> EngineBuilder {
    // A detached keeper outlives the engine, and so do its containers.
    let detached = keeper.config().detached.is_some();
    let docker = || {
        let docker = Docker::builder().keep_volumes();
        if detached { docker.detached() } else { docker.keeper(keeper.clone()) }
    };
    builder.runtime(docker().build()).runtime(docker().podman().build())
}
