//! The variables that differ per instance: `${port}`, `${replica}`, `${service}`, `${endpoint.NAME}`, ...

use crate::spec::{Command, Hook, ProbeSpec, Service};

/// A per-instance variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Variable<'a> {
    /// `${port}` (empty name) or `${port.NAME}`.
    Port(&'a str),
    /// `${replica}`.
    Replica,
    /// `${service}`.
    Service,
    /// `${endpoint.SERVICE[.PORT]}`.
    Endpoint(&'a str, Option<&'a str>),
    /// `${endpoints.SERVICE[.PORT]}`.
    Endpoints(&'a str, Option<&'a str>),
}

impl<'a> Variable<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (head, rest) = text.split_once('.').map_or((text, None), |(h, r)| (h, Some(r)));
        let service_and_port = |rest: &'a str| rest.split_once('.').map_or((rest, None), |(s, p)| (s, Some(p)));
        Some(match (head, rest) {
            ("port", name) => Self::Port(name.unwrap_or("")),
            ("replica", None) => Self::Replica,
            ("service", None) => Self::Service,
            ("endpoint", Some(rest)) => {
                let (service, port) = service_and_port(rest);
                Self::Endpoint(service, port)
            }
            ("endpoints", Some(rest)) => {
                let (service, port) = service_and_port(rest);
                Self::Endpoints(service, port)
            }
            _ => return None,
        })
    }
}

/// Replaces the per-instance variables of a text, and `$$` (the loader leaves it in texts that are filled in here) by
/// `$`; everything else stays as it is.
///
/// # Errors
/// The first error of `value`.
pub(super) fn expand<E>(text: &str, mut value: impl FnMut(Variable<'_>) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, open)) =
        rest.find("${").into_iter().map(|at| (at, true)).chain(rest.find("$$").map(|at| (at, false))).min()
    {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        if !open {
            out.push('$');
            rest = inner;
            continue;
        }
        match inner.find('}').and_then(|end| Variable::parse(&inner[..end]).map(|v| (v, end))) {
            Some((variable, end)) => {
                out.push_str(&value(variable)?);
                rest = &inner[end + 1..];
            }
            None => {
                out.push_str("${");
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether the service asks for a port of its own (`${port}`) anywhere.
pub(super) fn uses_port(service: &Service) -> bool {
    let own = |text: &str| text.contains("${port}");
    let command = |c: &Command| c.argv.iter().any(|a| own(a));
    let hook = |h: &Option<Hook>| h.as_ref().is_some_and(|h| command(&h.command));
    let probe = |p: &ProbeSpec| match p {
        ProbeSpec::Http { url, .. } => url.as_deref().is_some_and(own),
        ProbeSpec::Tcp { address, .. } => address.as_deref().is_some_and(own),
        ProbeSpec::Cmd { command: c, .. } => command(c),
        ProbeSpec::Log { .. } | ProbeSpec::Custom { .. } => false,
    };
    let hooks = &service.hooks;
    service.command.as_ref().is_some_and(command)
        || service.env.values().flatten().any(|v| own(v))
        || [&hooks.pre_start, &hooks.post_start, &hooks.pre_stop, &hooks.post_stop].into_iter().any(hook)
        || [&service.health, &service.liveness].into_iter().flatten().any(|h| h.check.probes.iter().any(probe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let value = |v: Variable<'_>| match v {
            Variable::Port("") => Ok("20001".to_owned()),
            Variable::Port(name) => Ok(format!("<{name}>")),
            Variable::Replica => Ok("1".to_owned()),
            Variable::Service => Ok("api".to_owned()),
            Variable::Endpoint(s, p) => Ok(format!("{s}:{}", p.unwrap_or("-"))),
            Variable::Endpoints("gone", _) => Err("no such service"),
            Variable::Endpoints(s, p) => Ok(format!("{s}*{}", p.unwrap_or("-"))),
        };
        for (text, want) in [
            ("--port=${port}", Ok("--port=20001")),
            ("${port.admin}/${replica}/${service}", Ok("<admin>/1/api")),
            ("${endpoint.db} ${endpoint.db.sql} ${endpoints.api.http}", Ok("db:- db:sql api*http")),
            ("$HOME ${HOME} ${ports} ${replica.x} ${", Ok("$HOME ${HOME} ${ports} ${replica.x} ${")),
            ("${${port}}", Ok("${20001}")),
            ("$${port} $$5 $$$$ $$${port} $", Ok("${port} $5 $$ $20001 $")),
            ("${endpoints.gone}", Err("no such service")),
            ("", Ok("")),
        ] {
            assert_eq!(expand(text, value).as_deref(), want.as_ref().map(|w| *w), "{text}");
        }
    }
}
