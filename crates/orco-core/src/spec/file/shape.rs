//! The first look at the tree: expands variables and checks every value against the table of fields. Reports all it
//! finds; what is bad is marked, so that nothing is reported twice.

use std::collections::{BTreeMap, HashSet};

use super::{
    suggest::{bad_name, choice, mapping, unknown_key},
    table::{Effect, Field, Table, Ty},
};
use crate::{
    model::ServiceName,
    spec::{
        Diagnostic, SourceMap, code,
        value::{self, Flaw},
        vars,
        yaml::{Entry, Node, Scalar, Span, Trail, Value},
    },
};

/// Where a field was used that does nothing yet, or that only containers have.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) key: &'static str,
    pub(crate) containers_only: bool,
    pub(crate) service: Option<String>,
    pub(crate) span: Span,
    pub(crate) path: String,
}

/// The first look.
pub(crate) struct Shape<'a> {
    pub(crate) sources: &'a SourceMap,
    /// Names of probes beside the built-in ones.
    pub(crate) probes: &'a [String],
    /// The value of a variable.
    pub(crate) var: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) out: Vec<Diagnostic>,
    pub(crate) uses: Vec<Use>,
    /// The variables that had a value.
    pub(crate) used: BTreeMap<String, String>,
    patterns: HashSet<String>,
    service: Option<String>,
}

impl<'a> Shape<'a> {
    pub(crate) fn new(sources: &'a SourceMap, probes: &'a [String], var: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            sources,
            probes,
            var,
            out: Vec::new(),
            uses: Vec::new(),
            used: BTreeMap::new(),
            patterns: HashSet::new(),
            service: None,
        }
    }

    fn report(&mut self, flaw: Flaw, span: Span, trail: &Trail<'_>) {
        let mut diagnostic =
            Diagnostic::error(flaw.code, flaw.message).at(trail.path().to_string()).label(self.sources.label(span, ""));
        diagnostic.help = flaw.help;
        self.out.push(diagnostic);
    }

    fn mistyped(&mut self, node: &mut Node, expected: &str, trail: &Trail<'_>) {
        node.bad = true;
        let flaw = Flaw::new(code::WRONG_TYPE, format!("expected {expected}, found {}", node.describe()));
        self.report(flaw, node.span, trail);
    }

    /// Checks a value of any type.
    pub(crate) fn check(&mut self, node: &mut Node, ty: &Ty, trail: &Trail<'_>) {
        match ty {
            Ty::Table(table) => self.table(node, table, false, trail),
            Ty::Check(table) => self.table(node, table, true, trail),
            Ty::Services(table) => self.services(node, table, trail),
            Ty::Map(ty) => self.map(node, ty, trail),
            Ty::Env => self.env(node, trail),
            Ty::List(ty) => self.list(node, ty, trail),
            Ty::OneOrMany(ty) => match &node.value {
                Value::Seq(_) => self.list(node, ty, trail),
                _ if node.is_null() => {}
                Value::Scalar(_) | Value::Map(_) => self.check(node, ty, trail),
            },
            Ty::Short(short, table) => match &node.value {
                Value::Scalar(_) => self.check(node, short, trail),
                Value::Seq(_) | Value::Map(_) => self.table(node, table, false, trail),
            },
            Ty::Command => self.command(node, &Ty::Template, trail),
            Ty::Words => self.command(node, &Ty::Text, trail),
            leaf => self.scalar(node, leaf, trail),
        }
    }

    fn table(&mut self, node: &mut Node, table: &'static Table, open: bool, trail: &Trail<'_>) {
        if node.is_null() && table.fields.iter().all(|field| !field.required) {
            return;
        }
        let span = node.span;
        let Value::Map(entries) = &mut node.value else {
            return self.mistyped(node, &mapping(table), trail);
        };
        for entry in entries.iter_mut() {
            let here = Trail::Key(trail, &entry.key);
            match table.field(&entry.key) {
                Some(field) => {
                    self.note(field, entry.key_span, &here);
                    self.check(&mut entry.value, &field.ty, &here);
                }
                None if open && self.probes.iter().any(|probe| **probe == *entry.key) => {
                    self.free(&mut entry.value, &here);
                }
                None => {
                    entry.value.bad = true;
                    let flaw = unknown_key(&entry.key, table, if open { self.probes } else { &[] });
                    self.report(flaw, entry.key_span, &here);
                }
            }
        }
        for field in table.fields.iter().filter(|field| field.required) {
            if node.get(field.key).is_none() {
                node.bad = true;
                let flaw = Flaw::new(code::MISSING_KEY, format!("`{}` is missing", field.key));
                self.report(flaw.help(field.doc), span, trail);
            }
        }
    }

    fn note(&mut self, field: &'static Field, span: Span, trail: &Trail<'_>) {
        if field.effect != Effect::Now {
            self.uses.push(Use {
                key: field.key,
                containers_only: field.effect == Effect::Containers,
                service: self.service.clone(),
                span,
                path: trail.path().to_string(),
            });
        }
    }

    fn services(&mut self, node: &mut Node, table: &'static Table, trail: &Trail<'_>) {
        if node.is_null() {
            return;
        }
        let Value::Map(entries) = &mut node.value else {
            return self.mistyped(node, "a mapping from names to services", trail);
        };
        for entry in entries {
            let here = Trail::Key(trail, &entry.key);
            if let Err(error) = ServiceName::new(&entry.key) {
                entry.value.bad = true;
                self.report(bad_name(&entry.key, &error.to_string()), entry.key_span, &here);
            }
            self.service = Some(entry.key.to_string());
            self.table(&mut entry.value, table, false, &here);
        }
        self.service = None;
    }

    fn map(&mut self, node: &mut Node, ty: &Ty, trail: &Trail<'_>) {
        if node.is_null() {
            return;
        }
        let Value::Map(entries) = &mut node.value else {
            return self.mistyped(node, "a mapping", trail);
        };
        for Entry { key, value, .. } in entries {
            self.check(value, ty, &Trail::Key(trail, key));
        }
    }

    fn env(&mut self, node: &mut Node, trail: &Trail<'_>) {
        if node.is_null() {
            return;
        }
        let Value::Map(entries) = &mut node.value else {
            return self.mistyped(node, "a mapping (`NAME: value`)", trail);
        };
        for Entry { key, key_span, value } in entries {
            let here = Trail::Key(trail, key);
            if key.is_empty() || key.contains(['=', '\0']) {
                let message = format!("`{}` cannot be the name of a variable", key.escape_debug());
                self.report(Flaw::new(code::BAD_VARIABLE_NAME, message), *key_span, &here);
            }
            if !value.is_null() {
                self.check(value, &Ty::Template, &here);
            }
        }
    }

    fn list(&mut self, node: &mut Node, ty: &Ty, trail: &Trail<'_>) {
        if node.is_null() {
            return;
        }
        let Value::Seq(items) = &mut node.value else {
            return self.mistyped(node, "a list", trail);
        };
        for (index, item) in items.iter_mut().enumerate() {
            self.check(item, ty, &Trail::Index(trail, index));
        }
    }

    fn command(&mut self, node: &mut Node, word: &Ty, trail: &Trail<'_>) {
        match &node.value {
            Value::Seq(_) => self.list(node, word, trail),
            Value::Scalar(_) if !node.is_null() => self.scalar(node, word, trail),
            Value::Scalar(_) | Value::Map(_) => self.mistyped(node, "a list of arguments or a command line", trail),
        }
    }

    /// The configuration of a probe that a plug-in brings: any shape.
    fn free(&mut self, node: &mut Node, trail: &Trail<'_>) {
        match &mut node.value {
            Value::Scalar(_) => {
                self.expand(node, vars::Field::Template, trail);
            }
            Value::Seq(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.free(item, &Trail::Index(trail, index));
                }
            }
            Value::Map(entries) => {
                for Entry { key, value, .. } in entries {
                    self.free(value, &Trail::Key(trail, key));
                }
            }
        }
    }

    fn scalar(&mut self, node: &mut Node, ty: &Ty, trail: &Trail<'_>) {
        if node.text().is_none() {
            return self.mistyped(node, expected(ty), trail);
        }
        let field = match ty {
            Ty::Template | Ty::Url | Ty::Address | Ty::ProbePort => vars::Field::Template,
            _ => vars::Field::Fixed,
        };
        if !self.expand(node, field, trail) {
            return;
        }
        let Value::Scalar(Scalar { text, .. }) = &node.value else { return };
        if let Err(flaw) = self.leaf(text, ty) {
            node.bad = true;
            self.report(flaw, node.span, trail);
        }
    }

    /// Replaces the variables of a scalar; false if that was not possible.
    fn expand(&mut self, node: &mut Node, field: vars::Field, trail: &Trail<'_>) -> bool {
        let Value::Scalar(Scalar { text, .. }) = &mut node.value else { return true };
        if !text.contains('$') {
            return true;
        }
        let (var, used) = (self.var, &mut self.used);
        let mut lookup = |name: &str| {
            let value = var(name)?;
            used.insert(name.to_owned(), value.clone());
            Some(value)
        };
        let mut flaws = Vec::new();
        *text = vars::expand(text, field, &mut lookup, &mut flaws).into();
        node.bad |= !flaws.is_empty();
        let fine = flaws.is_empty();
        for flaw in flaws {
            self.report(flaw, node.span, trail);
        }
        fine
    }

    fn leaf(&mut self, text: &str, ty: &Ty) -> Result<(), Flaw> {
        match ty {
            Ty::Name => ServiceName::new(text).map(drop).map_err(|error| bad_name(text, &error.to_string())),
            Ty::Bool => match text {
                "true" | "false" => Ok(()),
                _ => Err(Flaw::new(code::WRONG_TYPE, format!("expected `true` or `false`, found `{text}`"))),
            },
            Ty::Int(low, high) => value::integer(text, *low, *high).map(drop),
            Ty::Factor => value::ratio(text, 1.0).map(drop),
            Ty::Duration => value::parse_duration(text).map(drop),
            Ty::Size => value::parse_size(text).map(drop),
            Ty::Cpu => value::cpu_millis(text).map(drop),
            Ty::Percent => value::percent(text).map(drop),
            Ty::Amount => value::amount(text).map(drop),
            Ty::Retries if text == "unlimited" => Ok(()),
            Ty::Retries => {
                value::integer(text, 0, 1_000_000).map(drop).map_err(|flaw| flaw.help("write a number, or `unlimited`"))
            }
            Ty::Choice(words) => choice(text, words),
            Ty::Signal => value::parse_signal(text).map(drop),
            Ty::Regex => self.regex(text),
            Ty::Version => match text {
                "0.1" => Ok(()),
                _ => Err(Flaw::new(code::BAD_VERSION, format!("version `{text}` is not known to this build"))
                    .help("write `version: 0.1`")),
            },
            Ty::PortNumber => value::port_number(text).map(drop),
            Ty::ProbePort => match vars::instance_vars(text).first() {
                Some(vars::InstanceVar::Port(_)) => Ok(()),
                _ => value::port_number(text).map(drop),
            },
            Ty::PortMapping => value::parse_port(text).map(drop),
            Ty::Mount => value::parse_volume(text).map(drop),
            Ty::Platform => value::check_platform(text),
            Ty::Network => value::check_network(text),
            Ty::Url => value::check_url(text),
            Ty::Address => value::check_address(text),
            Ty::Ip => text
                .parse::<std::net::IpAddr>()
                .map(drop)
                .map_err(|_| Flaw::new(code::BAD_ADDRESS, format!("`{text}` is not an IP address"))),
            Ty::Status => value::status_range(text).map(drop),
            Ty::Text | Ty::Template => Ok(()),
            Ty::Command
            | Ty::Words
            | Ty::List(_)
            | Ty::OneOrMany(_)
            | Ty::Map(_)
            | Ty::Env
            | Ty::Services(_)
            | Ty::Table(_)
            | Ty::Check(_)
            | Ty::Short(..) => Ok(()),
        }
    }

    fn regex(&mut self, pattern: &str) -> Result<(), Flaw> {
        if self.patterns.contains(pattern) {
            return Ok(());
        }
        value::check_regex(pattern)?;
        self.patterns.insert(pattern.to_owned());
        Ok(())
    }
}

/// What a scalar of this type is called.
const fn expected(ty: &Ty) -> &'static str {
    match ty {
        Ty::Text | Ty::Template => "text",
        Ty::Name => "a name",
        Ty::Bool => "`true` or `false`",
        Ty::Int(..) | Ty::Retries => "a whole number",
        Ty::Factor => "a number",
        Ty::Duration => "a duration such as `30s`",
        Ty::Size => "a size such as `512MiB`",
        Ty::Cpu => "a share of processors such as `500m`",
        Ty::Percent => "a percentage such as `25%`",
        Ty::Amount => "a number or a percentage",
        Ty::Choice(_) => "a word",
        Ty::Signal => "a signal such as `SIGTERM`",
        Ty::Regex => "a regular expression",
        Ty::Version => "`0.1`",
        Ty::PortNumber | Ty::ProbePort => "a port",
        Ty::PortMapping => "a port mapping such as `8080:80`",
        Ty::Mount => "a mount such as `./data:/data`",
        Ty::Platform => "a platform such as `linux/amd64`",
        Ty::Network => "`stack`, `host`, `none` or the name of a network",
        Ty::Url => "a URL",
        Ty::Address => "an address such as `localhost:5432`",
        Ty::Ip => "an IP address",
        Ty::Status => "an HTTP status",
        Ty::Command | Ty::Words | Ty::List(_) | Ty::OneOrMany(_) => "a list",
        Ty::Map(_) | Ty::Env | Ty::Services(_) | Ty::Table(_) | Ty::Check(_) | Ty::Short(..) => "a mapping",
    }
}
