//! What Compose files say where ours say something else, or nothing.

use super::table::Table;

/// A key of Compose that is none of ours.
struct Foreign {
    /// The table it would stand in.
    table: &'static str,
    key: &'static str,
    /// Ours in the same table, or nothing.
    ours: Option<&'static str>,
    /// How it is said here, or why it cannot be; empty where it only has another name.
    text: &'static str,
}

const fn renamed(key: &'static str, ours: &'static str) -> Foreign {
    Foreign { table: "service", key, ours: Some(ours), text: "" }
}

const fn instead(key: &'static str, ours: &'static str, text: &'static str) -> Foreign {
    Foreign { table: "service", key, ours: Some(ours), text }
}

const fn none(key: &'static str, text: &'static str) -> Foreign {
    Foreign { table: "service", key, ours: None, text }
}

const fn of(table: &'static str, foreign: Foreign) -> Foreign {
    Foreign { table, ..foreign }
}

const NAMES: &str = "services of a stack reach each other by their names, on every port";
const RIGHTS: &str = "containers get no more rights than the engine gives by itself";
const FEWER: &str = "containers have the rights that the engine gives by itself; `user` takes most of them away";
const RESOLVER: &str =
    "names outside of the stack are resolved as the engine resolves them; hand an address over in `env`";
const MOUNT: &str = "mount the file read-only with `volumes`, or read variables from it with `envFromFile`";
const IMAGE: &str = "it is the image's or the engine's to set";

const FOREIGN: &[Foreign] = &[
    renamed("environment", "env"),
    renamed("env_file", "envFromFile"),
    renamed("working_dir", "workdir"),
    renamed("pull_policy", "pullPolicy"),
    renamed("scale", "replicas"),
    renamed("networks", "network"),
    renamed("network_mode", "network"),
    instead("depends_on", "dependsOn", "`dependsOn: [db]` waits until `db` is ready"),
    instead("healthcheck", "health", "`health: { cmd: { command: [...] } }`, or `http`, `tcp`, `log`"),
    instead("restart", "restartPolicy", "`restartPolicy: { condition: always }`, `on-failure` or `never`"),
    instead("stop_grace_period", "stop", "`stop: { timeout: 10s }`"),
    instead("stop_signal", "stop", "`stop: { signal: SIGTERM }`"),
    instead("deploy", "replicas", "its parts are `replicas`, `resources`, `restartPolicy` and `update`"),
    instead("cpus", "resources", "`resources: { cpu: 0.5 }`"),
    instead("mem_limit", "resources", "`resources: { memory: 512MiB }`"),
    instead("mem_reservation", "resources", "`resources: { memoryReservation: 256MiB }`"),
    instead("pids_limit", "resources", "`resources: { pids: 512 }`"),
    instead("post_start", "hooks", "`hooks: { postStart: { command: [...] } }`"),
    instead("pre_stop", "hooks", "`hooks: { preStop: { command: [...] } }`"),
    instead("tmpfs", "volumes", "`volumes: [\"/path\"]` is empty at each start and goes with its container"),
    instead("volumes_from", "volumes", "a named volume, `volumes: [\"data:/path\"]`, may be in several services"),
    none("build", "images are not built here: build it first, `docker build -t NAME .`, and name it with `image`"),
    none("container_name", "containers are named by stack, service and replica, so that none gets in another's way"),
    none("expose", NAMES),
    none("links", NAMES),
    none("external_links", NAMES),
    none("hostname", NAMES),
    none("extra_hosts", RESOLVER),
    none("dns", RESOLVER),
    none("profiles", "put what is not always wanted into a stack file of its own, or name services: `orco up NAME`"),
    none("extends", "what services share is `defaults`, another file's services come with `includes`"),
    none("configs", MOUNT),
    none("secrets", MOUNT),
    none("cap_add", RIGHTS),
    none("privileged", RIGHTS),
    none("devices", RIGHTS),
    none("cap_drop", FEWER),
    none("security_opt", FEWER),
    none("read_only", "single mounts are read-only: `volumes: [\"./config:/etc/app:ro\"]`"),
    none("stdin_open", "services read nothing; `orco exec -i` hands input to a command"),
    none("tty", "services have no terminal, so that their output can be read as lines"),
    none("ulimits", IMAGE),
    none("sysctls", IMAGE),
    none("shm_size", IMAGE),
    of("stack file", instead("name", "stack", "`stack: { name: shop }`")),
    of("stack file", none("networks", "each stack has a network of its own; `network` of a service names another")),
    of("stack file", none("volumes", "named volumes are made where a service's `volumes` name them")),
    of("stack file", none("configs", MOUNT)),
    of("stack file", none("secrets", MOUNT)),
    of("check", instead("test", "cmd", "`cmd: { command: [...] }` for a list, `cmd: { shell: ... }` for a line")),
    of("check", renamed("retries", "failureThreshold")),
    of("check", renamed("start_period", "gracePeriod")),
    of("check", none("start_interval", "before it is ready it is asked every `interval`")),
    of("check", none("disable", "leave the check out")),
    of("dependency", instead("condition", "require", "`require: started`, `ready` (as healthy there) or `completed`")),
    of("restart policy", renamed("max_attempts", "maxRetries")),
    of("restart policy", instead("delay", "backoff", "`backoff: { min: 100ms, max: 30s }`")),
];

/// Our key for it, in the same table.
pub(super) fn ours(key: &str, table: &Table) -> Option<&'static str> {
    find(key, table)?.ours
}

/// What to say of it; `None`: only a name is to be told, or it is no key of Compose.
pub(super) fn told(key: &str, table: &Table) -> Option<String> {
    let foreign = find(key, table)?;
    match (foreign.ours, foreign.text) {
        (Some(_), "") => None,
        (Some(ours), text) => Some(format!("here it is `{ours}`: {text}")),
        (None, text) => Some(format!("there is no such key: {text}")),
    }
}

fn find(key: &str, table: &Table) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|foreign| foreign.key == key && foreign.table == table.name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{io, path::Path};

    use super::*;
    use crate::{
        load::{Loader, Sources},
        spec::{Diagnostic, Known, code},
    };

    /// One file.
    struct Memory(String);

    impl Sources for Memory {
        fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
            Ok(self.0.clone().into_bytes())
        }

        fn var(&self, _: &str) -> Option<String> {
            None
        }
    }

    /// A file with this key in this table.
    fn file(table: &str, key: &str) -> String {
        match table {
            "stack file" => format!("services: {{ a: {{ command: [x] }} }}\n{key}: {{}}\n"),
            "service" => format!("services: {{ a: {{ command: [x], {key}: {{}} }} }}\n"),
            "check" => format!("services: {{ a: {{ command: [x], health: {{ {key}: {{}} }} }} }}\n"),
            "restart policy" => format!("services: {{ a: {{ command: [x], restartPolicy: {{ {key}: 1 }} }} }}\n"),
            "dependency" => format!(
                "services: {{ b: {{ command: [x] }}, a: {{ command: [x], dependsOn: [{{ target: b, {key}: x }}] }} }}\n"
            ),
            other => panic!("no file for {other}"),
        }
    }

    fn diagnostics(text: &str) -> Vec<Diagnostic> {
        let known = Known::new(["process"], ["http"]);
        let read = Loader::new(&Memory(text.to_owned()), &known).load(Path::new("stack.yaml"));
        read.map_or_else(|rejected| rejected.diagnostics, |_| Vec::new())
    }

    #[test]
    fn each_is_unknown_and_says_what_to_write() {
        for foreign in FOREIGN {
            let text = file(foreign.table, foreign.key);
            let (says, found) = (format!("unknown key `{}` in {}", foreign.key, foreign.table), diagnostics(&text));
            let one = found.iter().find(|d| d.code == code::UNKNOWN_KEY && d.message == says);
            let help = one.and_then(|d| d.help.as_ref()).unwrap_or_else(|| panic!("{text}: {found:?}"));
            if let Some(ours) = foreign.ours {
                let text = file(foreign.table, ours);
                assert!(diagnostics(&text).iter().all(|d| d.code != code::UNKNOWN_KEY), "{text}");
            }
            match foreign.ours {
                Some(ours) => assert!(help.contains(&format!("`{ours}`")), "{text}: {help}"),
                None => assert!(help.starts_with("there is no such key: "), "{text}: {help}"),
            }
            assert!(help.contains(foreign.text), "{text}: {help}");
        }
    }
}
