//! What differs between engines behind the same API: the only place that knows what Podman does otherwise than Docker.
//!
//! Seen with Podman 4.3; later ones have mended some of it, and none of what is done here harms them. Where texts tell it
//! by themselves, nobody is asked which engine it is.

use super::looks::Status;

/// Whose manners an engine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Manners {
    #[default]
    Docker,
    Podman,
}

impl Manners {
    /// Whether an answer with output begins only with the first output: it is not late before.
    pub(crate) const fn answers_with_output(self) -> bool {
        matches!(self, Self::Podman)
    }

    /// Whether output is to be read from its file where that is possible, for its answers tear lines.
    pub(crate) const fn tears_lines(self) -> bool {
        matches!(self, Self::Podman)
    }

    /// Whether it knows `host-gateway` for the host's address in a container's network. Podman 4.3 writes these very
    /// letters into the container's `hosts`.
    pub(crate) const fn knows_the_host(self) -> bool {
        matches!(self, Self::Docker)
    }

    /// Whether it keeps several files of output, and lets one say how many.
    pub(crate) const fn keeps_files(self) -> bool {
        matches!(self, Self::Docker)
    }

    /// How a container is made without a variable of its image. A name alone would have the value that Podman's own
    /// process has for it; empty is the least that Podman can do.
    pub(crate) fn without(self, variable: &str) -> String {
        match self {
            Self::Docker => variable.to_owned(),
            Self::Podman => format!("{variable}="),
        }
    }

    /// What is listened to: the end, want of memory, the removal. Podman tells some of them by Docker's names, but finds
    /// them by its own alone.
    pub(crate) const fn events(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &["die", "oom", "destroy"],
            Self::Podman => &["die", "died", "oom", "destroy", "remove"],
        }
    }

    /// How long a removal by force waits between the stop signal and the kill, in seconds. Docker does not wait.
    pub(crate) const fn stop_timeout(self) -> Option<i64> {
        match self {
            Self::Docker => None,
            Self::Podman => Some(0),
        }
    }
}

/// What Podman's errors end with, and the status that says so. It has 500 for all of them.
const CAUSES: &[(&str, u16)] = &[
    (": no such container", 404),
    (": no such exec session", 404),
    (": no such volume", 404),
    (": network not found", 404),
    (": image not known", 404),
    (": that name is already in use", 409),
    (": network already exists", 409),
    (": volume already exists", 409),
    (": container is stopped", 409),
];

/// The status that an answer should have had.
pub(super) fn status(code: u16, message: &str) -> u16 {
    if code != 500 {
        return code;
    }
    // Of a signal to what has ended, for instance. More words may follow.
    if message.contains("container state improper") {
        return 409;
    }
    CAUSES.iter().find(|(cause, _)| message.ends_with(cause)).map_or(code, |(_, status)| *status)
}

/// A container's state by its name. Podman has more of them; `stopped` has ended and is not cleared up yet.
pub(super) fn state(name: &str, running: Option<bool>) -> Status {
    match name {
        "created" | "configured" | "initialized" => Status::Created,
        "exited" | "stopped" | "dead" | "removing" => Status::Over,
        "running" | "paused" | "restarting" | "stopping" => Status::Alive,
        // One of a later engine.
        _ if running == Some(false) => Status::Over,
        _ => Status::Alive,
    }
}

/// What Docker puts into a command's output when the command could not be started.
const NOT_STARTED: [&str; 2] = ["OCI runtime exec failed", "exec failed"];
/// How Podman's line ends then.
const NOT_STARTED_CAUSES: [&str; 3] = [
    ": OCI runtime attempted to invoke a command that was not found",
    ": OCI permission denied",
    ": OCI runtime error",
];

/// Why a command inside a container was not started, if its code and output are the engine's own.
pub(crate) fn not_started(code: i64, output: &[u8]) -> Option<String> {
    if !matches!(code, 125..=127) {
        return None;
    }
    let text = String::from_utf8_lossy(output);
    let line = text.lines().next().unwrap_or_default();
    if let Some(said) = line.strip_prefix("Error: ").filter(|said| NOT_STARTED_CAUSES.iter().any(|c| said.ends_with(c)))
    {
        return Some(said.to_owned());
    }
    let docker = code != 125 && NOT_STARTED.iter().any(|start| text.starts_with(start));
    docker.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_podman_means_by_500() {
        let table = [
            (500, "container 55 does not exist in database: no such container", 404),
            (404, "no container with name or ID \"i1\" found: no such container", 404),
            (500, "the container name \"x1\" is already in use by 10. You have to …: that name is already in use", 409),
            (500, "can only kill running containers. f9 is in state exited: container state improper", 409),
            (500, "container state improper: stopped", 409),
            (500, "runc: exec: \"x\": permission denied: OCI permission denied", 500),
            (500, "no such container: but that is not how it ends", 500),
            (400, "what Docker says: no such container", 400),
            (500, "", 500),
        ];
        for (code, message, meant) in table {
            assert_eq!(status(code, message), meant, "{message}");
        }
    }

    #[test]
    fn states_of_both_and_of_later_ones() {
        use Status::{Alive, Created, Over};
        let table = [("created", Created), ("initialized", Created), ("running", Alive), ("paused", Alive)];
        let more = [("stopping", Alive), ("stopped", Over), ("exited", Over), ("removing", Over), ("dead", Over)];
        for (name, want) in table.into_iter().chain(more) {
            for running in [None, Some(true), Some(false)] {
                assert_eq!(state(name, running), want, "{name}");
            }
        }
        assert_eq!([None, Some(true), Some(false)].map(|running| state("levitating", running)), [Alive, Alive, Over]);
    }

    #[test]
    fn whose_words_a_commands_output_is() {
        let docker =
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \"x\": not found\r\n";
        let podman = "Error: runc: exec failed: unable to start container process: exec: \"x\": stat x: no such file or \
                      directory: OCI runtime attempted to invoke a command that was not found\nError: read unixpacket\n";
        for text in [docker, podman] {
            let why = not_started(127, text.as_bytes()).unwrap_or_default();
            assert!(why.contains("unable to start container process") && !why.contains("read unixpacket"), "{why}");
            assert_eq!(not_started(1, text.as_bytes()), None);
        }
        for own in ["", "Error: I am the program\n", "exec of the third kind failed", "/bin/sh: x: not found\n"] {
            assert_eq!(not_started(127, own.as_bytes()), None, "{own}");
        }
    }
}
