//! What is waiting to be told: of each image the latest word.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use orco_core::runtime::Progress;
use tokio::sync::Notify;

/// Of each image the latest word, in the order of the first untold ones. Bounded by the number of images.
#[derive(Debug, Default)]
pub(crate) struct News {
    untold: Mutex<VecDeque<Progress>>,
    arrived: Notify,
}

impl News {
    /// Does not block.
    pub(crate) fn tell(&self, word: Progress) {
        {
            let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            match untold.iter_mut().find(|earlier| earlier.subject == word.subject) {
                Some(earlier) => *earlier = word,
                None => untold.push_back(word),
            }
        }
        self.arrived.notify_one();
    }

    /// The next word. Cancel-safe: it is taken in the same step in which it is returned.
    pub(crate) async fn next(&self) -> Progress {
        loop {
            let next = self.untold.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            if let Some(word) = next {
                return word;
            }
            self.arrived.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use orco_core::runtime::Stage;

    use super::*;

    #[tokio::test]
    async fn only_the_latest_word_of_each_image() {
        let news = News::default();
        for done in 0..1000 {
            news.tell(Progress::new("a", Stage::Running { done, total: None }));
            news.tell(Progress::new("b", Stage::Running { done, total: None }));
        }
        news.tell(Progress::new("a", Stage::Done));
        assert_eq!(news.next().await, Progress::new("a", Stage::Done));
        assert_eq!(news.next().await, Progress::new("b", Stage::Running { done: 999, total: None }));
        assert!(futures::FutureExt::now_or_never(news.next()).is_none());
    }
}
