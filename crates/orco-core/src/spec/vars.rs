//! `${…}`: what the loader expands, and what only an instance knows.
//!
//! The loader replaces `${VAR}`, `${VAR:-default}` and `${VAR:?message}`. It leaves `${port}`, `${port.NAME}`,
//! `${replica}`, `${service}`, `${endpoint.NAME[.PORT]}` and `${endpoints.NAME[.PORT]}` in place, in the fields where
//! an instance is concerned; [`fill`] replaces them when the instance starts. In those fields a `$` that is meant stays
//! written as `$$` until then, so that a value from the environment is never expanded a second time.

use super::{
    code,
    value::{Flaw, nearest},
};

/// Something that only an instance knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum InstanceVar {
    /// `${port}`, `${port.NAME}`: a port of this replica's own.
    Port(Option<String>),
    /// `${replica}`: its number, from 0.
    Replica,
    /// `${service}`: the service's name.
    Service,
    /// `${endpoint.NAME}`, `${endpoint.NAME.PORT}`: `host:port` of a dependency's first replica.
    Endpoint {
        /// The dependency.
        service: String,
        /// The name of its port, if not the first.
        port: Option<String>,
    },
    /// `${endpoints.NAME}`, `${endpoints.NAME.PORT}`: those of all replicas, with commas between.
    Endpoints {
        /// The dependency.
        service: String,
        /// The name of their port, if not the first.
        port: Option<String>,
    },
}

impl InstanceVar {
    /// The variable of this name (what stands between `${` and `}`).
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let head = parts.next()?;
        let parts: Vec<&str> = parts.collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let owned = |part: &&str| (*part).to_owned();
        match (head, parts.as_slice()) {
            ("port", []) => Some(Self::Port(None)),
            ("port", [name]) => Some(Self::Port(Some(owned(name)))),
            ("replica", []) => Some(Self::Replica),
            ("service", []) => Some(Self::Service),
            ("endpoint", [service, port @ ..]) if port.len() < 2 => {
                Some(Self::Endpoint { service: owned(service), port: port.first().map(owned) })
            }
            ("endpoints", [service, port @ ..]) if port.len() < 2 => {
                Some(Self::Endpoints { service: owned(service), port: port.first().map(owned) })
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for InstanceVar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dotted = |port: &Option<String>| port.as_ref().map(|port| format!(".{port}")).unwrap_or_default();
        match self {
            Self::Port(port) => write!(f, "${{port{}}}", dotted(port)),
            Self::Replica => f.write_str("${replica}"),
            Self::Service => f.write_str("${service}"),
            Self::Endpoint { service, port } => write!(f, "${{endpoint.{service}{}}}", dotted(port)),
            Self::Endpoints { service, port } => write!(f, "${{endpoints.{service}{}}}", dotted(port)),
        }
    }
}

/// A piece of a text.
enum Piece<'a> {
    Text(&'a str),
    /// `$$`.
    Dollar,
    /// What stands between `${` and its `}`.
    Braced(&'a str),
    /// `${` without `}`.
    Unclosed,
}

/// Cuts a text at its `$$` and `${…}`. A `$` before anything else is just that.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix("$$") {
            rest = after;
            return Some(Piece::Dollar);
        }
        if let Some(after) = rest.strip_prefix("${") {
            let Some(end) = closing(after) else {
                rest = "";
                return Some(Piece::Unclosed);
            };
            rest = &after[end + 1..];
            return Some(Piece::Braced(&after[..end]));
        }
        let special = |at: usize| matches!(rest.as_bytes().get(at + 1), Some(b'$' | b'{'));
        let end = memchr::memchr_iter(b'$', rest.as_bytes()).find(|at| special(*at)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

/// The `}` that ends a `${`; a default may hold `${…}` itself.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The per-instance variables in a text.
pub fn instance_vars(text: &str) -> Vec<InstanceVar> {
    if !text.contains("${") {
        return Vec::new();
    }
    let var = |piece| match piece {
        Piece::Braced(name) => InstanceVar::parse(name),
        Piece::Text(_) | Piece::Dollar | Piece::Unclosed => None,
    };
    pieces(text).filter_map(var).collect()
}

/// The text with every per-instance variable replaced by its value, and `$$` by `$`.
///
/// # Errors
/// The first error of `value`.
pub fn fill<E>(text: &str, mut value: impl FnMut(&InstanceVar) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Dollar => out.push('$'),
            Piece::Unclosed => out.push_str("${"),
            Piece::Braced(name) => match InstanceVar::parse(name) {
                Some(var) => out.push_str(&value(&var)?),
                None => out.extend(["${", name, "}"]),
            },
        }
    }
    Ok(out)
}

/// The text so that [`fill`] gives it back unchanged.
pub fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// Whether a field is filled in per instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    /// Per-instance variables stay; `$$` stays.
    Template,
    /// Per-instance variables are a mistake; `$$` becomes `$`.
    Fixed,
}

/// The longest text that may come of an expansion.
const LONGEST: usize = 1 << 20;

/// Expands what the loader knows. Every flaw is added to `flaws`; the text is then of no use.
pub(crate) fn expand(
    text: &str,
    field: Field,
    var: &mut dyn FnMut(&str) -> Option<String>,
    flaws: &mut Vec<Flaw>,
) -> String {
    expand_nested(text, field, var, flaws, 0)
}

fn expand_nested(
    text: &str,
    field: Field,
    var: &mut dyn FnMut(&str) -> Option<String>,
    flaws: &mut Vec<Flaw>,
    depth: usize,
) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Dollar => out.push_str(if field == Field::Template { "$$" } else { "$" }),
            Piece::Unclosed => {
                let flaw = Flaw::new(code::BAD_INTERPOLATION, "`${` is never closed");
                flaws.push(flaw.help("write `$${` for a literal `${`"));
            }
            Piece::Braced(inner) => braced(inner, field, var, flaws, depth, &mut out),
        }
        if out.len() > LONGEST.max(text.len() * 2) {
            flaws.push(Flaw::new(code::BAD_INTERPOLATION, "the text is longer than 1 MiB with its variables"));
            break;
        }
    }
    out
}

fn braced(
    inner: &str,
    field: Field,
    var: &mut dyn FnMut(&str) -> Option<String>,
    flaws: &mut Vec<Flaw>,
    depth: usize,
    out: &mut String,
) {
    if InstanceVar::parse(inner).is_some() {
        if field == Field::Fixed {
            let flaw = Flaw::new(code::INSTANCE_VARIABLE, format!("`${{{inner}}}` has no value here"));
            flaws.push(flaw.help("it belongs to an instance: use it in commands, env values, probes and hooks"));
        }
        out.extend(["${", inner, "}"]);
        return;
    }
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let (name, operator) = inner.split_at(end);
    let shaped = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    let fallback = operator.strip_prefix(":-");
    let message = operator.strip_prefix(":?");
    if !shaped || depth > 8 || !(operator.is_empty() || fallback.is_some() || message.is_some()) {
        let flaw = Flaw::new(code::BAD_INTERPOLATION, format!("`${{{inner}}}` is no variable"));
        let help = match nearest(inner, ["port", "replica", "service"]) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => "write `${VAR}`, `${VAR:-default}` or `${VAR:?message}`; `$${` is a literal `${`".to_owned(),
        };
        return flaws.push(flaw.help(help));
    }
    let value = var(name).filter(|value| operator.is_empty() || !value.is_empty());
    match (value, fallback, message) {
        (Some(value), _, _) if field == Field::Template => out.push_str(&literal(&value)),
        (Some(value), _, _) => out.push_str(&value),
        (None, Some(fallback), _) => out.push_str(&expand_nested(fallback, field, var, flaws, depth + 1)),
        (None, None, Some(message)) if !message.is_empty() => {
            flaws.push(Flaw::new(code::UNSET_VARIABLE, format!("variable `{name}` has no value: {message}")));
        }
        (None, None, _) => {
            let flaw = Flaw::new(code::UNSET_VARIABLE, format!("variable `{name}` has no value"));
            let help = match nearest(name, ["port", "replica", "service"]) {
                Some(own) => format!("did you mean `${{{own}}}`?"),
                None => format!("set it, put it into `.env`, or give a default: `${{{name}:-…}}`"),
            };
            flaws.push(flaw.help(help));
        }
    }
}

#[cfg(test)]
mod tests;
