//! `http`: a request is answered as expected.

mod exchange;
mod request;

use std::sync::Arc;

use async_trait::async_trait;
use orco_core::{
    model::Verdict,
    probe::{Probe, ProbeFactory, Target},
    spec::{Diagnostic, ProbeSpec, Service},
};
use tokio::time::timeout;

use self::request::Question;

/// Makes `http` probes: HTTP/1.1 without TLS, one connection per question, redirects judged by their
/// own status and not followed, at most 64 KiB of the body read.
#[derive(Clone, Copy, Debug)]
pub struct Http;

impl ProbeFactory for Http {
    fn name(&self) -> &str {
        "http"
    }

    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let _ = service;
        self.build(spec).err().map(|why| Diagnostic::error("bad-probe", why)).into_iter().collect()
    }

    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        let ProbeSpec::Http { expect_status, expect_body, .. } = spec else { return Err("no http probe".to_owned()) };
        let expect_status = if expect_status.is_empty() { vec![(200, 399)] } else { expect_status.clone() };
        let question = Question::new(spec)?;
        Ok(Arc::new(HttpProbe { question, expect_status, expect_body: expect_body.clone() }))
    }
}

#[derive(Debug)]
struct HttpProbe {
    question: Question,
    /// Inclusive ranges.
    expect_status: Vec<(u16, u16)>,
    expect_body: Option<String>,
}

#[async_trait]
impl Probe for HttpProbe {
    async fn check(&self, target: &Target) -> Verdict {
        let (place, request) = match self.question.to(target) {
            Ok(asked) => asked,
            Err(why) => return Verdict::Unknown(format!("http: {why}").into()),
        };
        let answer = exchange::exchange(&place, request, self.expect_body.as_deref());
        match timeout(target.timeout, answer).await {
            Err(_) => Verdict::Fail("http timeout".into()),
            Ok(Err(why)) => Verdict::Fail(format!("http {why}").into()),
            Ok(Ok(answer)) => {
                if !self.expect_status.iter().any(|&(from, to)| (from..=to).contains(&answer.status)) {
                    Verdict::Fail(format!("http status {}", answer.status).into())
                } else if !answer.body_matches {
                    let text = self.expect_body.as_deref().unwrap_or_default();
                    Verdict::Fail(format!("http body does not contain `{text}`").into())
                } else {
                    Verdict::Pass
                }
            }
        }
    }
}
