//! What was probably meant.

use super::{compose, fields::SERVICE, table::Table};
use crate::{
    model::ServiceName,
    spec::{
        code,
        value::{Flaw, nearest},
        yaml::Node,
    },
};

pub(super) fn bad_name(text: &str, message: &str) -> Flaw {
    let flaw = Flaw::new(code::BAD_NAME, message);
    let lower: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect();
    let tidy = lower.trim_matches(['-', '_']);
    match ServiceName::new(tidy) {
        Ok(name) => flaw.help(format!("`{name}` would be one")),
        Err(_) => flaw,
    }
}

pub(super) fn choice(text: &str, words: &[&'static str]) -> Result<(), Flaw> {
    if words.contains(&text) {
        return Ok(());
    }
    let flaw = Flaw::new(code::UNKNOWN_VALUE, format!("unknown value `{text}`"));
    let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Err(match nearest(text, words.iter().copied()) {
        Some(near) => flaw.help(format!("did you mean `{near}`? possible are {list}")),
        None => flaw.help(format!("possible are {list}")),
    })
}

/// What other languages than Compose call our fields.
const ELSEWHERE: [(&str, &str); 7] = [
    ("readiness", "health"),
    ("readinessProbe", "health"),
    ("livenessProbe", "liveness"),
    ("cwd", "workdir"),
    ("mounts", "volumes"),
    ("include", "includes"),
    ("after", "dependsOn"),
];

pub(super) fn unknown_key(key: &str, table: &Table, probes: &[String]) -> Flaw {
    let flaw = Flaw::new(code::UNKNOWN_KEY, format!("unknown key `{key}` in {}", table.name));
    if let Some(told) = compose::told(key, table) {
        return flaw.help(told);
    }
    match meant(key, table, probes) {
        Some(near) => flaw.help(format!("did you mean `{near}`?")),
        None => flaw.help(format!("possible are {}", keys_of(table))),
    }
}

/// The key that was probably meant.
fn meant<'a>(key: &str, table: &Table, probes: &'a [String]) -> Option<&'a str> {
    let elsewhere = ELSEWHERE.iter().find(|(other, ours)| *other == key && table.field(ours).is_some());
    let known = table.fields.iter().map(|field| field.key).chain(probes.iter().map(String::as_str));
    compose::ours(key, table).or_else(|| elsewhere.map(|(_, ours)| *ours)).or_else(|| nearest(key, known))
}

/// Whether a service has an unknown key that was probably meant as one of these.
pub(crate) fn misspelt(service: &Node, keys: &[&str]) -> bool {
    let unknown = service.entries().iter().filter(|entry| SERVICE.field(&entry.key).is_none());
    unknown.filter_map(|entry| meant(&entry.key, &SERVICE, &[])).any(|key| keys.contains(&key))
}

/// A mapping with these keys, for messages.
pub(super) fn mapping(table: &Table) -> String {
    match table.fields.len() {
        0..=8 => format!("a mapping ({})", keys_of(table)),
        _ => "a mapping".to_owned(),
    }
}

fn keys_of(table: &Table) -> String {
    table.fields.iter().map(|field| format!("`{}`", field.key)).collect::<Vec<_>>().join(", ")
}
