//! From the tree to a service.

use std::collections::BTreeMap;

use super::{
    lower::Lowering,
    lower_container::container,
    lower_health::health,
    view::{Layers, View},
};
use crate::{
    model::{Revision, ServiceName},
    spec::{
        Amount, Backoff, BlueGreen, Canary, Condition, Dependency, Hook, Hooks, Kind, Logging, Network, OnFailure,
        Port, Protocol, PullPolicy, Require, Resources, Restart, RetryLimit, Service, Stop, Strategy, Update,
        defaults::HOOK_TIMEOUT,
        revision,
        rules::of_service,
        value,
        yaml::{Node, Path},
    },
};

/// A service as its mapping and the defaults say.
pub(super) fn service<'a>(name: ServiceName, node: &'a Node, lowering: &mut Lowering<'a>) -> Service {
    let view = View(Some(node));
    let path = of_service(name.as_str());
    let kind = match view.get("kind").text() {
        Some("oneshot") => Kind::Oneshot,
        Some("daemon") => Kind::Daemon,
        _ => Kind::Service,
    };
    let image = view.get("image").string();
    let usual = if image.is_some() { "docker" } else { "process" };
    let runtime = view.get("runtime").text().or(lowering.defaults.get("runtime").text()).unwrap_or(usual).to_owned();
    let mut env = lowering.env.clone();
    let from_files = lowering.env_files(view, &path);
    let own = lowering.env(view.get("env"));
    let env_from_file =
        from_files.iter().map(|(name, _)| name).filter(|name| !own.contains_key(*name)).cloned().collect();
    env.extend(from_files);
    env.extend(own);
    let inherit = kind != Kind::Oneshot;
    let mut service = Service {
        runtime,
        kind,
        image,
        command: lowering.command(view, &path),
        entrypoint: None,
        workdir: lowering.join(view.get("workdir").text().unwrap_or(".")),
        container_workdir: None,
        user: view.get("user").string(),
        env,
        inherit_env: view.get("inheritEnv").bool().unwrap_or(true),
        secret: view.get("secret").texts().map(str::to_owned).collect(),
        env_from_file,
        mask_secrets: view.get("maskSecrets").bool().unwrap_or(true),
        ports: view.get("ports").many().filter_map(|(_, node)| port(View(Some(node)))).collect(),
        volumes: Vec::new(),
        labels: BTreeMap::new(),
        network: Network::Stack,
        pull_policy: PullPolicy::Missing,
        platform: None,
        init: true,
        allow_docker_socket: false,
        replicas: view.get("replicas").int().unwrap_or(1),
        depends_on: view.get("dependsOn").many().filter_map(|(_, node)| dependency(View(Some(node)))).collect(),
        health: health(lowering.layers(view, "health"), inherit, &path.clone().key("health"), lowering),
        liveness: health(lowering.layers(view, "liveness"), inherit, &path.clone().key("liveness"), lowering),
        restart: restart(lowering.layers(view, "restartPolicy"), kind),
        stop: stop(lowering.layers(view, "stop")),
        hooks: hooks(view.get("hooks"), &path, lowering),
        resources: resources(view.get("resources")),
        update: update(lowering.layers(view, "update")),
        logging: logging(view.get("logging")),
        revision: Revision(0),
        name,
    };
    container(&mut service, view, &path, lowering);
    service.revision = revision::of(&service);
    service
}

fn port(view: View<'_>) -> Option<Port> {
    if let Some(text) = view.text() {
        return value::parse_port(text).ok();
    }
    Some(Port {
        ip: view.get("ip").text().and_then(|text| text.parse().ok()),
        host: view.get("host").int(),
        target: view.get("target").int()?,
        protocol: view.get("protocol").text().and_then(Protocol::parse).unwrap_or_default(),
        name: view.get("name").string(),
    })
}

fn dependency(view: View<'_>) -> Option<Dependency> {
    let name = |text: &str| ServiceName::new(text).ok();
    if let Some(text) = view.text() {
        return name(text).map(Dependency::on);
    }
    let mut dependency = Dependency::on(view.get("target").text().and_then(name)?);
    dependency.require = match view.get("require").text() {
        Some("exists") => Require::Exists,
        Some("started") => Require::Started,
        Some("completed") => Require::Completed,
        _ => Require::Ready,
    };
    dependency.timeout = view.get("timeout").duration().unwrap_or(dependency.timeout);
    dependency.on_failure = match view.get("onFailure").text() {
        Some("restart") => OnFailure::Restart,
        Some("stop") => OnFailure::Stop,
        _ => OnFailure::Ignore,
    };
    Some(dependency)
}

fn restart(layers: Layers<'_>, kind: Kind) -> Restart {
    let usual = Restart::of(kind);
    let codes = |key: &str| {
        let list = |view: View<'_>| view.0.map(|_| view.texts().filter_map(|t| t.parse().ok()).collect::<Vec<i32>>());
        layers.get(key).read(list)
    };
    let delays = layers.get("backoff");
    let factor = delays.get("factor").read(|view| view.text().and_then(|text| value::ratio(text, 1.0).ok()));
    Restart {
        condition: match layers.get("condition").read(View::text) {
            Some("always") => Condition::Always,
            Some("on-failure") => Condition::OnFailure,
            Some("never") => Condition::Never,
            _ => usual.condition,
        },
        max_retries: match layers.get("maxRetries").read(View::text) {
            Some("unlimited") => RetryLimit::Unlimited,
            Some(text) => text.parse().map_or(usual.max_retries, RetryLimit::Limited),
            None => usual.max_retries,
        },
        backoff: backoff(delays, factor),
        reset_after: layers.duration("resetAfter").unwrap_or(usual.reset_after),
        success_exit_codes: codes("successExitCodes").unwrap_or(usual.success_exit_codes),
        no_restart_exit_codes: codes("noRestartExitCodes").unwrap_or_default(),
    }
}

/// One bound alone moves the other where they would cross: `max: 500ms` is no contradiction of a default.
fn backoff(layers: Layers<'_>, factor: Option<f64>) -> Backoff {
    let usual = Backoff::default();
    let (min, max) = (layers.duration("min"), layers.duration("max"));
    Backoff {
        min: min.unwrap_or_else(|| usual.min.min(max.unwrap_or(usual.min))),
        max: max.unwrap_or_else(|| usual.max.max(min.unwrap_or(usual.max))),
        factor: factor.unwrap_or(usual.factor),
    }
}

fn stop(layers: Layers<'_>) -> Stop {
    let usual = Stop::default();
    let signal = layers.get("signal").read(|view| view.text().and_then(value::signal_number));
    Stop { signal: signal.unwrap_or(usual.signal), timeout: layers.duration("timeout").unwrap_or(usual.timeout) }
}

fn hooks(view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> Hooks {
    let mut hook = |key: &str| {
        let view = view.get(key);
        let command = lowering.command(view, &path.clone().key("hooks").key(key))?;
        Some(Hook { command, timeout: view.get("timeout").duration().unwrap_or(HOOK_TIMEOUT) })
    };
    Hooks {
        pre_start: hook("preStart"),
        post_start: hook("postStart"),
        pre_stop: hook("preStop"),
        post_stop: hook("postStop"),
    }
}

fn resources(view: View<'_>) -> Resources {
    Resources {
        cpu_millis: view.get("cpu").text().and_then(|text| value::cpu_millis(text).ok()),
        memory: view.get("memory").size(),
        memory_reservation: view.get("memoryReservation").size(),
        pids: view.get("pids").int(),
    }
}

/// What a mapping `logging` says, without its directory.
pub(super) fn logging(view: View<'_>) -> Logging {
    Logging {
        directory: None,
        max_file_size: view.get("maxFileSize").size(),
        max_total_size: view.get("maxTotalSize").size(),
        max_file_age: view.get("maxFileAge").duration(),
        max_file_count: view.get("maxFileCount").int(),
        max_line_bytes: view.get("maxLineBytes").size(),
    }
}

fn update(layers: Layers<'_>) -> Update {
    let usual = Update::default();
    let amount = |key: &str| -> Option<Amount> {
        layers.get(key).read(|view| view.text().and_then(|text| value::amount(text).ok()))
    };
    let present = |key: &str| layers.get(key).read(|view| view.0).map(|_| layers.get(key));
    Update {
        strategy: match layers.get("strategy").read(View::text) {
            Some("canary") => Strategy::Canary,
            Some("blueGreen") => Strategy::BlueGreen,
            Some("recreate") => Strategy::Recreate,
            _ => Strategy::Rolling,
        },
        max_unavailable: amount("maxUnavailable").unwrap_or(usual.max_unavailable),
        max_surge: amount("maxSurge"),
        min_ready: layers.duration("minReady").unwrap_or(usual.min_ready),
        progress_deadline: layers.duration("progressDeadline").unwrap_or(usual.progress_deadline),
        promote_after: layers.duration("promoteAfter"),
        abort_after_failures: layers.int("abortAfterFailures").unwrap_or(usual.abort_after_failures),
        observation_window: layers.duration("observationWindow"),
        canary: present("canary").map(|canary| Canary {
            replicas: canary.int("replicas").unwrap_or(1),
            weight: canary.get("weight").read(|view| view.text().and_then(|text| value::percent(text).ok())),
        }),
        blue_green: present("blueGreen").map(|timings| {
            let usual = BlueGreen::default();
            BlueGreen {
                drain_timeout: timings.duration("drainTimeout").unwrap_or(usual.drain_timeout),
                rollback_window: timings.duration("rollbackWindow").unwrap_or(usual.rollback_window),
            }
        }),
    }
}
