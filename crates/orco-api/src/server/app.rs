//! What the handlers share, and the router made of them.

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit};
use orco_core::engine::Engine;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::{Accepted, Op, Upgrades, answer};
use crate::wire::Mode;

/// The largest request body.
pub(super) const BODY_LIMIT: usize = 1 << 20;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) engine: Engine,
    pub(super) mode: Mode,
    /// Where there is something that can be upgraded.
    pub(super) upgrades: Option<Upgrades>,
    /// Applies come one after the other.
    pub(super) applying: Arc<Mutex<()>>,
    /// The last stack that was taken.
    pub(super) accepted: watch::Sender<Option<Arc<Accepted>>>,
    /// Streams end when the server closes, and commands go on without it.
    pub(super) cutting: CancellationToken,
}

pub(super) fn router(app: App) -> Router {
    let mut router = Router::new();
    for op in Op::ALL {
        router = router.route(op.path(), op.handler());
    }
    router
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(app)
}
