//! What a failed pull means: wait and try again, or a fault of the service.

use std::time::Duration;

use crate::engine::{EngineError, Kind};

/// Why a pull has failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// The engine said so, or could not be asked. A status of 200: it came among the lines of the pull.
    Engine(EngineError),
    /// Nothing has come for so long.
    Silent(Duration),
    /// It ended well, and the image is not there.
    Nothing,
}

/// What follows from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Of the environment: it may be over later.
    Passing(String),
    /// Of the image's name, the registry's content or the right to have it.
    Lasting(Lasting, String),
}

/// A fault that stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lasting {
    /// Registries answer the same to both on purpose.
    AbsentOrDenied,
    Platform,
    /// The registry cannot be used as it is set up.
    Registry,
}

/// What the trouble means. The engine hands on what the registry and the network said, as words alone: they are all
/// there is to judge by.
pub(super) fn judge(trouble: &Trouble) -> Fault {
    match trouble {
        Trouble::Silent(time) => {
            Fault::Passing(format!("nothing has come for {} s", (time.as_secs_f64() * 10.0).round() / 10.0))
        }
        Trouble::Nothing => Fault::Passing("the engine says that all went well, and does not have it".to_owned()),
        Trouble::Engine(EngineError::Status { code, message, .. }) => by_words(message).unwrap_or_else(|| match code {
            400..=404 => Fault::Lasting(Lasting::AbsentOrDenied, message.clone()),
            200 => Fault::Passing(message.clone()),
            _ => Fault::Passing(format!("the engine answered {code}: {message}")),
        }),
        Trouble::Engine(
            error @ (EngineError::NotFound(_)
            | EngineError::Unreachable { .. }
            | EngineError::Denied { .. }
            | EngineError::NoAnswer { .. }
            | EngineError::Version { .. }
            | EngineError::Broken { .. }),
        ) => Fault::Passing(error.to_string()),
    }
}

fn by_words(words: &str) -> Option<Fault> {
    let low = words.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|w| low.contains(w));
    let passing = |what: &str| Some(Fault::Passing(format!("{what} ({words})")));
    let lasting = |what: Lasting| Some(Fault::Lasting(what, words.to_owned()));
    if has(SETUP) {
        return lasting(Lasting::Registry);
    }
    match Kind::of(words) {
        Some(Kind::NoSpace) => return passing("the engine's disk is full"),
        Some(Kind::RateLimited) => return passing("the registry wants fewer pulls"),
        Some(Kind::Network) => return passing("the registry cannot be reached"),
        Some(Kind::NoPlatform) => return lasting(Lasting::Platform),
        Some(Kind::AccessDenied | Kind::NoImage) => return lasting(Lasting::AbsentOrDenied),
        // Not of pulls: only the same words in another place.
        Some(
            Kind::PortTaken(_)
            | Kind::NameTaken
            | Kind::NoAddresses
            | Kind::NoInit
            | Kind::CannotExecute
            | Kind::ApiVersion,
        )
        | None => {}
    }
    // In a pull these words mean more than elsewhere. What passes comes first: it quotes addresses, in which an image
    // may be called as it likes.
    if has(NETWORK) || low.ends_with(": eof") || low == "eof" {
        passing("the registry cannot be reached")
    } else if has(&["unexpected http status: 5", "internal server error"]) {
        passing("the registry is in trouble")
    } else if has(&["rate limit"]) {
        passing("the registry wants fewer pulls")
    } else if has(PLATFORM) {
        lasting(Lasting::Platform)
    } else if has(ABSENT) {
        lasting(Lasting::AbsentOrDenied)
    } else {
        None
    }
}

const SETUP: &[&str] = &[
    "http response to https client",
    "x509: ",
    "tls: failed to verify",
    "unsupported schema",
    "unsupported media type",
    "unsupported manifest",
];

const NETWORK: &[&str] = &[
    "broken pipe",
    "deadline exceeded",
    "client.timeout",
    "server misbehaving",
    "no route to host",
    "use of closed network connection",
    "proxyconnect",
];

const PLATFORM: &[&str] =
    &["no image found in manifest list", "no image found in image index", "cannot be used on this platform"];

const ABSENT: &[&str] = &[
    "not found",
    "does not exist",
    "blob unknown",
    "unknown blob",
    "access denied",
    "denied: ",
    "unauthorized",
    "incorrect username or password",
    "invalid username/password",
    "forbidden",
    "invalid reference format",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_engines_and_registries() {
        use Lasting::{AbsentOrDenied, Platform, Registry};
        let table: &[(u16, &str, Option<Lasting>)] = &[
            (
                404,
                "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                Some(AbsentOrDenied),
            ),
            (
                404,
                "manifest for 127.0.0.1:5000/a:2 not found: manifest unknown: manifest unknown",
                Some(AbsentOrDenied),
            ),
            (500, "Get \"http://127.0.0.1:5000/v2/a/manifests/1\": no basic auth credentials", Some(AbsentOrDenied)),
            (500, "unauthorized: authentication required", Some(AbsentOrDenied)),
            (
                500,
                "Head \"https://r.example/v2/a/manifests/1\": unauthorized: incorrect username or password",
                Some(AbsentOrDenied),
            ),
            (404, "no matching manifest for linux/amd64 in the manifest list entries", Some(Platform)),
            (200, "no matching manifest for linux/arm64/v8 in the manifest list entries", Some(Platform)),
            (
                500,
                "Error choosing an image from manifest list: no image found in manifest list for architecture arm64",
                Some(Platform),
            ),
            (400, "invalid reference format", Some(AbsentOrDenied)),
            (404, "", Some(AbsentOrDenied)),
            (500, "Get \"https://h:5000/v2/\": http: server gave HTTP response to HTTPS client", Some(Registry)),
            (500, "Get \"https://h/v2/\": x509: certificate signed by unknown authority", Some(Registry)),
            (500, "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused", None),
            (
                500,
                "Get \"http://h/v2/unauthorized/manifests/1\": dial tcp 127.0.0.1:5000: connect: connection refused",
                None,
            ),
            (500, "Get \"https://nosuch.example/v2/\": dial tcp: lookup nosuch.example: no such host", None),
            (500, "Get \"http://127.0.0.1:5000/v2/\": EOF", None),
            (500, "received unexpected HTTP status: 503 Service Unavailable", None),
            (200, "unexpected EOF", None),
            (200, "write /var/lib/x/tmp/GetImageBlob1: no space left on device", None),
            (200, "toomanyrequests: You have reached your pull rate limit", None),
            (429, "slow down", None),
            (500, "something new", None),
            (200, "something new", None),
            (200, "filesystem layer verification failed for digest sha256:12", None),
        ];
        for (status, words, lasting) in table {
            let message = (*words).to_owned();
            let trouble = Trouble::Engine(EngineError::Status { code: *status, message, what: "pull a".into() });
            match (judge(&trouble), lasting) {
                (Fault::Lasting(is, _), Some(wanted)) => assert_eq!(is, *wanted, "{words}"),
                (Fault::Passing(why), None) => assert!(why.contains(words), "{why}"),
                (other, _) => panic!("{words}: {other:?}"),
            }
        }
        assert_eq!(
            judge(&Trouble::Silent(Duration::from_secs(60))),
            Fault::Passing("nothing has come for 60 s".into())
        );
    }
}
