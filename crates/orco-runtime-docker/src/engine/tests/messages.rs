//! Real texts of engines, and what they mean.

use super::super::{Call, Certainty, EngineError, Kind};

fn refusal(code: u16, message: &str) -> EngineError {
    EngineError::Status { code, message: message.to_owned(), what: Call::from("start web-0") }
}

use Kind::{
    AccessDenied, ApiVersion, CannotExecute, NameTaken, Network, NoAddresses, NoImage, NoInit, NoPlatform, NoSpace,
    PortTaken, RateLimited,
};

/// Status (200: inside a stream), text, meaning, whether it is the engine's trouble.
const CASES: &[(u16, &str, Option<Kind>, bool)] = &[
    // Docker 20.10, start.
    (
        500,
        "driver failed programming external connectivity on endpoint web (0f3c): Bind for 127.0.0.1:8080 failed: port is already allocated",
        Some(PortTaken(Some(8080))),
        true,
    ),
    (
        500,
        "driver failed programming external connectivity on endpoint web (0f3c): Error starting userland proxy: listen tcp4 127.0.0.1:18080: bind: address already in use",
        Some(PortTaken(Some(18080))),
        true,
    ),
    (
        500,
        "driver failed programming external connectivity on endpoint web (0f3c): Error starting userland proxy: listen tcp6 [::1]:18080: bind: address already in use",
        Some(PortTaken(Some(18080))),
        true,
    ),
    (500, "unable to find user nobodyhere: no matching entries in passwd file", Some(CannotExecute), false),
    (500, "unable to find group staff2: no matching entries in group file", Some(CannotExecute), false),
    // Docker 28.
    (
        500,
        "failed to set up container networking: driver failed programming external connectivity on endpoint web (0f3c): failed to bind host port 127.0.0.1:8080/tcp: address already in use",
        Some(PortTaken(Some(8080))),
        true,
    ),
    (
        500,
        "failed to set up container networking: driver failed programming external connectivity on endpoint web (0f3c): failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
        Some(PortTaken(Some(8080))),
        true,
    ),
    // Docker Desktop, Podman.
    (
        500,
        "Ports are not available: exposing port TCP 127.0.0.1:8080 -> 0.0.0.0:0: listen tcp 127.0.0.1:8080: bind: address already in use",
        Some(PortTaken(Some(8080))),
        true,
    ),
    (
        500,
        "cannot listen on the TCP port: listen tcp4 :8080: bind: address already in use",
        Some(PortTaken(Some(8080))),
        true,
    ),
    (500, "rootlessport listen tcp 0.0.0.0:8080: bind: address already in use", Some(PortTaken(Some(8080))), true),
    (500, "address already in use", Some(PortTaken(None)), true),
    // A full disk, wherever it is noticed.
    (
        500,
        "failed to register layer: Error processing tar file(exit status 1): write /bin/sh: no space left on device",
        Some(NoSpace),
        true,
    ),
    (200, "write /var/lib/docker/tmp/GetImageBlob9: no space left on device", Some(NoSpace), true),
    (
        500,
        "OCI runtime create failed: container_linux.go:380: starting container process caused: mkdir /run/x: no space left on device: unknown",
        Some(NoSpace),
        true,
    ),
    // Names.
    (
        409,
        "Conflict. The container name \"/web\" is already in use by container \"4c01db0b339c\". You have to remove (or rename) that container to be able to reuse that name.",
        Some(NameTaken),
        true,
    ),
    (
        409,
        "creating container storage: the container name \"web\" is already in use by 4c01. You have to remove that container to be able to reuse that name: that name is already in use",
        Some(NameTaken),
        true,
    ),
    (409, "Container 4c01 is not running", None, false),
    (409, "removal of container web is already in progress", None, false),
    (409, "network with name orco-1 already exists", None, false),
    (
        404,
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        Some(NoAddresses),
        true,
    ),
    (400, "all predefined address pools have been fully subnetted", Some(NoAddresses), true),
    // Images.
    (404, "No such image: nope:1", Some(NoImage), false),
    (
        404,
        "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        Some(AccessDenied),
        false,
    ),
    (500, "Get \"https://localhost:5000/v2/a/manifests/1\": no basic auth credentials", Some(AccessDenied), false),
    (
        500,
        "Head \"https://localhost:5000/v2/a/manifests/1\": unauthorized: authentication required",
        Some(AccessDenied),
        false,
    ),
    (404, "manifest for localhost:5000/a:9 not found: manifest unknown: manifest unknown", Some(NoImage), false),
    (404, "no matching manifest for linux/arm64/v8 in the manifest list entries", Some(NoPlatform), false),
    (200, "no matching manifest for linux/amd64 in the manifest list entries", Some(NoPlatform), false),
    (
        404,
        "image with reference a:1 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64",
        Some(NoPlatform),
        false,
    ),
    (
        500,
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
        Some(RateLimited),
        true,
    ),
    (
        500,
        "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: no such host",
        Some(Network),
        true,
    ),
    (500, "Get \"http://localhost:5000/v2/\": dial tcp [::1]:5000: connect: connection refused", Some(Network), true),
    (
        500,
        "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        Some(Network),
        true,
    ),
    (500, "Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout", Some(Network), true),
    (200, "unexpected EOF", Some(Network), true),
    (
        500,
        "failed to resolve reference \"localhost:5000/a:1\": failed to do request: Head \"http://localhost:5000/v2/a/manifests/1\": dial tcp 127.0.0.1:5000: connect: connection refused",
        Some(Network),
        true,
    ),
    // The service's own faults, whatever their status.
    (
        400,
        "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: \"nope\": executable file not found in $PATH: unknown",
        Some(CannotExecute),
        false,
    ),
    // Podman 4.3.
    (
        500,
        "runc: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found",
        Some(CannotExecute),
        false,
    ),
    (
        500,
        "runc: runc create failed: unable to start container process: error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted: OCI permission denied",
        Some(CannotExecute),
        false,
    ),
    (404, "no such image: localhost/orco-test/busybox:1: image not known", Some(NoImage), false),
    (
        500,
        "container create: creating container storage: the container name \"q1\" is already in use by f113. You have to remove that container to be able to reuse that name: that name is already in use",
        Some(NameTaken),
        true,
    ),
    (
        400,
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
        Some(CannotExecute),
        false,
    ),
    (
        500,
        "OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: not a directory: unknown",
        Some(CannotExecute),
        false,
    ),
    (400, "invalid mount config for type \"bind\": bind source path does not exist: /nope", None, false),
    (404, "No such container: web", None, false),
    (
        400,
        "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
        Some(ApiVersion),
        true,
    ),
    // Without an init; one that is no program.
    (
        500,
        "container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit: no such file or directory",
        Some(NoInit),
        false,
    ),
    (
        500,
        "runc: runc create failed: unable to start container process: exec: \"/run/podman-init\": permission denied: OCI permission denied",
        Some(NoInit),
        false,
    ),
    (
        500,
        "failed to create task for container: exec: \"docker-init\": executable file not found in $PATH",
        Some(NoInit),
        false,
    ),
    // Whatever else: 5xx is the engine's, 4xx is ours.
    (500, "context deadline exceeded", None, true),
    (500, "devmapper: error", None, true),
    (503, "", None, true),
    (400, "invalid reference format", None, false),
];

#[test]
fn real_texts_are_told_apart() {
    for (code, text, kind, trouble) in CASES {
        let error = refusal(*code, text);
        assert_eq!(error.kind(), *kind, "{text}");
        assert_eq!(error.is_engine_trouble(), *trouble, "{text}");
        assert_eq!(error.status(), Some(*code));
        let said = error.to_string();
        assert!(said.contains("start web-0") || matches!(kind, Some(PortTaken(_))), "{said}");
    }
}

#[test]
fn what_the_contract_is_told() {
    for (code, text, kind, trouble) in CASES {
        let error = refusal(*code, text);
        let certain = error.happened() == Certainty::No;
        let told = error.clone().into_runtime();
        assert_eq!(told.is_certain(), certain, "{text}");
        assert_eq!(told.is_unavailable(), certain && *trouble, "{text}");
        let port = if let Some(PortTaken(port)) = kind { *port } else { None };
        assert_eq!(told.taken_port(), port, "{text}");
        let repeatable = error.into_runtime_repeatable();
        assert_eq!((repeatable.is_unavailable(), repeatable.is_certain()), (*trouble, certain), "{text}");
    }
    // A failure whose cause nobody knows may have happened.
    assert!(!refusal(500, "devmapper: error").into_runtime().is_certain());
}
