//! The texts of a service in which per-instance variables have a meaning.

use super::{
    Command, ProbeSpec, Service,
    vars::{self, InstanceVar},
    yaml::Path,
};

type Text<'a> = (Path, &'a str);

/// All of them with their places in the service.
pub(crate) fn templates(service: &Service) -> impl Iterator<Item = Text<'_>> {
    let mut texts = Vec::new();
    command(service.command.as_ref(), &Path::default(), &mut texts);
    for (name, value) in &service.env {
        texts.extend(value.as_ref().map(|value| (Path::of(["env", name]), value.as_str())));
    }
    for (key, health) in [("health", &service.health), ("liveness", &service.liveness)] {
        for spec in health.iter().flat_map(|health| &health.check.probes) {
            probe(spec, &Path::of([key, spec.name()]), &mut texts);
        }
    }
    let hooks = &service.hooks;
    let turns = [
        ("preStart", &hooks.pre_start),
        ("postStart", &hooks.post_start),
        ("preStop", &hooks.pre_stop),
        ("postStop", &hooks.post_stop),
    ];
    for (key, hook) in turns {
        command(hook.as_ref().map(|hook| &hook.command), &Path::of(["hooks", key]), &mut texts);
    }
    texts.into_iter().filter(|(_, text)| text.contains("${"))
}

fn command<'a>(command: Option<&'a Command>, path: &Path, texts: &mut Vec<Text<'a>>) {
    let argv = command.map(|command| command.argv.as_slice()).unwrap_or_default();
    texts.extend(argv.iter().enumerate().map(|(at, word)| (path.clone().key("command").index(at), word.as_str())));
}

fn probe<'a>(spec: &'a ProbeSpec, at: &Path, texts: &mut Vec<Text<'a>>) {
    match spec {
        ProbeSpec::Http { url, path, headers, .. } => {
            texts.extend(url.as_deref().map(|url| (at.clone().key("url"), url)));
            texts.extend(path.as_deref().map(|path| (at.clone().key("path"), path)));
            texts.extend(headers.iter().map(|(name, value)| (at.clone().key("headers").key(name), value.as_str())));
        }
        ProbeSpec::Tcp { address, .. } => {
            texts.extend(address.as_deref().map(|address| (at.clone().key("address"), address)));
        }
        ProbeSpec::Cmd { command: run, .. } => command(Some(run), at, texts),
        ProbeSpec::Log { .. } => {}
        ProbeSpec::Custom { config, .. } => json_texts(config, at, texts),
    }
}

fn json_texts<'a>(config: &'a serde_json::Value, at: &Path, texts: &mut Vec<Text<'a>>) {
    match config {
        serde_json::Value::String(text) => texts.push((at.clone(), text)),
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                json_texts(item, &at.clone().index(index), texts);
            }
        }
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                json_texts(value, &at.clone().key(key), texts);
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

impl Service {
    /// The per-instance variables that the service mentions anywhere, each once, in order.
    pub fn instance_vars(&self) -> Vec<InstanceVar> {
        let mut all: Vec<_> = templates(self).flat_map(|(_, text)| vars::instance_vars(text)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether it asks for a port of each replica's own (`${port}`, `${port.NAME}`).
    pub fn uses_own_port(&self) -> bool {
        self.instance_vars().iter().any(|var| matches!(var, InstanceVar::Port(_)))
    }
}

impl Command {
    /// The arguments for one instance.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn filled<E>(&self, value: impl Fn(&InstanceVar) -> Result<String, E>) -> Result<Self, E> {
        let argv = self.argv.iter().map(|word| vars::fill(word, &value)).collect::<Result<_, _>>()?;
        Ok(Self { argv })
    }
}

impl ProbeSpec {
    /// The probe for one instance: `${port}` and its like replaced.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn filled<E>(&self, value: &impl Fn(&InstanceVar) -> Result<String, E>) -> Result<Self, E> {
        let fill = |text: &Option<String>| text.as_ref().map(|text| vars::fill(text, value)).transpose();
        let mut filled = self.clone();
        match &mut filled {
            Self::Http { url, path, headers, .. } => {
                *url = fill(url)?;
                *path = fill(path)?;
                for (_, text) in headers {
                    *text = vars::fill(text, value)?;
                }
            }
            Self::Tcp { address, .. } => *address = fill(address)?,
            Self::Cmd { command, .. } => *command = command.filled(value)?,
            Self::Log { .. } => {}
            Self::Custom { config, .. } => fill_json(config, value)?,
        }
        Ok(filled)
    }
}

fn fill_json<E>(config: &mut serde_json::Value, value: &impl Fn(&InstanceVar) -> Result<String, E>) -> Result<(), E> {
    match config {
        serde_json::Value::String(text) => *text = vars::fill(text, value)?,
        serde_json::Value::Array(items) => items.iter_mut().try_for_each(|item| fill_json(item, value))?,
        serde_json::Value::Object(map) => map.values_mut().try_for_each(|item| fill_json(item, value))?,
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
    Ok(())
}
