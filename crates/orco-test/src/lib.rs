//! Services for tests: a stack per test, or one that many test processes share. Never one that outlives them.
//!
//! ```
//! use std::time::Duration;
//!
//! use orco_core::spec::{Check, Need, ServiceBuilder, Stack};
//! use orco_test::TestStack;
//!
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let stack = Stack::builder("shop")
//!     .service(ServiceBuilder::new("schema", "process").shell("echo created").oneshot())
//!     .service(
//!         ServiceBuilder::new("db", "process")
//!             .shell("echo listening on $PORT; exec sleep 1000")
//!             .env("PORT", "${port}") // a free one, other than any other test's
//!             .depends_on(Need::completed("schema"))
//!             .health(Check::log("^listening")),
//!     )
//!     .build()?;
//!
//! // All of it is ready, or the error says which service is not, why, what its probe said and its last lines.
//! let running = TestStack::new(stack).start().await?;
//! let db = running.endpoint("db").await?;
//! let said = running.logs("db").wait_for("^listening", Duration::from_secs(5)).await?;
//! assert_eq!(said.msg, format!("listening on {}", db.port()));
//! assert_eq!(running.logs("schema").count("created").await?, 1);
//! running.shutdown().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(doc()).unwrap();
//! ```
//!
//! # What is promised
//! - **Nothing is left**, however a test ends: it returns, panics, is cancelled or killed with SIGKILL. A keeper process
//!   beside the test ends what the test has started; `Drop` is not needed for it, and blocks nobody. No helper image and
//!   no privileges are needed.
//! - **Tests run in parallel**: ports, names and folders are chosen so that no two stacks clash.
//! - **One instance for many**: [`shared()`] gives all test processes of this user that ask for the same key and
//!   definition the same services (nextest runs each test in a process of its own). The first one starts a *host*, which
//!   is this very executable again; the kernel counts the holders; what nobody holds any more ends.
//!   [`Shared::unique`] gives names to be isolated by.
//! - **A failure can be looked at**: with `ORCO_TEST_KEEP=1` (or [`TestStack::keep_on_failure`]) the services of a test
//!   that fails are left running for 10 minutes, and its output says where. They end by themselves, or when asked.
//! - **A message is enough**: [`Failure`] names the service at the root, its exit, what its probe said and its last 50
//!   lines; assertions on logs ([`Logs`]) see every line from the first, also of instances that are gone.
//! - It installs no signal handler and changes no variable. Nothing panics but a test's own assertions.
//!
//! # A fixture for many test processes
//! ```
//! # use orco_core::spec::{Check, ServiceBuilder, Stack};
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = ServiceBuilder::new("cache", "process").shell("echo ready; exec sleep 1000").env("PORT", "${port}");
//! let stack = Stack::builder("cache").service(cache.health(Check::log("^ready"))).build()?;
//! let shared = orco_test::shared("cache", stack).await?;
//! let (address, prefix) = (shared.endpoint("cache").await?, shared.unique("test"));
//! # assert!(address.ip().is_loopback() && prefix.starts_with("test_"));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(doc()).unwrap();
//! ```

mod error;
mod failure;
mod host;
mod keep;
mod launch;
mod logs;
mod room;
mod services;
mod shared;
mod stack;
mod unique;

pub use error::Error;
pub use failure::Failure;
pub use logs::Logs;
pub use services::Services;
pub use shared::{Fixture, Shared, can_host, shared};
pub use stack::{Running, TestStack};
