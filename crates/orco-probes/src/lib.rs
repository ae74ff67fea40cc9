//! Orco's probes: `http`, `tcp`, `cmd` and `log`, each behind the feature of its name.
//!
//! A probe asks one instance one question. It keeps no time, no thresholds and no connection between
//! questions, and may be dropped at any point. Where the question goes is decided by the
//! [`Target`](orco_core::probe::Target): an address that means the service means this instance of it.

#[cfg(any(feature = "http", feature = "tcp"))]
mod address;
#[cfg(feature = "cmd")]
mod cmd;
#[cfg(any(feature = "http", feature = "tcp"))]
mod connect;
#[cfg(any(feature = "http", feature = "tcp", feature = "cmd"))]
mod expand;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "tcp")]
mod tcp;

use std::sync::Arc;

use orco_core::probe::ProbeFactory;

#[cfg(feature = "cmd")]
pub use cmd::Cmd;
#[cfg(feature = "http")]
pub use http::Http;
#[cfg(feature = "log")]
pub use log::Log;
#[cfg(feature = "tcp")]
pub use tcp::Tcp;

/// All probes that are in this build.
pub fn all() -> Vec<Arc<dyn ProbeFactory>> {
    vec![
        #[cfg(feature = "http")]
        Arc::new(Http),
        #[cfg(feature = "tcp")]
        Arc::new(Tcp),
        #[cfg(feature = "cmd")]
        Arc::new(Cmd),
        #[cfg(feature = "log")]
        Arc::new(Log),
    ]
}
