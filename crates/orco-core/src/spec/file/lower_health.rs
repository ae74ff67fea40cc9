//! From the tree to probes and checks.

use std::sync::Arc;

use super::{
    fields::HEALTH_KEYS,
    lower::Lowering,
    view::{Layers, View},
};
use crate::spec::{
    Check, Health, ProbeSpec, Tally, code, expr,
    rules::Finding,
    value,
    yaml::{Node, Path, Value},
};

/// A check, its thresholds completed from the defaults. `inherit`: whether probes of the defaults count too.
pub(super) fn health(layers: Layers<'_>, inherit: bool, path: &Path, lowering: &mut Lowering<'_>) -> Option<Health> {
    let own = layers.own.0;
    if own.is_some_and(|node| node.is_null() || node.bad) {
        return None;
    }
    let own_probes = probes(layers.own, path, lowering);
    let (probes, layer) = match own {
        _ if !own_probes.is_empty() => (own_probes, layers.own),
        Some(_) => (probes(layers.base, &Path::of(["defaults"]), lowering), layers.base),
        None if inherit => (probes(layers.base, &Path::of(["defaults"]), lowering), layers.base),
        None => return None,
    };
    if probes.is_empty() {
        if own.is_some() {
            let finding = Finding::error(code::NO_PROBE, path.clone(), "a check without a probe".to_owned());
            lowering.findings.push(finding.help("add `http`, `tcp`, `cmd` or `log`"));
        }
        return None;
    }
    let names: Vec<&str> = probes.iter().map(ProbeSpec::name).collect();
    let expression = match layers.own.get("expression").text().or(layer.get("expression").text()) {
        None => expr::Expr::all(names.len()),
        Some(text) => expr::Expr::parse(text, &names).unwrap_or_else(|error| {
            let finding = Finding::error(code::BAD_EXPRESSION, path.clone().key("expression"), error.to_string());
            lowering.findings.push(match error.help() {
                Some(help) => finding.help(help),
                None => finding,
            });
            expr::Expr::all(names.len())
        }),
    };
    Some(Health { tally: tally(layers), check: Arc::new(Check { probes, expression }) })
}

fn tally(layers: Layers<'_>) -> Tally {
    let usual = Tally::default();
    Tally {
        grace_period: layers.duration("gracePeriod").unwrap_or(usual.grace_period),
        interval: layers.duration("interval").unwrap_or(usual.interval),
        timeout: layers.duration("timeout").unwrap_or(usual.timeout),
        success_threshold: layers.int("successThreshold").unwrap_or(usual.success_threshold),
        failure_threshold: layers.int("failureThreshold").unwrap_or(usual.failure_threshold),
        start_timeout: layers.duration("startTimeout").unwrap_or(usual.start_timeout),
    }
}

/// The probes in the order of the file.
fn probes(check: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> Vec<ProbeSpec> {
    let entries = check.0.map(Node::entries).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| !HEALTH_KEYS.contains(&&*entry.key) && !entry.value.bad) {
        let view = View(Some(&entry.value));
        let path = path.clone().key(&entry.key);
        found.extend(match &*entry.key {
            "http" => Some(http(view, &path, lowering)),
            "tcp" => Some(tcp(view, &path, lowering)),
            "cmd" => lowering
                .command(view, &path)
                .map(|command| ProbeSpec::Cmd { command, timeout: view.get("timeout").duration() }),
            "log" => Some(log(view)),
            name => Some(ProbeSpec::Custom { name: name.to_owned(), config: json(&entry.value) }),
        });
    }
    found
}

fn http(view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> ProbeSpec {
    let (url, own_path, port) = (view.get("url"), view.get("path"), view.get("port"));
    let https = view.get("scheme").text() == Some("https");
    if url.0.is_some() {
        for key in ["path", "port", "scheme"].into_iter().filter(|key| view.get(key).0.is_some()) {
            let message = format!("`url` and `{key}` exclude each other");
            lowering.findings.push(Finding::error(code::CONFLICTING_KEYS, path.clone().key(key), message));
        }
    }
    if https && port.0.is_none() {
        let finding = Finding::error(code::MISSING_KEY, path.clone(), "`port` is missing".to_owned());
        lowering.findings.push(finding.help("`scheme: https` needs to know which port speaks it"));
    }
    // A port that only the instance knows, or a scheme, fits a URL and no number.
    let number = port.int::<u16>();
    let composed = port.text().filter(|_| https || number.is_none()).map(|port| {
        let scheme = if https { "https" } else { "http" };
        let slashed = own_path.text().unwrap_or("/");
        let slash = if slashed.starts_with('/') { "" } else { "/" };
        format!("{scheme}://localhost:{port}{slash}{slashed}")
    });
    let url = url.string().or(composed);
    let statuses: Vec<_> = view.get("expectStatus").texts().filter_map(|t| value::status_range(t).ok()).collect();
    ProbeSpec::Http {
        path: if url.is_some() { None } else { own_path.string() },
        port: if url.is_some() { None } else { number },
        url,
        expect_status: if statuses.is_empty() { vec![(200, 399)] } else { statuses },
        method: view.get("method").text().unwrap_or("GET").to_owned(),
        headers: view.get("headers").pairs().collect(),
        expect_body: view.get("expectBody").string(),
    }
}

fn tcp(view: View<'_>, path: &Path, lowering: &mut Lowering<'_>) -> ProbeSpec {
    let (address, port) = (view.get("address"), view.get("port"));
    if address.0.is_some() && port.0.is_some() {
        let message = "`address` and `port` exclude each other".to_owned();
        lowering.findings.push(Finding::error(code::CONFLICTING_KEYS, path.clone().key("port"), message));
    }
    let number = port.int::<u16>();
    let composed = port.text().filter(|_| number.is_none()).map(|port| format!("localhost:{port}"));
    let address = address.string().or(composed);
    ProbeSpec::Tcp { port: if address.is_some() { None } else { number }, address }
}

fn log(view: View<'_>) -> ProbeSpec {
    ProbeSpec::Log {
        pattern: view.get("pattern").string().unwrap_or_default(),
        sources: view.get("sources").texts().map(str::to_owned).collect(),
        levels: view.get("levels").texts().map(str::to_owned).collect(),
        count: view.get("count").int().unwrap_or(1),
    }
}

/// A plug-in's own configuration: what is not quoted and looks like a number, a truth value or null is one.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        _ if node.is_null() => serde_json::Value::Null,
        Value::Scalar(scalar) => {
            let plain = scalar.plain.then(|| serde_json::from_str::<serde_json::Value>(&scalar.text).ok()).flatten();
            match plain {
                Some(value @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_))) => value,
                _ => serde_json::Value::String(scalar.text.to_string()),
            }
        }
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.to_string(), json(&entry.value))).collect(),
    }
}
