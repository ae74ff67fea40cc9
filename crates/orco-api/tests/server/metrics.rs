//! `GET /api/v1/metrics`, read as strictly as a monitoring system reads it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{raw::request, stage};

/// What is known of one metric.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    unit: Option<String>,
    help: String,
    /// By service.
    values: BTreeMap<String, u64>,
}

/// The subset of OpenMetrics 1.0 that has counters and gauges with one label.
fn parse(text: &str) -> BTreeMap<String, Metric> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with `# EOF`");
    assert!(!body.contains("# EOF"), "once");
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in body.lines() {
        if let Some(about) = line.strip_prefix("# ") {
            let [what, name, text]: [&str; 3] = about.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            if name != current {
                assert!(!metrics.contains_key(name), "{name} is in one place");
                name.clone_into(&mut current);
            }
            let metric = metrics.entry(name.to_owned()).or_default();
            assert!(metric.values.is_empty(), "{name}: what is said of it comes first");
            match what {
                "HELP" => text.clone_into(&mut metric.help),
                "TYPE" => text.clone_into(&mut metric.kind),
                "UNIT" => metric.unit = Some(text.to_owned()),
                other => panic!("{other}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line:?}"));
        let (name, labels) = sample.strip_suffix('}').and_then(|rest| rest.split_once('{')).expect("labels");
        let metric = metrics.get_mut(&current).expect("a sample is of what was described before");
        let suffix = if metric.kind == "counter" { "_total" } else { "" };
        assert_eq!(name, format!("{current}{suffix}"));
        let service = labels.strip_prefix("service=\"").and_then(|rest| rest.strip_suffix('"')).expect("the service");
        let twice = metric.values.insert(service.to_owned(), value.parse().expect("a whole number"));
        assert_eq!(twice, None, "{line}");
    }
    for (name, metric) in &metrics {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !name.ends_with("_total"), "{name}");
        assert!(matches!(metric.kind.as_str(), "counter" | "gauge"), "{name}: {metric:?}");
        assert!(!metric.help.is_empty(), "{name}: {metric:?}");
        assert!(metric.unit.as_ref().is_none_or(|unit| name.ends_with(&format!("_{unit}"))), "{name}: {metric:?}");
    }
    metrics
}

#[tokio::test]
async fn metrics_are_valid_and_true() {
    let stage = stage().await;
    let answer = request(&stage.place, "GET", "/api/v1/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(answer.head.lines().any(|line| line.eq_ignore_ascii_case(kind)), "{}", answer.head);
    let text = String::from_utf8(answer.body).unwrap();
    let metrics = parse(&text);
    let names: BTreeSet<&str> = metrics.keys().map(String::as_str).collect();
    let expected = [
        "orco_log_bytes",
        "orco_log_disk_bytes",
        "orco_log_dropped_bytes",
        "orco_log_dropped_lines",
        "orco_log_lines",
        "orco_service_ready",
        "orco_service_restarts",
    ];
    assert_eq!(names, BTreeSet::from(expected), "{text}");
    let both = |value: u64| BTreeMap::from([("api".to_owned(), value), ("db".to_owned(), value)]);
    assert_eq!(metrics["orco_service_ready"].values, both(1));
    assert_eq!(metrics["orco_service_restarts"].values, both(0));
    // Nobody has printed anything.
    for name in expected.iter().filter(|name| name.starts_with("orco_log_")) {
        assert_eq!(metrics[*name].values, both(0), "{name}");
    }
    stage.end().await;
}
