//! The objects of a container engine that carry a label.

use std::{io, time::Duration};

use serde_json::Value;

use super::{
    http::{Answer, ask},
    label::Label,
    order::EngineHost,
};

/// What there is. In this order it can be removed: nothing goes that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Container,
    Network,
    Volume,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Container, Self::Network, Self::Volume];

    const fn list(self) -> &'static str {
        match self {
            Self::Container => "/containers/json?all=1&filters=",
            Self::Network => "/networks?filters=",
            Self::Volume => "/volumes?filters=",
        }
    }

    /// By what the engine knows one.
    const fn id(self) -> &'static str {
        match self {
            Self::Container | Self::Network => "Id",
            Self::Volume => "Name",
        }
    }

    fn object(self, id: &str) -> String {
        let id = encoded(id);
        match self {
            Self::Container => format!("/containers/{id}?force=1&v=1"),
            Self::Network => format!("/networks/{id}"),
            Self::Volume => format!("/volumes/{id}"),
        }
    }
}

/// What became of an attempt to remove one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Removed {
    /// It is gone.
    Gone,
    /// The engine says no: it is in use, or another is at it.
    Refused,
    /// The engine does not say, or is in trouble.
    Unknown,
}

/// All that carry exactly this label.
pub(super) fn list(host: &EngineHost, kind: Kind, label: Label<'_>, patience: Duration) -> io::Result<Vec<String>> {
    let filter = serde_json::json!({ "label": [format!("{}={}", label.name, label.value)] });
    let answer = ask(host, "GET", &format!("{}{}", kind.list(), encoded(&filter.to_string())), patience)?;
    if answer.status != 200 {
        return Err(io::Error::other(said(&answer)));
    }
    ours(&answer.body, kind, label)
}

/// Those among the listed that carry the label: an engine that does not know a filter may list everything.
fn ours(body: &[u8], kind: Kind, label: Label<'_>) -> io::Result<Vec<String>> {
    let value: Value = serde_json::from_slice(body)?;
    let listed = match kind {
        Kind::Container | Kind::Network => &value,
        Kind::Volume => &value["Volumes"],
    };
    let listed = match listed {
        Value::Array(listed) => listed.as_slice(),
        // Where there are none.
        Value::Null => &[],
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let carries = |object: &&Value| object["Labels"].get(label.name).and_then(Value::as_str) == Some(label.value);
    let id = |object: &Value| object[kind.id()].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(listed.iter().filter(carries).filter_map(id).collect())
}

/// Removes one.
pub(super) fn remove(host: &EngineHost, kind: Kind, id: &str, patience: Duration) -> Removed {
    match ask(host, "DELETE", &kind.object(id), patience).map(|answer| answer.status) {
        Ok(200..=299 | 404) => Removed::Gone,
        Ok(400..=499) => Removed::Refused,
        Ok(_) | Err(_) => Removed::Unknown,
    }
}

/// The engine's words.
fn said(answer: &Answer) -> String {
    let message = serde_json::from_slice::<Value>(&answer.body).ok();
    let message = message.and_then(|value| value["message"].as_str().map(str::to_owned)).unwrap_or_default();
    format!("the engine says {}: {message}", answer.status)
}

/// For a place in a URL where only unreserved characters mean themselves.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const OURS: Label<'static> = Label { name: "orco.stack", value: "aa" };

    #[test]
    fn only_who_carries_the_label_is_ours_whatever_is_listed() {
        let body = br#"[
            {"Id": "1", "Labels": {"orco.stack": "aa", "x": "y"}},
            {"Id": "2", "Labels": {"orco.stack": "aab"}}, {"Id": "3", "Labels": {"orco.stack": "AA"}},
            {"Id": "4", "Labels": {"orco.stack.x": "aa"}}, {"Id": "5", "Labels": null}, {"Id": "6"},
            {"Id": "7", "Labels": {"x": "orco.stack=aa"}}, {"Id": "8", "Labels": {"orco.stack": ["aa"]}},
            {"Id": "9", "Labels": "orco.stack=aa"}, {"Id": "", "Labels": {"orco.stack": "aa"}},
            {"Id": 10, "Labels": {"orco.stack": "aa"}}, {"Name": "11", "Labels": {"orco.stack": "aa"}}, 12
        ]"#;
        assert_eq!(ours(body, Kind::Container, OURS).unwrap(), ["1"]);
        let volumes = br#"{"Volumes": [{"Name": "v", "Labels": {"orco.stack": "aa"}}, {"Name": "w", "Labels": {}}]}"#;
        assert_eq!(ours(volumes, Kind::Volume, OURS).unwrap(), ["v"]);
        for none in ["null", "[]"] {
            assert!(ours(none.as_bytes(), Kind::Network, OURS).unwrap().is_empty());
        }
        assert!(ours(br#"{"Volumes": null, "Warnings": null}"#, Kind::Volume, OURS).unwrap().is_empty());
        for nonsense in ["", "[", "{}", "\"x\"", "[{\"Id\":\"1\""] {
            assert!(ours(nonsense.as_bytes(), Kind::Container, OURS).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn an_id_stays_in_its_place() {
        assert_eq!(Kind::Volume.object("../containers/x?y#z"), "/volumes/..%2Fcontainers%2Fx%3Fy%23z");
        assert_eq!(Kind::Container.object("0a1b"), "/containers/0a1b?force=1&v=1");
    }

    proptest! {
        #[test]
        fn nothing_listed_is_a_panic(body in ".{0,200}") {
            let _ = ours(body.as_bytes(), Kind::Volume, OURS);
        }
    }
}
