//! What the instances use, asked of all at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use tokio::time::sleep;

use crate::{
    model::InstanceId,
    runtime::{Handle, Runtime, Usage},
};

/// Who has not answered by then is left out: a container engine measures once per second, and one that hangs must not
/// hold up whoever wants to see the status.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many are asked at a time.
const AT_ONCE: usize = 64;

/// Asks all; the answers that come in time. Cancel-safe.
pub(super) async fn measure(all: Vec<(Arc<dyn Runtime>, Handle)>) -> BTreeMap<InstanceId, Usage> {
    let asked: Vec<BoxFuture<'static, _>> =
        all.into_iter().map(|(runtime, handle)| one(runtime, handle).boxed()).collect();
    let answers = stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    answers.take_until(sleep(PATIENCE)).collect().await
}

async fn one(runtime: Arc<dyn Runtime>, handle: Handle) -> Option<(InstanceId, Usage)> {
    Some((handle.instance, runtime.stats(&handle).await?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use async_trait::async_trait;
    use tokio::time::Instant;

    use super::*;
    use crate::{
        model::{Exit, StackId},
        runtime::{Found, How, Known, LogPosition, LogSource, RuntimeError, StartRequest},
    };

    /// Takes a second for each answer, and never answers for instance 0.
    #[derive(Debug)]
    struct Slow;

    #[async_trait]
    impl Runtime for Slow {
        fn name(&self) -> &str {
            "slow"
        }

        async fn list(&self, _: &StackId, _: &[Known]) -> Result<Vec<Found>, RuntimeError> {
            Ok(Vec::new())
        }

        async fn start(&self, request: StartRequest) -> Result<Handle, RuntimeError> {
            Ok(Handle::new(request.instance, ""))
        }

        async fn wait(&self, _: &Handle) -> Result<Exit, RuntimeError> {
            std::future::pending().await
        }

        async fn stop(&self, _: &Handle, _: How) -> Result<(), RuntimeError> {
            Ok(())
        }

        async fn signal(&self, _: &Handle, _: i32) -> Result<(), RuntimeError> {
            Ok(())
        }

        async fn reap(&self, _: InstanceId) -> Result<(), RuntimeError> {
            Ok(())
        }

        async fn remove(&self, _: &Handle) -> Result<(), RuntimeError> {
            Ok(())
        }

        fn logs(&self, _: &Handle, _: Option<&LogPosition>) -> LogSource {
            LogSource::Stream(stream::empty().boxed())
        }

        async fn stats(&self, handle: &Handle) -> Option<Usage> {
            if handle.instance == InstanceId(0) {
                return std::future::pending().await;
            }
            sleep(Duration::from_secs(1)).await;
            Some(Usage { cpu: Duration::from_secs(3), memory: 7 })
        }
    }

    fn instances(ids: std::ops::Range<u128>) -> Vec<(Arc<dyn Runtime>, Handle)> {
        ids.map(|id| (Arc::new(Slow) as Arc<dyn Runtime>, Handle::new(InstanceId(id), ""))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_asked_at_once() {
        let begin = Instant::now();
        assert_eq!(measure(instances(1..41)).await.len(), 40);
        assert_eq!(begin.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_left_out() {
        let begin = Instant::now();
        assert_eq!(measure(instances(0..10)).await.len(), 9);
        assert_eq!(begin.elapsed().as_secs(), 2);
    }
}
