//! The contracts of [`Runtime`](crate::runtime::Runtime) and [`Probe`](crate::probe::Probe) as test kits
//! for plug-in authors. Orco's own plug-ins pass them.
//!
//! ```no_run
//! # async fn test(fixture: impl orco_core::conformance::Fixture) {
//! orco_core::conformance::runtime(&fixture).await.assert();
//! # }
//! ```
//!
//! A kit needs to know how to make services (or targets) of certain behaviours: that is the fixture.
//! What a plug-in cannot do at all is skipped, and the report says so. Needs a tokio runtime with time.

mod births;
mod ends;
mod fixture;
mod lab;
mod output;
mod probe;
mod report;
mod runtime;
mod speech;
mod stand_ins;

pub use fixture::{Behaviour, Exec, Fixture, MARK};
pub use probe::{ProbeFixture, probe};
pub use report::{Check, Outcome, Report};
pub use runtime::runtime;
pub use stand_ins::{CannedExec, CannedLogs, NoExec};
