//! How far a pull is: the bytes of its layers, told seldom and only when they changed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::engine::PullLine;

/// So long between two reports.
const PERIOD: Duration = Duration::from_millis(100);

/// Adds up the layers of one pull.
#[derive(Debug, Default)]
pub(super) struct Meter {
    layers: BTreeMap<String, Layer>,
    told: Option<(Instant, Sum)>,
}

#[derive(Debug, Default)]
struct Layer {
    done: u64,
    total: u64,
    fetched: bool,
}

/// Bytes that are there, of those known so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sum {
    pub(super) done: u64,
    pub(super) total: Option<u64>,
}

impl Meter {
    /// Takes in a line; the sum, if it is worth telling now.
    pub(super) fn read(&mut self, line: &PullLine, now: Instant) -> Option<Sum> {
        if let Some(id) = &line.layer {
            self.layer(id, line);
        }
        let sum = self.sum();
        let due = match &self.told {
            Some((at, told)) => *told != sum && now.saturating_duration_since(*at) >= PERIOD,
            None => sum != Sum::default(),
        };
        due.then(|| {
            self.told = Some((now, sum));
            sum
        })
    }

    fn layer(&mut self, id: &str, line: &PullLine) {
        match line.status.as_str() {
            // Bytes on the wire.
            "Downloading" => {
                let layer = self.layers.entry(id.to_owned()).or_default();
                // An engine that begins a layer again counts again from nothing; what was shown stays.
                layer.done = layer.done.max(line.current.unwrap_or(0));
                layer.total = layer.total.max(line.total.unwrap_or(0)).max(layer.done);
            }
            // Unpacking counts the same bytes once more, some engines other ones: the layer is there.
            "Download complete" | "Verifying Checksum" | "Extracting" | "Pull complete" => {
                if let Some(layer) = self.layers.get_mut(id)
                    && !layer.fetched
                {
                    layer.fetched = true;
                    layer.done = layer.total;
                }
            }
            _ => {}
        }
    }

    fn sum(&self) -> Sum {
        let add = |of: fn(&Layer) -> u64| self.layers.values().fold(0_u64, |sum, l| sum.saturating_add(of(l)));
        let total = add(|l| l.total);
        Sum { done: add(|l| l.done), total: (total > 0).then_some(total) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(layer: &str, status: &str, bytes: Option<(u64, u64)>) -> PullLine {
        PullLine {
            layer: Some(layer.into()),
            status: status.into(),
            current: bytes.map(|b| b.0),
            total: bytes.map(|b| b.1),
        }
    }

    #[test]
    fn layers_add_up_and_news_come_seldom() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let mut at =
            |ms: u64, l: PullLine| meter.read(&l, start + Duration::from_millis(ms)).map(|s| (s.done, s.total));
        assert_eq!(at(0, line("latest", "Pulling from a", None)), None);
        assert_eq!(at(1, line("a", "Pulling fs layer", None)), None);
        assert_eq!(at(2, line("a", "Downloading", Some((10, 100)))), Some((10, Some(100))));
        assert_eq!(at(50, line("b", "Downloading", Some((5, 50)))), None, "too early");
        assert_eq!(at(103, line("b", "Downloading", Some((5, 50)))), Some((15, Some(150))));
        assert_eq!(at(300, line("b", "Downloading", Some((5, 50)))), None, "nothing new");
        assert_eq!(at(400, line("a", "Download complete", None)), Some((105, Some(150))));
        assert_eq!(at(600, line("a", "Extracting", Some((1, 100)))), None, "the same bytes again");
        assert_eq!(at(700, line("b", "Downloading", Some((2, 50)))), None, "begun again");
        assert_eq!(at(800, line("b", "Pull complete", None)), Some((150, Some(150))));
        assert_eq!(at(900, line("c", "Already exists", None)), None);
    }

    proptest::proptest! {
        #[test]
        fn never_more_than_all_and_never_back(
            lines in proptest::collection::vec(("[ab]", 0_usize..4, 0_u64..u64::MAX, 0_u64..u64::MAX), 0..40)
        ) {
            let names = ["Downloading", "Download complete", "Extracting", "Pull complete"];
            let (start, mut meter, mut last) = (Instant::now(), Meter::default(), 0);
            for (n, (layer, status, current, total)) in lines.into_iter().enumerate() {
                let l = line(&layer, names[status], Some((current, total)));
                if let Some(sum) = meter.read(&l, start + PERIOD * u32::try_from(n).unwrap()) {
                    proptest::prop_assert!(sum.done <= sum.total.unwrap());
                    proptest::prop_assert!(sum.done >= last);
                    last = sum.done;
                }
            }
        }
    }
}
