//! `tcp`: somebody accepts connections there.

use std::sync::Arc;

use async_trait::async_trait;
use orco_core::{
    model::Verdict,
    probe::{Probe, ProbeFactory, Target},
    spec::{Diagnostic, ProbeSpec, Service},
};
use tokio::time::timeout;

use crate::{
    address::{Place, own_port, place, split},
    connect::connect,
    expand::expand,
};

/// Makes `tcp` probes.
#[derive(Clone, Copy, Debug)]
pub struct Tcp;

impl ProbeFactory for Tcp {
    fn name(&self) -> &str {
        "tcp"
    }

    fn validate(&self, spec: &ProbeSpec, service: &Service) -> Vec<Diagnostic> {
        let _ = service;
        self.build(spec).err().map(|why| Diagnostic::error("bad-probe", why)).into_iter().collect()
    }

    fn build(&self, spec: &ProbeSpec) -> Result<Arc<dyn Probe>, String> {
        let ProbeSpec::Tcp { address, port } = spec else { return Err("no tcp probe".to_owned()) };
        if let Some(address) = address {
            split(&address.replace("${port}", "1"))?;
        }
        Ok(Arc::new(TcpProbe { address: address.clone(), port: *port }))
    }
}

#[derive(Debug)]
struct TcpProbe {
    address: Option<String>,
    port: Option<u16>,
}

impl TcpProbe {
    fn place(&self, target: &Target) -> Result<Place, String> {
        match &self.address {
            Some(address) => {
                let address = expand(address, target);
                split(&address).map(|(host, port)| place(host, port, target))
            }
            None => own_port(self.port, target).ok_or_else(|| "no port to connect to".to_owned()),
        }
    }
}

#[async_trait]
impl Probe for TcpProbe {
    async fn check(&self, target: &Target) -> Verdict {
        let place = match self.place(target) {
            Ok(place) => place,
            Err(why) => return Verdict::Unknown(format!("tcp: {why}").into()),
        };
        match timeout(target.timeout, connect(&place)).await {
            Ok(Ok(_)) => Verdict::Pass,
            Ok(Err(why)) => Verdict::Fail(format!("tcp connect: {why}").into()),
            Err(_) => Verdict::Fail("tcp timeout".into()),
        }
    }
}
