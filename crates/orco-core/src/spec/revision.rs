//! What makes a service another program.

use sha2::{Digest, Sha256};

use super::{Command, Hook, Hooks, Network, Port, Resources, Service};
use crate::model::Revision;

/// The hash over everything that cannot be changed in a running instance: all fields but those that are taken over in
/// place. Values that only an instance knows (`${port}`, `${endpoint.X}`) are hashed as they are written, inherited
/// variables not at all. Stable over runs and machines.
pub(crate) fn of(service: &Service) -> Revision {
    // Every field by its name: a new one does not compile before somebody has decided.
    let Service {
        name,
        runtime,
        kind,
        image,
        command,
        workdir,
        user,
        env,
        inherit_env,
        secret,
        ports,
        volumes,
        labels,
        hooks,
        resources,
        entrypoint,
        container_workdir,
        network,
        platform,
        init,
        // Only how its output is shown.
        env_from_file: _,
        mask_secrets: _,
        pull_policy: _,
        allow_docker_socket: _,
        replicas: _,
        depends_on: _,
        health: _,
        liveness: _,
        restart: _,
        stop: _,
        update: _,
        // What is written goes by it from then on.
        logging: _,
        revision: _,
    } = service;
    let mut hash = Hash(Sha256::new());
    hash.text("orco service 1");
    hash.text(name.as_str());
    hash.text(runtime);
    hash.text(kind.as_str());
    hash.option(image.as_deref());
    hash.command(command.as_ref());
    hash.bytes(workdir.as_os_str().as_encoded_bytes());
    hash.option(user.as_deref());
    hash.number(env.len() as u64);
    for (key, value) in env {
        hash.text(key);
        hash.option(value.as_deref());
    }
    hash.number(u64::from(*inherit_env));
    hash.texts(secret);
    hash.number(ports.len() as u64);
    ports.iter().for_each(|port| hash.port(port));
    hash.number(volumes.len() as u64);
    volumes.iter().for_each(|volume| hash.text(&volume.to_string()));
    hash.number(labels.len() as u64);
    for (key, value) in labels {
        hash.text(key);
        hash.text(value);
    }
    hash.hooks(hooks);
    hash.resources(resources);
    hash.texts_if("entrypoint", entrypoint.as_deref());
    hash.text_if("workdir", container_workdir.as_deref());
    hash.text_if("network", (*network != Network::Stack).then(|| network.as_str()));
    hash.text_if("platform", platform.as_deref());
    hash.text_if("init", (!init).then_some("false"));
    hash.text_if("pids", resources.pids.map(|pids| pids.to_string()).as_deref());
    hash.done()
}

/// Each piece with its length, so that no two different services give the same bytes.
struct Hash(Sha256);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn option(&mut self, text: Option<&str>) {
        self.number(u64::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    /// A field that came later: a service that does not use it keeps the revision that it had before, so that a new
    /// version of Orco replaces nothing. Its name keeps it apart from the others.
    fn text_if(&mut self, field: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(field);
            self.text(text);
        }
    }

    fn texts_if(&mut self, field: &str, texts: Option<&[String]>) {
        if let Some(texts) = texts {
            self.text(field);
            self.texts(texts);
        }
    }

    fn command(&mut self, command: Option<&Command>) {
        self.number(u64::from(command.is_some()));
        self.texts(command.map(|command| command.argv.as_slice()).unwrap_or_default());
    }

    fn port(&mut self, port: &Port) {
        self.text(&port.to_string());
        self.option(port.name.as_deref());
    }

    fn hooks(&mut self, hooks: &Hooks) {
        let Hooks { pre_start, post_start, pre_stop, post_stop } = hooks;
        for hook in [pre_start, post_start, pre_stop, post_stop] {
            self.command(hook.as_ref().map(|Hook { command, .. }| command));
            self.number(hook.as_ref().map_or(0, |hook| u64::try_from(hook.timeout.as_micros()).unwrap_or(u64::MAX)));
        }
    }

    fn resources(&mut self, resources: &Resources) {
        // The number of processes came later.
        let Resources { cpu_millis, memory, memory_reservation, pids: _ } = resources;
        for value in [cpu_millis, memory, memory_reservation] {
            self.number(u64::from(value.is_some()));
            self.number(value.unwrap_or_default());
        }
    }

    fn done(self) -> Revision {
        let digest = self.0.finalize();
        Revision(digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }
}
