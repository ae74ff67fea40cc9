//! The fields of a service that say how its instances live: how they end, are tried again, limited and replaced.

use super::table::{Field, Table, Ty};

pub(super) static RESTART: Table = Table {
    name: "restart policy",
    doc: "When an ended instance is tried again.",
    fields: &[
        Field::new(
            "condition",
            Ty::Choice(&["always", "on-failure", "never"]),
            "Default: `always`, for a oneshot `on-failure`.",
        ),
        Field::new("maxRetries", Ty::Retries, "How often, or `unlimited`. Default: 5."),
        Field::new("backoff", Ty::Table(&BACKOFF), "With which delays."),
        Field::new("resetAfter", Ty::Duration, "Running and ready this long, the count starts again. Default: 60s."),
        Field::new("successExitCodes", Ty::OneOrMany(&Ty::Int(0, 255)), "Exit codes that are no failure. Default: 0."),
        Field::new(
            "noRestartExitCodes",
            Ty::OneOrMany(&Ty::Int(0, 255)),
            "Exit codes after which there is no other try.",
        ),
    ],
};

static BACKOFF: Table = Table {
    name: "backoff",
    doc: "The delays between tries.",
    fields: &[
        Field::new("min", Ty::Duration, "The shortest. Default: 1s."),
        Field::new("max", Ty::Duration, "The longest. Default: 30s."),
        Field::new("factor", Ty::Factor, "Growth from try to try, at least 1. Default: 2.0."),
    ],
};

pub(super) static STOP: Table = Table {
    name: "stop",
    doc: "How an instance is asked to end.",
    fields: &[
        Field::new("signal", Ty::Signal, "The signal, by name or number. Default: SIGTERM."),
        Field::new("timeout", Ty::Duration, "After this long the whole tree is killed. Default: 10s."),
    ],
};

pub(super) static HOOKS: Table = Table {
    name: "hooks",
    doc: "Commands at the turning points of an instance's life.",
    fields: &[
        Field::new("preStart", Ty::Table(&HOOK), "Before every spawn; its failure is a failed start."),
        Field::new("postStart", Ty::Table(&HOOK), "Once the process exists."),
        Field::new("preStop", Ty::Table(&HOOK), "Before the stop signal."),
        Field::new("postStop", Ty::Table(&HOOK), "After the exit."),
    ],
};

static HOOK: Table = Table {
    name: "hook",
    doc: "A command at a turning point.",
    fields: &[
        Field::new("command", Ty::Command, "What to run.").required(),
        Field::new("shell", Ty::Bool, "Run it, one text, with `/bin/sh -c`."),
        Field::new("timeout", Ty::Duration, "After this long its tree is killed. Default: 10s."),
    ],
};

pub(super) static RESOURCES: Table = Table {
    name: "resources",
    doc: "Limits of an instance.",
    fields: &[
        Field::new("cpu", Ty::Cpu, "A share of processors: `500m`, `0.5`, `2`."),
        Field::new("memory", Ty::Size, "The most memory."),
        Field::new("memoryReservation", Ty::Size, "The memory that is set aside."),
        Field::new("pids", Ty::Int(1, 4_194_304), "The most processes and threads. Default for containers: 512."),
    ],
};

pub(super) static UPDATE: Table = Table {
    name: "update",
    doc: "How a changed service is replaced.",
    fields: &[
        Field::new("strategy", Ty::Choice(&["rolling", "canary", "blueGreen", "recreate"]), "Default: rolling."),
        Field::new("maxUnavailable", Ty::Amount, "How many may be missing; a percentage rounds down. Default: 0."),
        Field::new(
            "maxSurge",
            Ty::Amount,
            "How many more there may be; a percentage rounds up. Default: 1 where a second instance can have a port of its own, else 0.",
        ),
        Field::new("minReady", Ty::Duration, "Ready this long before it counts. Default: 0s."),
        Field::new("progressDeadline", Ty::Duration, "Without progress for this long it has failed. Default: 10m."),
        Field::new("promoteAfter", Ty::Duration, "A canary is promoted by itself after this long."),
        Field::new("abortAfterFailures", Ty::Int(1, 1_000), "So many failures undo it. Default: 1."),
        Field::new("observationWindow", Ty::Duration, "How long it is watched after the last replica."),
        Field::new("canary", Ty::Table(&CANARY), "Of the strategy `canary`."),
        Field::new("blueGreen", Ty::Table(&BLUE_GREEN), "Of the strategy `blueGreen`."),
    ],
};

static CANARY: Table = Table {
    name: "canary",
    doc: "A canary's size.",
    fields: &[
        Field::new("replicas", Ty::Int(1, 1_000), "Replicas of the new revision. Default: 1."),
        Field::new("weight", Ty::Percent, "Their share of the traffic."),
    ],
};

static BLUE_GREEN: Table = Table {
    name: "blueGreen",
    doc: "Blue/green timings.",
    fields: &[
        Field::new("drainTimeout", Ty::Duration, "How long old requests may take. Default: 30s."),
        Field::new("rollbackWindow", Ty::Duration, "How long the old set stays. Default: 1m."),
        Field::new("switch", Ty::Choice(&["ports"]), "What is switched. Default: ports."),
    ],
};
