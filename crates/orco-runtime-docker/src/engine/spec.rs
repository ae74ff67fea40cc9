//! A container to be, in our own words, and as the API wants it.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use bollard::models;

/// A container to be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) platform: Option<String>,
    /// `None`: the image's.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// Empty: the image's.
    pub(crate) command: Vec<String>,
    /// `KEY=VALUE`, or `KEY` alone to take one of the image's away.
    pub(crate) env: Vec<String>,
    pub(crate) workdir: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) ports: Vec<PortSpec>,
    /// A network's name, or `host`, or `none`.
    pub(crate) network: String,
    /// Other names of the container in that network.
    pub(crate) aliases: Vec<String>,
    /// `NAME:ADDRESS`.
    pub(crate) hosts: Vec<String>,
    pub(crate) init: bool,
    pub(crate) limits: Limits,
    /// `key=value` pairs of the log driver.
    pub(crate) log: BTreeMap<String, String>,
    /// How long a removal by force waits after the stop signal, in seconds; `None`: as the engine likes.
    pub(crate) stop_timeout: Option<i64>,
    /// Whether something will be written to its standard input.
    pub(crate) stdin: bool,
}

/// What a container may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) nano_cpus: Option<i64>,
    pub(crate) memory: Option<i64>,
    pub(crate) memory_reservation: Option<i64>,
    pub(crate) pids: Option<i64>,
}

/// Something that is mounted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MountSpec {
    pub(crate) source: MountSource,
    pub(crate) target: String,
    pub(crate) read_only: bool,
}

/// Where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum MountSource {
    /// A path of the engine's host.
    Bind(String),
    /// A volume's name.
    Volume(String),
    /// A volume of the container's own.
    Anonymous,
}

/// A published port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PortSpec {
    pub(crate) target: u16,
    pub(crate) udp: bool,
    pub(crate) ip: IpAddr,
    pub(crate) host: u16,
}

impl PortSpec {
    fn key(&self) -> String {
        format!("{}/{}", self.target, if self.udp { "udp" } else { "tcp" })
    }
}

impl ContainerSpec {
    pub(super) fn body(&self) -> models::ContainerCreateBody {
        let exposed: Vec<String> = self.ports.iter().map(PortSpec::key).collect();
        models::ContainerCreateBody {
            image: Some(self.image.clone()),
            entrypoint: self.entrypoint.clone(),
            cmd: (!self.command.is_empty()).then(|| self.command.clone()),
            env: Some(self.env.clone()),
            working_dir: self.workdir.clone(),
            user: self.user.clone(),
            labels: Some(hash(&self.labels)),
            exposed_ports: (!exposed.is_empty()).then_some(exposed),
            attach_stdin: Some(self.stdin),
            open_stdin: Some(self.stdin),
            stdin_once: Some(self.stdin),
            stop_timeout: self.stop_timeout,
            host_config: Some(self.host_config()),
            networking_config: self.networking(),
            ..Default::default()
        }
    }

    fn host_config(&self) -> models::HostConfig {
        let mut bindings = models::PortMap::new();
        for port in &self.ports {
            let binding =
                models::PortBinding { host_ip: Some(port.ip.to_string()), host_port: Some(port.host.to_string()) };
            bindings.entry(port.key()).or_default().get_or_insert_default().push(binding);
        }
        models::HostConfig {
            init: Some(self.init),
            pids_limit: self.limits.pids,
            nano_cpus: self.limits.nano_cpus,
            memory: self.limits.memory,
            memory_reservation: self.limits.memory_reservation,
            restart_policy: Some(models::RestartPolicy {
                name: Some(models::RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            privileged: Some(false),
            auto_remove: Some(false),
            mounts: (!self.mounts.is_empty()).then(|| self.mounts.iter().map(mount).collect()),
            port_bindings: (!bindings.is_empty()).then_some(bindings),
            log_config: Some(models::HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: Some(hash(&self.log)),
            }),
            network_mode: Some(self.network.clone()),
            extra_hosts: (!self.hosts.is_empty()).then(|| self.hosts.clone()),
            ..Default::default()
        }
    }

    fn networking(&self) -> Option<models::NetworkingConfig> {
        if self.aliases.is_empty() {
            return None;
        }
        let endpoint = models::EndpointSettings { aliases: Some(self.aliases.clone()), ..Default::default() };
        let endpoints = HashMap::from([(self.network.clone(), endpoint)]);
        Some(models::NetworkingConfig { endpoints_config: Some(endpoints) })
    }
}

pub(super) fn hash(ordered: &BTreeMap<String, String>) -> HashMap<String, String> {
    ordered.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn mount(spec: &MountSpec) -> models::Mount {
    let (typ, source) = match &spec.source {
        MountSource::Bind(path) => (models::MountType::BIND, Some(path.clone())),
        MountSource::Volume(name) => (models::MountType::VOLUME, Some(name.clone())),
        MountSource::Anonymous => (models::MountType::VOLUME, None),
    };
    models::Mount {
        typ: Some(typ),
        source,
        target: Some(spec.target.clone()),
        read_only: Some(spec.read_only),
        ..Default::default()
    }
}
