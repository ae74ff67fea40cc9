//! What a failed pull means: wait and try again, or a fault of the service.

use std::time::Duration;

/// What the engine said when a pull failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The engine could not be asked: why.
    Engine(String),
    /// It answered with this status and these words.
    Answered(u16, String),
    /// It answered 200, and these words came among the lines of the pull.
    Said(String),
    /// Nothing has come for so long.
    Silent(Duration),
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

/// The engine hands on what the registry and the network said, as words alone: they are all there is to judge by.
pub(super) fn judge(trouble: &Trouble) -> Fault {
    match trouble {
        Trouble::Engine(why) => Fault::Passing(why.clone()),
        Trouble::Silent(time) => Fault::Passing(format!("nothing has come for {} s", time.as_secs_f32().round())),
        Trouble::Said(words) => by_words(words).unwrap_or_else(|| Fault::Passing(words.clone())),
        Trouble::Answered(status, words) => by_words(words).unwrap_or_else(|| match status {
            400..=404 => Fault::Lasting(Lasting::AbsentOrDenied, words.clone()),
            _ => Fault::Passing(format!("the engine answers {status}: {words}")),
        }),
    }
}

/// Passing faults come first: their words quote addresses, in which an image may be called as it likes.
fn by_words(words: &str) -> Option<Fault> {
    let low = words.to_lowercase();
    let has = |list: &[&str]| list.iter().any(|w| low.contains(w));
    let passing = |what: &str| Some(Fault::Passing(format!("{what} ({words})")));
    let lasting = |what: Lasting| Some(Fault::Lasting(what, words.to_owned()));
    if has(&["no space left on device", "disk quota exceeded"]) {
        return passing("the engine's disk is full");
    }
    if has(&["toomanyrequests", "too many requests", "rate limit"]) {
        return passing("the registry wants fewer pulls");
    }
    if has(&["http response to https client", "x509: ", "tls: failed to verify"]) {
        return lasting(Lasting::Registry);
    }
    if has(NETWORK) || low.ends_with(": eof") || low == "eof" {
        return passing("the registry cannot be reached");
    }
    if has(&["unexpected http status: 5", "internal server error", "bad gateway", "service unavailable"]) {
        return passing("the registry is in trouble");
    }
    if has(PLATFORM) {
        return lasting(Lasting::Platform);
    }
    if has(ABSENT) {
        return lasting(Lasting::AbsentOrDenied);
    }
    has(&["unsupported schema", "unsupported media type", "unsupported manifest"])
        .then(|| Fault::Lasting(Lasting::Registry, words.to_owned()))
}

const NETWORK: &[&str] = &[
    "connection refused",
    "connection reset",
    "broken pipe",
    "i/o timeout",
    "tls handshake timeout",
    "deadline exceeded",
    "client.timeout",
    "no such host",
    "server misbehaving",
    "temporary failure in name resolution",
    "network is unreachable",
    "no route to host",
    "unexpected eof",
    "use of closed network connection",
    "proxyconnect",
];

const PLATFORM: &[&str] = &[
    "no matching manifest",
    "no image found in manifest list",
    "no image found in image index",
    "does not match the specified platform",
    "does not provide the specified platform",
    "cannot be used on this platform",
];

const ABSENT: &[&str] = &[
    "manifest unknown",
    "name unknown",
    "blob unknown",
    "unknown blob",
    "no such image",
    "not found",
    "does not exist",
    "access denied",
    "access to the resource is denied",
    "denied: ",
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
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
            (404, "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", Some(AbsentOrDenied)),
            (404, "manifest for 127.0.0.1:5000/a:2 not found: manifest unknown: manifest unknown", Some(AbsentOrDenied)),
            (500, "Get \"http://127.0.0.1:5000/v2/a/manifests/1\": no basic auth credentials", Some(AbsentOrDenied)),
            (500, "unauthorized: authentication required", Some(AbsentOrDenied)),
            (500, "Head \"https://r.example/v2/a/manifests/1\": unauthorized: incorrect username or password", Some(AbsentOrDenied)),
            (404, "no matching manifest for linux/amd64 in the manifest list entries", Some(Platform)),
            (200, "no matching manifest for linux/arm64/v8 in the manifest list entries", Some(Platform)),
            (500, "Error choosing an image from manifest list: no image found in manifest list for architecture arm64", Some(Platform)),
            (400, "invalid reference format", Some(AbsentOrDenied)),
            (404, "", Some(AbsentOrDenied)),
            (500, "Get \"https://h:5000/v2/\": http: server gave HTTP response to HTTPS client", Some(Registry)),
            (500, "Get \"https://h/v2/\": x509: certificate signed by unknown authority", Some(Registry)),
            (500, "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused", None),
            (500, "Get \"http://h/v2/unauthorized/manifests/1\": dial tcp 127.0.0.1:5000: connect: connection refused", None),
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
            let words = (*words).to_owned();
            let trouble =
                if *status == 200 { Trouble::Said(words.clone()) } else { Trouble::Answered(*status, words.clone()) };
            match (judge(&trouble), lasting) {
                (Fault::Lasting(is, _), Some(wanted)) => assert_eq!(is, *wanted, "{words}"),
                (Fault::Passing(why), None) => assert!(why.contains(&words), "{why}"),
                (other, _) => panic!("{words}: {other:?}"),
            }
        }
        assert_eq!(
            judge(&Trouble::Silent(Duration::from_secs(60))),
            Fault::Passing("nothing has come for 60 s".into())
        );
    }
}
