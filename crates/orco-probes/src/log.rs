//! `log`: the instance has printed something, so many times, since its first byte.

use std::{future::poll_fn, sync::Arc};

use async_trait::async_trait;
use orco_core::{
    log::{Level, Record, Source},
    model::Verdict,
    probe::{Probe, ProbeFactory, ProbeKind, Target},
    spec::{Diagnostic, ProbeSpec, Service},
};
use regex::{Regex, RegexBuilder};

/// A compiled pattern takes at most this much memory.
const PATTERN_BYTES: usize = 1 << 20;

/// Makes `log` probes.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl ProbeFactory for Log {
    fn name(&self) -> &str {
        "log"
    }

    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let _ = service;
        self.build(spec).err().map(|why| Diagnostic::error("bad-probe", why)).into_iter().collect()
    }

    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        let ProbeSpec::Log { pattern, sources, levels, count } = spec else { return Err("no log probe".to_owned()) };
        let pattern = RegexBuilder::new(pattern)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| format!("bad pattern: {error}"))?;
        let source = |name: &String| match Source::parse(name) {
            Some(source @ (Source::Stdout | Source::Stderr)) => Ok(source),
            Some(Source::System) | None => Err(format!("unknown source `{name}`: there are stdout and stderr")),
        };
        let level = |name: &String| Level::parse(name).ok_or_else(|| format!("unknown level `{name}`"));
        Ok(Arc::new(LogProbe {
            pattern,
            sources: sources.iter().map(source).collect::<Result<_, _>>()?,
            levels: levels.iter().map(level).collect::<Result<_, _>>()?,
            count: (*count).max(1),
        }))
    }
}

#[derive(Debug)]
struct LogProbe {
    pattern: Regex,
    /// Empty: both.
    sources: Vec<Source>,
    /// Empty: all.
    levels: Vec<Level>,
    count: u32,
}

impl LogProbe {
    fn matches(&self, record: &Record) -> bool {
        record.source != Source::System
            && (self.sources.is_empty() || self.sources.contains(&record.source))
            && (self.levels.is_empty() || self.levels.contains(&record.level))
            && self.pattern.is_match(&record.msg)
    }
}

#[async_trait]
impl Probe for LogProbe {
    fn kind(&self) -> ProbeKind {
        ProbeKind::Stream
    }

    async fn check(&self, target: &Target) -> Verdict {
        let Some(logs) = &target.logs else { return Verdict::Unknown("log: no output to read".into()) };
        let mut records = logs.records();
        let mut seen = 0_u32;
        while let Some(batch) = poll_fn(|cx| records.as_mut().poll_next(cx)).await {
            for record in &batch {
                if self.matches(record) {
                    seen += 1;
                    if seen == self.count {
                        return Verdict::Pass;
                    }
                }
            }
        }
        let (pattern, count) = (&self.pattern, self.count);
        Verdict::Fail(format!("log `{pattern}` seen {seen} of {count} times in all output").into())
    }
}
