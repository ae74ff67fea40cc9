//! `cmd`: a command beside the process, or inside the container, that ends with 0.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use orco_core::{
    log::sanitize,
    model::{Exit, Verdict},
    probe::{Probe, ProbeFactory, Target},
    spec::{Diagnostic, ProbeSpec, Service},
};

use crate::expand::expand;

/// A reason shows so much of a command's output.
const SHOWN_CHARS: usize = 160;

/// Makes `cmd` probes.
#[derive(Clone, Copy, Debug)]
pub struct Cmd;

impl ProbeFactory for Cmd {
    fn name(&self) -> &str {
        "cmd"
    }

    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let _ = service;
        self.build(spec).err().map(|why| Diagnostic::error("bad-probe", why)).into_iter().collect()
    }

    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        let ProbeSpec::Cmd { command, timeout } = spec else { return Err("no cmd probe".to_owned()) };
        if command.argv.is_empty() {
            return Err("empty command".to_owned());
        }
        Ok(Arc::new(CmdProbe { argv: command.argv.clone(), timeout: *timeout }))
    }
}

#[derive(Debug)]
struct CmdProbe {
    argv: Vec<String>,
    timeout: Option<Duration>,
}

#[async_trait]
impl Probe for CmdProbe {
    async fn check(&self, target: &Target) -> Verdict {
        let argv = self.argv.iter().map(|argument| expand(argument, target).into_owned()).collect();
        let timeout = self.timeout.unwrap_or(target.timeout).min(target.timeout);
        let result = match target.exec.exec(argv, timeout).await {
            Ok(result) => result,
            // The engine that should run it is away, or holds back: that says nothing of the service.
            Err(error) if error.is_certain() && !error.is_unavailable() => {
                return Verdict::Fail(format!("cmd: {}", error.chain()).into());
            }
            Err(error) => return Verdict::Unknown(format!("cmd: {}", error.chain()).into()),
        };
        let failed = match result.exit {
            Some(Exit::Code(0)) => return Verdict::Pass,
            Some(exit) => format!("cmd {exit}"),
            None => "cmd timeout".to_owned(),
        };
        Verdict::Fail(match last_line(&result.output) {
            Some(line) => format!("{failed}: {line}").into(),
            None => failed.into(),
        })
    }
}

/// The last line with something in it, harmless and short.
fn last_line(output: &[u8]) -> Option<String> {
    let line = output.rsplit(|&b| b == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())?;
    let text = String::from_utf8_lossy(line);
    let mut shown: String = sanitize(&text).chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() && text.chars().count() > SHOWN_CHARS {
        shown.push('…');
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_shown() {
        assert_eq!(last_line(b""), None);
        assert_eq!(last_line(b" \n\n"), None);
        assert_eq!(last_line(b"one\r\ntwo\r\n\n").as_deref(), Some("two"));
        assert_eq!(last_line(b"a\x1b[2Jb").as_deref(), Some("a\\x1b[2Jb"));
        assert_eq!(last_line(&[b'x'; 999]).map(|l| l.chars().count()), Some(161));
    }
}
