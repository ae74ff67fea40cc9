//! Every field of the language, once. The reader, the notes about what has no effect yet and the JSON Schema come from
//! here.

use super::{
    fields_life::{HOOKS, RESOURCES, RESTART, STOP, UPDATE},
    table::{Field, Table, Ty},
};

pub(crate) static STACK_FILE: Table = Table {
    name: "stack file",
    doc: "A stack: services, what they need from each other, and how they are kept running.",
    fields: &[
        Field::new("version", Ty::Version, "The version of the language: 0.1."),
        Field::new("stack", Ty::Table(&STACK), "The stack itself."),
        Field::new(
            "includes",
            Ty::OneOrMany(&Ty::Text),
            "Files that are merged in first, relative to this one; what this file says wins.",
        ),
        Field::new("defaults", Ty::Table(&DEFAULTS), "What services have where they do not say it themselves."),
        Field::new("logging", Ty::Table(&LOGGING), "How much of the output is kept, and where it is exported to."),
        Field::new("proxy", Ty::Table(&PROXY), "The reverse proxy in front of the services.").later(),
        Field::new("services", Ty::Services(&SERVICE), "The services by name."),
    ],
};

static STACK: Table = Table {
    name: "stack",
    doc: "The stack itself.",
    fields: &[
        Field::new("name", Ty::Name, "The stack's name; without it the name of the file's folder."),
        Field::new("workdir", Ty::Text, "What relative paths are relative to; itself relative to the file's folder."),
    ],
};

static DEFAULTS: Table = Table {
    name: "defaults",
    doc: "What services have where they do not say it themselves.",
    fields: &[
        Field::new("restartPolicy", Ty::Table(&RESTART), "When an ended instance is tried again."),
        Field::new("health", Ty::Check(&HEALTH), "Readiness; a service's own probes replace those given here."),
        Field::new("liveness", Ty::Check(&HEALTH), "Liveness; a service's own probes replace those given here."),
        Field::new("stop", Ty::Table(&STOP), "How instances are stopped."),
        Field::new("update", Ty::Table(&UPDATE), "How changed services are replaced.").later(),
        Field::new("env", Ty::Env, "Variables; a service's own win."),
        Field::new("runtime", Ty::Text, "The runtime."),
    ],
};

static LOGGING: Table = Table {
    name: "logging",
    doc: "How much of the output of all services is kept, and where it is exported to. `ORCO_LOG_MAX_FILE_SIZE` and its like, and the flags `--log-...`, win over it.",
    fields: &[
        Field::new(
            "directory",
            Ty::Text,
            "Where each service's records are exported to as NDJSON, relative to the stack's workdir. Default: nowhere.",
        ),
        MAX_FILE_SIZE,
        Field::new("maxTotalSize", Ty::Size, "The oldest files go above this size of all. Default: 256MiB."),
        MAX_FILE_AGE,
        MAX_FILE_COUNT,
        MAX_LINE_BYTES,
    ],
};

static SERVICE_LOGGING: Table = Table {
    name: "service logging",
    doc: "How much of its output is kept. What it does not say is as the stack's `logging` says.",
    fields: &[
        MAX_FILE_SIZE,
        Field::new(
            "maxTotalSize",
            Ty::Size,
            "Its oldest files go above this size of all of its. The stack's total holds too.",
        ),
        MAX_FILE_AGE,
        MAX_FILE_COUNT,
        MAX_LINE_BYTES,
    ],
};

const MAX_FILE_SIZE: Field = Field::new(
    "maxFileSize",
    Ty::Size,
    "A file is closed at this size. Default: 16MiB, or a quarter of a smaller total.",
);
const MAX_FILE_AGE: Field = Field::new(
    "maxFileAge",
    Ty::Duration,
    "What is older goes, at most an eighth of it and a minute later. At least 1m. Default: no limit.",
);
const MAX_FILE_COUNT: Field = Field::new(
    "maxFileCount",
    Ty::Int(1, 1_000_000),
    "The oldest files of a replica go above this number. Default: no limit.",
);
const MAX_LINE_BYTES: Field = Field::new("maxLineBytes", Ty::Size, "Longer lines are cut for readers. Default: 1MiB.");

static PROXY: Table = Table {
    name: "proxy",
    doc: "The reverse proxy in front of the services.",
    fields: &[
        Field::new("listen", Ty::Address, "Where it listens: `ip:port`."),
        Field::new("routes", Ty::List(&Ty::Table(&ROUTE)), "Which requests go where; the first that fits is taken."),
        Field::new("assets", Ty::Table(&ASSETS), "Files that it serves itself."),
    ],
};

static ROUTE: Table = Table {
    name: "route",
    doc: "A route of the proxy.",
    fields: &[
        Field::new("pathPrefix", Ty::Text, "The beginning of the path."),
        Field::new("headers", Ty::Map(&Ty::Text), "Headers the request must have."),
        Field::new("service", Ty::Name, "The service that answers.").required(),
        Field::new("port", Ty::PortNumber, "The port it listens on."),
        Field::new("stripPathPrefix", Ty::Bool, "Whether the service sees the path without the prefix."),
    ],
};

static ASSETS: Table = Table {
    name: "assets",
    doc: "Files that the proxy serves itself.",
    fields: &[
        Field::new("directory", Ty::Text, "Where they are.").required(),
        Field::new("index", Ty::Text, "What is served for a directory."),
    ],
};

pub(super) static SERVICE: Table = Table {
    name: "service",
    doc: "A service: a program, how many of it, what it needs and how it is looked after.",
    fields: &[
        Field::new(
            "runtime",
            Ty::Text,
            "What runs it: `process`, `docker`, `podman` or a registered name. Default: `docker` where `image` is set, else `process`.",
        ),
        Field::new(
            "kind",
            Ty::Choice(&["service", "oneshot", "daemon"]),
            "`service` runs until it is stopped, `oneshot` runs to its end once, `daemon` is a service whose health gates nobody.",
        ),
        Field::new("image", Ty::Text, "The container image.").containers(),
        Field::new(
            "command",
            Ty::Command,
            "What to run: a list of arguments, or a text that is split as a shell would. No shell runs.",
        ),
        Field::new("shell", Ty::Bool, "Run the command, one text, with `/bin/sh -c`."),
        Field::new(
            "entrypoint",
            Ty::Words,
            "What the image's entrypoint is replaced by: written as `command`, without variables of the instance. An empty list: by nothing.",
        )
        .containers(),
        Field::new(
            "workdir",
            Ty::Text,
            "Where it runs, relative to the stack's workdir; for a container an absolute path inside it (default: as the image says).",
        ),
        Field::new("user", Ty::Text, "As whom it runs."),
        Field::new("env", Ty::Env, "Variables. A null value removes an inherited one."),
        Field::new("envFromFile", Ty::OneOrMany(&Ty::Text), "Files with `NAME=value` lines; `env` wins. Their values are masked in what the service prints."),
        Field::new("inheritEnv", Ty::Bool, "Whether it gets Orco's own environment. Default: true; containers never do."),
        Field::new(
            "secret",
            Ty::OneOrMany(&Ty::Text),
            "Names of its variables whose values are masked in all output, whichever service prints them; each of at least 8 bytes.",
        ),
        Field::new(
            "maskSecrets",
            Ty::Bool,
            "Whether values of env files and of `secret` are masked in what it prints; `false` also leaves its own values unmasked elsewhere. Default: true.",
        ),
        Field::new(
            "ports",
            Ty::OneOrMany(&Ty::Short(&Ty::PortMapping, &PORT)),
            "Published ports: `host:target`, `ip:host:target` or `target`, with `/tcp`, `/udp` or `/http`.",
        ),
        Field::new(
            "volumes",
            Ty::OneOrMany(&Ty::Short(&Ty::Mount, &VOLUME)),
            "Mounts: `source:target`, with `:ro` where it may only read. A source with a slash is a path (`./x` is relative to the stack's workdir), without one a volume of the stack; `target` alone is a volume that goes with the container.",
        )
        .containers(),
        Field::new("labels", Ty::Map(&Ty::Text), "Labels of its containers; those that begin with `orco.` are taken.")
            .containers(),
        Field::new(
            "network",
            Ty::Network,
            "Its network: `stack` (services reach each other by name), `host`, `none`, or one that exists. Default: stack.",
        )
        .containers(),
        Field::new(
            "pullPolicy",
            Ty::Choice(&["missing", "always", "never"]),
            "When its image is pulled: where it is missing, before every start, or never. Default: missing.",
        )
        .containers(),
        Field::new("platform", Ty::Platform, "The platform of its image: `linux/amd64`. Default: the engine's own.")
            .containers(),
        Field::new("init", Ty::Bool, "Whether a small init runs inside, which reaps orphans. Default: true.")
            .containers(),
        Field::new(
            "allowDockerSocket",
            Ty::Bool,
            "Whether it may mount the container engine's socket, and so rule this machine. Default: false.",
        )
        .containers(),
        Field::new("replicas", Ty::Int(1, 1_000), "How many instances. Default: 1."),
        Field::new(
            "dependsOn",
            Ty::OneOrMany(&Ty::Short(&Ty::Name, &DEPENDENCY)),
            "What must be there before it starts. A name alone asks for `ready`.",
        ),
        Field::new("health", Ty::Check(&HEALTH), "Readiness: gates dependents and traffic; never restarts by itself."),
        Field::new(
            "liveness",
            Ty::Check(&HEALTH),
            "Liveness: failing restarts the instance through the restart policy.",
        ),
        Field::new("restartPolicy", Ty::Table(&RESTART), "When an ended instance is tried again."),
        Field::new("stop", Ty::Table(&STOP), "How its instances are stopped."),
        Field::new("hooks", Ty::Table(&HOOKS), "Commands at the turning points of an instance's life."),
        Field::new("resources", Ty::Table(&RESOURCES), "Limits of an instance; processes do not keep to them yet."),
        Field::new("update", Ty::Table(&UPDATE), "How it is replaced when it changed.").later(),
        Field::new("logging", Ty::Table(&SERVICE_LOGGING), "How much of its output is kept."),
    ],
};

static PORT: Table = Table {
    name: "port",
    doc: "A published port.",
    fields: &[
        Field::new("host", Ty::PortNumber, "The port on the host."),
        Field::new("target", Ty::PortNumber, "The port the program listens on.").required(),
        Field::new("ip", Ty::Ip, "The address on the host. Default: loopback."),
        Field::new("protocol", Ty::Choice(&["tcp", "udp", "http"]), "What it speaks. Default: tcp."),
        Field::new("name", Ty::Name, "Its name, for `${endpoint.SERVICE.NAME}`."),
    ],
};

static VOLUME: Table = Table {
    name: "volume",
    doc: "A mount of a container.",
    fields: &[
        Field::new(
            "source",
            Ty::Text,
            "A path of the host, or the name of a volume; without it one that goes with the container.",
        ),
        Field::new("target", Ty::Text, "The absolute path inside the container.").required(),
        Field::new("readOnly", Ty::Bool, "Whether the container may only read it. Default: false."),
    ],
};

static DEPENDENCY: Table = Table {
    name: "dependency",
    doc: "What must be there before the service starts.",
    fields: &[
        Field::new("target", Ty::Name, "The service it depends on.").required(),
        Field::new(
            "require",
            Ty::Choice(&["exists", "started", "ready", "completed"]),
            "What is asked of it. Default: ready.",
        ),
        Field::new("timeout", Ty::Duration, "After this long a wait is reported as blocked. Default: 5m."),
        Field::new(
            "onFailure",
            Ty::Choice(&["ignore", "restart", "stop"]),
            "What happens when it stops being ready later. Default: ignore.",
        ),
    ],
};

static HEALTH: Table = Table {
    name: "check",
    doc: "Probes, and how their verdicts count. Probes that are registered under other names are possible too.",
    fields: &[
        Field::new("gracePeriod", Ty::Duration, "Failures do not count before this; a success does. Default: 5s."),
        Field::new("interval", Ty::Duration, "Time between rounds. Default: 2s."),
        Field::new("timeout", Ty::Duration, "The time one probe may take. Default: 1s."),
        Field::new("successThreshold", Ty::Int(1, 1_000), "Passes in a row that make it ready. Default: 1."),
        Field::new("failureThreshold", Ty::Int(1, 1_000), "Failures in a row that make it unready. Default: 3."),
        Field::new("startTimeout", Ty::Duration, "Not ready by then: the start has failed. Default: 5m."),
        Field::new("http", Ty::Table(&HTTP), "Asks over HTTP."),
        Field::new("tcp", Ty::Table(&TCP), "Connects."),
        Field::new("cmd", Ty::Table(&CMD), "Runs a command; exit code 0 passes."),
        Field::new("log", Ty::Table(&LOG), "Waits for a pattern in the instance's output."),
        Field::new(
            "expression",
            Ty::Text,
            "How the probes are joined: their names with `||`, `&&`, `!` and parentheses. Without it all must hold.",
        ),
    ],
};

static HTTP: Table = Table {
    name: "http probe",
    doc: "Asks over HTTP.",
    fields: &[
        Field::new("url", Ty::Url, "What to ask: `http://host:port/path`."),
        Field::new("path", Ty::Template, "Or the path alone. Default: `/`."),
        Field::new("port", Ty::ProbePort, "And the port the program listens on. Default: the first it publishes."),
        Field::new("scheme", Ty::Choice(&["http", "https"]), "And the scheme. Default: http."),
        Field::new("expectStatus", Ty::OneOrMany(&Ty::Status), "Statuses that pass. Default: 200-399."),
        Field::new(
            "method",
            Ty::Choice(&["GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH", "DELETE"]),
            "The method. Default: GET.",
        ),
        Field::new("headers", Ty::Map(&Ty::Template), "Headers of the request."),
        Field::new("expectBody", Ty::Text, "A text that the body must contain."),
    ],
};

static TCP: Table = Table {
    name: "tcp probe",
    doc: "Connects.",
    fields: &[
        Field::new("address", Ty::Address, "Where to: `host:port`."),
        Field::new("port", Ty::ProbePort, "Or the port the program listens on. Default: the first it publishes."),
    ],
};

static CMD: Table = Table {
    name: "cmd probe",
    doc: "Runs a command beside the process, or inside the container, where each run costs the container engine about 46 ms (and Podman a process of its own for five minutes, unless containers.conf has another `exit_command_delay`): prefer http or tcp.",
    fields: &[
        Field::new("command", Ty::Command, "What to run.").required(),
        Field::new("shell", Ty::Bool, "Run it, one text, with `/bin/sh -c`."),
        Field::new("timeout", Ty::Duration, "The time it may take, if other than the check's."),
    ],
};

static LOG: Table = Table {
    name: "log probe",
    doc: "Waits for a pattern in the instance's own output; once seen it passes for good.",
    fields: &[
        Field::new("pattern", Ty::Regex, "A regular expression.").required(),
        Field::new("sources", Ty::OneOrMany(&Ty::Choice(&["stdout", "stderr"])), "Where to look. Default: both."),
        Field::new(
            "levels",
            Ty::OneOrMany(&Ty::Choice(&["trace", "debug", "info", "warn", "error", "fatal"])),
            "At which levels. Default: all.",
        ),
        Field::new("count", Ty::Int(1, 1_000_000), "How many lines must match. Default: 1."),
    ],
};

/// The keys of a check that are no probes.
pub(super) const HEALTH_KEYS: [&str; 7] =
    ["gracePeriod", "interval", "timeout", "successThreshold", "failureThreshold", "startTimeout", "expression"];
