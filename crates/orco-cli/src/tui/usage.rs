//! What services use: the last samples of each, from the totals that the stack tells.

use std::collections::{BTreeMap, VecDeque};

use orco_api::wire::{Status, Timestamp};

/// Samples that are kept of a service.
pub const SAMPLES: usize = 120;

/// One look.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sample {
    /// Share of one processor since the look before, in percent.
    pub cpu: Option<f32>,
    /// Resident bytes.
    pub memory: Option<u64>,
}

/// The last samples of one service.
#[derive(Clone, Debug, Default)]
struct History {
    samples: VecDeque<Sample>,
    /// Seconds of processor time in all, at the last look.
    total: Option<(f64, Timestamp)>,
}

impl History {
    fn take(&mut self, cpu: Option<f64>, memory: Option<u64>, at: Timestamp) {
        let cpu = cpu.filter(|cpu| cpu.is_finite() && *cpu >= 0.0);
        let share = self.total.zip(cpu).and_then(|((before, then), now)| {
            let passed = then.until(at).as_secs_f64();
            // Less than before: another instance.
            (passed > 0.0 && now >= before).then(|| ((now - before) / passed * 100.0) as f32)
        });
        self.total = cpu.map(|cpu| (cpu, at));
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { cpu: share, memory });
    }
}

/// Of all services, bounded by [`SAMPLES`] of each.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    services: BTreeMap<String, History>,
}

impl Usage {
    /// Takes a full status. Services that are gone are forgotten.
    pub fn take(&mut self, status: &Status) {
        self.services.retain(|name, _| status.services.contains_key(name));
        for service in status.services.values() {
            let (cpu, memory) = (service.resources.cpu, service.resources.memory);
            if let Some(history) = self.services.get_mut(&service.name) {
                history.take(cpu, memory, status.generated_at);
            } else if cpu.is_some() || memory.is_some() {
                let history = self.services.entry(service.name.clone()).or_default();
                history.take(cpu, memory, status.generated_at);
            }
        }
    }

    /// The last sample of a service.
    pub fn last(&self, service: &str) -> Sample {
        self.services.get(service).and_then(|history| history.samples.back()).copied().unwrap_or_default()
    }

    /// The last sample of all together.
    pub fn sum(&self) -> Sample {
        let last = || self.services.values().filter_map(|history| history.samples.back());
        let cpu: Vec<f32> = last().filter_map(|sample| sample.cpu).collect();
        let memory: Vec<u64> = last().filter_map(|sample| sample.memory).collect();
        Sample {
            cpu: (!cpu.is_empty()).then(|| cpu.iter().sum()),
            memory: (!memory.is_empty()).then(|| memory.iter().fold(0, |sum: u64, m| sum.saturating_add(*m))),
        }
    }

    /// The samples of a service, or of all together, oldest first.
    pub fn samples(&self, service: Option<&str>) -> Vec<Sample> {
        if let Some(name) = service {
            return self.services.get(name).map(|h| h.samples.iter().copied().collect()).unwrap_or_default();
        }
        let longest = self.services.values().map(|history| history.samples.len()).max().unwrap_or(0);
        let mut sums = vec![Sample::default(); longest];
        for history in self.services.values() {
            let from = longest - history.samples.len();
            for (sum, sample) in sums[from..].iter_mut().zip(&history.samples) {
                sum.cpu = sample.cpu.map(|cpu| cpu + sum.cpu.unwrap_or(0.0)).or(sum.cpu);
                sum.memory = sample.memory.map(|m| m.saturating_add(sum.memory.unwrap_or(0))).or(sum.memory);
            }
        }
        sums
    }
}

/// `3.4%`, `120%`.
pub fn percent(cpu: f32) -> String {
    if cpu < 9.95 { format!("{cpu:.1}%") } else { format!("{cpu:.0}%") }
}

/// `812K`, `34M`, `1.2G`: binary units.
pub fn bytes(bytes: u64) -> String {
    let mut amount = bytes as f64 / 1024.0;
    for unit in ["K", "M", "G"] {
        if amount < 9.95 && unit != "K" {
            return format!("{amount:.1}{unit}");
        }
        if amount < 999.5 {
            return format!("{amount:.0}{unit}");
        }
        amount /= 1024.0;
    }
    format!("{amount:.1}T")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    #[test]
    fn shares_are_of_the_time_between_two_looks() {
        let mut usage = Usage::default();
        for (second, cpu) in [(0, 1.0), (2, 2.0), (4, 2.5), (6, 0.5), (8, 0.5)] {
            usage.take(&samples::used(second, &[("a", cpu, 1 << 20), ("b", cpu, 1 << 30)]));
        }
        let shares: Vec<_> = usage.samples(Some("a")).iter().map(|sample| sample.cpu).collect();
        assert_eq!(shares, [None, Some(50.0), Some(25.0), None, Some(0.0)]);
        assert_eq!(usage.samples(None)[1].cpu, Some(100.0));
        assert_eq!(usage.sum().memory, Some((1 << 20) + (1 << 30)));
        assert_eq!(usage.last("c"), Sample::default());
    }

    #[test]
    fn no_more_than_so_many_and_nothing_of_the_gone() {
        let mut usage = Usage::default();
        for second in 0..300 {
            usage.take(&samples::used(second, &[("a", f64::from(u32::try_from(second).unwrap_or(0)), 1)]));
        }
        assert_eq!(usage.samples(Some("a")).len(), SAMPLES);
        usage.take(&samples::used(301, &[("b", 0.0, 1)]));
        assert!(usage.samples(Some("a")).is_empty());
    }

    #[test]
    fn amounts() {
        assert_eq!([0.0, 3.44, 9.96, 250.0].map(percent), ["0.0%", "3.4%", "10%", "250%"]);
        let (k, m, g) = (1_u64 << 10, 1_u64 << 20, 1_u64 << 30);
        assert_eq!([0, k, 999 * k, 1000 * k, 34 * m, g].map(bytes), ["0K", "1K", "999K", "1.0M", "34M", "1.0G"]);
        assert_eq!(bytes(u64::MAX), "16777216.0T");
    }
}
