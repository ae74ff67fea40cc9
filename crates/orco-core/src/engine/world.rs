//! What all hands share: plug-ins, directory of services, ports, logs, and the way to the driver.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::{
    model::{InstanceId, ServiceName, StackId},
    probe::Target,
    runtime::{LogTarget, Runtime, StartRequest},
    spec::{
        ProbeSpec, Service, Stack,
        vars::{InstanceVar, fill},
    },
};

use super::{
    addresses::has_port,
    exec::ExecBeside,
    ledger::{Ledger, Mark},
    life::Plan,
    logs::Logs,
    ports::Ports,
    progress::Waits,
    registry::Registry,
    report::{Reports, Running},
    saved,
};

/// Shared by all hands of one engine.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stack: StackId,
    /// For people.
    pub(super) stack_name: Arc<str>,
    pub(super) registry: Registry,
    pub(super) logs: Arc<Logs>,
    pub(super) reports: Reports,
    pub(super) ledger: Ledger,
    /// The engine ends and takes everything along.
    pub(super) ending: CancellationToken,
    /// Everything is being killed: nobody waits for hooks any more.
    pub(super) hurry: CancellationToken,
    /// The engine ends although runtimes cannot be reached that still have instances.
    pub(super) abandoned: CancellationToken,
    /// Short critical sections without awaits.
    pub(super) ports: Mutex<Ports>,
    /// Each service with its number of replicas, for `${endpoints.NAME}`. Written by the driver.
    pub(super) directory: Mutex<BTreeMap<ServiceName, (Arc<Service>, u32)>>,
    /// What takes long and is under way.
    pub(super) waits: Waits,
    /// The stack that is wanted now. Written by the driver.
    pub(super) wanted: Mutex<Stack>,
}

impl World {
    pub(super) fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An instance is over: its ports stay with their seats. True if a stranger has one of them.
    pub(super) fn release_ports(&self, inst: InstanceId) -> bool {
        let lost = self.ports().release(inst);
        self.record_ports();
        lost
    }

    /// Hands over what changed of the ports; the mark behind which it is recorded.
    pub(super) fn record_ports(&self) -> Mark {
        let changes = self.ports().changes();
        if changes.is_empty() || !self.ledger.records() {
            return 0;
        }
        self.ledger.record(changes.into_iter().map(|(port, seated)| saved::port(port, seated)).collect(), Vec::new())
    }

    pub(super) fn directory(&self) -> MutexGuard<'_, BTreeMap<ServiceName, (Arc<Service>, u32)>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wanted(&self) -> MutexGuard<'_, Stack> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn runtime(&self, name: &str) -> Option<Arc<dyn Runtime>> {
        self.registry.runtimes.get(name).cloned()
    }

    /// Whether its instances may live on while nobody can ask for them.
    pub(super) fn is_remote(&self, service: &Service) -> bool {
        self.runtime(&service.runtime).is_some_and(|runtime| runtime.is_remote())
    }

    /// The start request of a planned instance, all variables expanded, and its `${port}`.
    pub(super) fn prepare(&self, plan: &Plan) -> Result<(StartRequest, Option<u16>), String> {
        let service = &plan.service;
        let replica = plan.at.slot.replica;
        let own_port = match has_port(service) {
            true => Some(self.port(service, replica, "", plan.inst)?),
            false => None,
        };
        let dir = self.logs.directory(&service.name)?;
        let log = LogTarget::new(dir, format!("{replica}.{}", plan.run));
        let mut request = StartRequest::new(self.stack, plan.inst, Arc::clone(service), log);
        request.replica = replica;
        request.run = plan.run;
        let value = |text: &str| self.expand(service, replica, plan.inst, text);
        request.argv = request.argv.iter().map(|a| value(a)).collect::<Result<_, _>>()?;
        for text in request.env.values_mut().flatten() {
            *text = value(text)?;
        }
        let workdir = request.workdir.to_string_lossy();
        if workdir.contains("${") {
            request.workdir = PathBuf::from(value(&workdir)?);
        }
        self.logs.learn_of(service, &request.env);
        request.stack_name = self.stack_name.clone();
        request.generation = plan.at.slot.generation.0;
        request.publish = self.publish(service, replica, own_port, plan.inst)?;
        if let Some(port) = own_port {
            request.env.entry("PORT".to_owned()).or_insert_with(|| Some(port.to_string()));
        }
        Ok((request, own_port))
    }

    pub(super) fn expand_hook(&self, request: &StartRequest, argv: &[String]) -> Result<Vec<String>, String> {
        argv.iter().map(|a| self.expand(&request.service, request.replica, request.instance, a)).collect()
    }

    /// A text of a service with the variables of one instance.
    fn expand(&self, service: &Service, replica: u32, inst: InstanceId, text: &str) -> Result<String, String> {
        fill(text, |var| self.value(service, replica, inst, var))
    }

    fn value(&self, service: &Service, replica: u32, inst: InstanceId, var: &InstanceVar) -> Result<String, String> {
        Ok(match var {
            InstanceVar::Port(name) => self.port(service, replica, name.as_deref().unwrap_or(""), inst)?.to_string(),
            InstanceVar::Replica => replica.to_string(),
            InstanceVar::Service => service.name.to_string(),
            InstanceVar::Endpoint { service: of, port } => self.addresses(service, of, port.as_deref(), Some(1))?,
            InstanceVar::Endpoints { service: of, port } => self.addresses(service, of, port.as_deref(), None)?,
        })
    }

    /// What a probe of a running instance is aimed at.
    pub(super) fn target(self: &Arc<Self>, running: &Running, timeout: std::time::Duration) -> Option<Target> {
        let request = &running.request;
        let service = &request.service;
        let exec = ExecBeside { runtime: self.runtime(&service.runtime)?, request: Arc::clone(request) };
        let mut target = Target::new(service.name.clone(), request.replica, request.instance, Arc::new(exec));
        target.endpoints = running.endpoints.clone();
        target.published = service.ports.iter().filter_map(|p| Some((p.host?, p.target))).collect();
        target.default_port = running.own_port.or_else(|| service.ports.first().map(|p| p.target));
        target.workdir = request.workdir.clone();
        target.logs = self.logs.follow_instance(request.instance);
        target.timeout = timeout;
        Some(target)
    }

    /// A probe's configuration with the variables of one instance.
    pub(super) fn expand_probe(&self, request: &StartRequest, spec: &ProbeSpec) -> Result<ProbeSpec, String> {
        spec.filled(&|var| self.value(&request.service, request.replica, request.instance, var))
    }
}
