//! How much of the output is kept, settled.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{format::SEGMENT_BYTES, line::MAX_LINE_BYTES};
use crate::{
    model::ServiceName,
    spec::{Logging, Stack},
};

/// What a stack's output may take where nobody says anything.
pub const MAX_TOTAL_SIZE: u64 = 256 << 20;
/// Smaller segments are not made, however small the total is.
const SMALLEST_FILE: u64 = 4 << 10;

/// What holds for the output of one service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LogLimits {
    /// A segment is closed at this many bytes.
    pub max_file_size: u64,
    /// The service's oldest segments go above this many bytes; `None`: only the stack's limit holds.
    pub max_total_size: Option<u64>,
    /// What is older goes; `None`: nothing goes for its age.
    pub max_file_age: Option<Duration>,
    /// A replica's oldest segments go above this number; `None`: as many as there is room for.
    pub max_file_count: Option<u32>,
    /// Longer lines are cut for readers.
    pub max_line_bytes: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            max_file_size: SEGMENT_BYTES,
            max_total_size: None,
            max_file_age: None,
            max_file_count: None,
            max_line_bytes: MAX_LINE_BYTES,
        }
    }
}

/// What holds for the output of a stack: what was said, with the defaults behind it.
///
/// A service's own `logging` wins over the stack's, except that the stack's total holds for all services together.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LogSettings {
    /// Where records are exported to; `None`: nowhere.
    pub directory: Option<PathBuf>,
    /// The oldest segments of all go above this many bytes.
    pub max_total_size: u64,
    /// For services that say nothing themselves.
    pub limits: LogLimits,
    /// For services that do.
    pub services: BTreeMap<ServiceName, LogLimits>,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            directory: None,
            max_total_size: MAX_TOTAL_SIZE,
            limits: LogLimits::default(),
            services: BTreeMap::new(),
        }
    }
}

impl LogSettings {
    /// What a stack says, where `over` (flags, variables) says nothing.
    pub fn new(stack: &Stack, over: &Logging) -> Self {
        let common = over.over(stack.logging());
        let max_total_size = common.max_total_size.unwrap_or(MAX_TOTAL_SIZE);
        let own = stack.services().iter().filter(|service| !service.logging.is_empty());
        let services = own.map(|service| {
            let merged = Logging { max_total_size: None, ..common.clone() };
            (service.name.clone(), limits(&service.logging.over(&merged), max_total_size))
        });
        Self {
            services: services.collect(),
            limits: limits(&Logging { max_total_size: None, ..common.clone() }, max_total_size),
            directory: common.directory,
            max_total_size,
        }
    }

    /// What holds for one service.
    pub fn of(&self, service: &ServiceName) -> &LogLimits {
        self.services.get(service).unwrap_or(&self.limits)
    }

    /// Where records are exported to.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The shortest age at which something goes, of all services.
    pub fn shortest_age(&self) -> Option<Duration> {
        self.services.values().chain([&self.limits]).filter_map(|limits| limits.max_file_age).min()
    }
}

fn limits(said: &Logging, stack_total: u64) -> LogLimits {
    let usual = LogLimits::default();
    let total = said.max_total_size.unwrap_or(stack_total).min(stack_total);
    // A total alone moves the size of a file where the two would cross: what is being written cannot be deleted.
    let file = said.max_file_size.unwrap_or_else(|| usual.max_file_size.min(total / 4));
    LogLimits {
        max_file_size: file.min(total).max(SMALLEST_FILE),
        max_total_size: said.max_total_size,
        max_file_age: said.max_file_age,
        max_file_count: said.max_file_count,
        max_line_bytes: said.max_line_bytes.map_or(usual.max_line_bytes, |b| usize::try_from(b).unwrap_or(usize::MAX)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::spec::ServiceBuilder;

    fn stack() -> Stack {
        let own = |l: &mut Logging| {
            l.max_file_age = Some(Duration::from_secs(3600));
            l.max_total_size = Some(1 << 20);
        };
        Stack::builder("s")
            .workdir("/srv")
            .logging(|l| {
                l.directory = Some("logs".into());
                l.max_total_size = Some(8 << 20);
                l.max_file_count = Some(10);
            })
            .service(ServiceBuilder::process("a", ["a"]).logging(own))
            .service(ServiceBuilder::process("b", ["b"]))
            .build()
            .unwrap()
    }

    #[test]
    fn a_service_wins_over_the_stack_and_flags_over_both_of_its() {
        let (a, b) = (ServiceName::new("a").unwrap(), ServiceName::new("b").unwrap());
        let settings = LogSettings::new(&stack(), &Logging::default());
        assert_eq!((settings.max_total_size, settings.directory()), (8 << 20, Some(Path::new("/srv/logs"))));
        let usual = LogLimits { max_file_size: 2 << 20, max_file_count: Some(10), ..LogLimits::default() };
        assert_eq!(*settings.of(&b), usual);
        let age = Some(Duration::from_secs(3600));
        let small = LogLimits { max_file_size: 256 << 10, max_total_size: Some(1 << 20), max_file_age: age, ..usual };
        assert_eq!(*settings.of(&a), small);
        assert_eq!(settings.shortest_age(), age);

        let over = Logging { max_total_size: Some(64 << 20), max_file_size: Some(1 << 30), ..Logging::default() };
        let settings = LogSettings::new(&stack(), &over);
        assert_eq!((settings.max_total_size, settings.of(&b).max_file_size), (64 << 20, 64 << 20));
        assert_eq!(settings.of(&a).max_file_size, 1 << 20);
    }

    #[test]
    fn nobody_says_anything() {
        let stack = Stack::builder("s").service(ServiceBuilder::process("a", ["a"])).build().unwrap();
        assert_eq!(LogSettings::new(&stack, &Logging::default()), LogSettings::default());
    }
}
