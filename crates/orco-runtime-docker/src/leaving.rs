//! What is done when all instances have ended.

use std::time::Duration;

use orco_core::model::StackId;
use tokio::time::{sleep, timeout};

use crate::{docker::Inner, leftovers};

/// Tries to take away what a stack has: an engine may hold a network for a moment after its last container.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);
/// So long an engine of which nothing was ever heard may take: most machines lack one or the other.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Takes away what the stacks have besides containers, and ends all tasks.
pub(crate) async fn shutdown(inner: &Inner) {
    for stack in inner.known_stacks() {
        if end(inner, stack).await {
            inner.fate.settled(&inner.client, stack);
        }
    }
    for stack in inner.unheard_stacks() {
        // Cancel-safe: what is left now, whoever has the stack next finds.
        match timeout(LAST_WORD, leftovers::end(inner, stack)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, %stack, "nobody to ask what belongs to the stack"),
            Err(_) => tracing::debug!(%stack, "no answer to what belongs to the stack"),
        }
    }
    inner.closing.cancel();
    inner.tasks.close();
    inner.tasks.wait().await;
    inner.client.close().await;
    inner.fate.end().await;
}

/// True: nothing of it is left.
async fn end(inner: &Inner, stack: StackId) -> bool {
    for tried in 1..=TRIES {
        match leftovers::end(inner, stack).await {
            Ok(all) => return all,
            Err(error) if tried == TRIES => {
                tracing::warn!(%error, %stack, "cannot take away what belongs to the stack");
            }
            Err(_) => sleep(PAUSE * tried).await,
        }
    }
    false
}
