#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Dag, cycles};
use crate::spec::{Need, ServiceBuilder, Stack};

fn shop() -> Dag {
    let process = |name: &str| ServiceBuilder::process(name, ["./run"]);
    let stack = Stack::builder("shop")
        .service(process("web").depends_on("api").replicas(2))
        .service(process("api").depends_on("db").depends_on(Need::completed("migrate")))
        .service(process("migrate").oneshot().depends_on("db"))
        .service(process("db"))
        .service(process("agent").daemon())
        .build()
        .unwrap();
    Dag::new(&stack)
}

fn names<'a>(nodes: impl IntoIterator<Item = &'a super::Node>) -> Vec<&'a str> {
    nodes.into_iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn order_and_neighbours() {
    let dag = shop();
    assert_eq!(names(dag.order()), ["db", "agent", "migrate", "api", "web"]);
    assert_eq!(
        dag.layers().map(names).collect::<Vec<_>>(),
        [vec!["db", "agent"], vec!["migrate"], vec!["api"], vec!["web"]]
    );
    assert_eq!(names(dag.nodes()), ["web", "api", "migrate", "db", "agent"]);
    assert_eq!(dag.dependencies("api").map(|n| n.as_str()).collect::<Vec<_>>(), ["db", "migrate"]);
    assert_eq!(dag.dependents("db").map(|n| n.as_str()).collect::<Vec<_>>(), ["api", "migrate"]);
    assert_eq!(dag.dependents("nobody").count(), 0);
    assert_eq!(dag.edges().count(), 4);
}

#[test]
fn text() {
    insta::assert_snapshot!(shop().text(), @r"
    0  db
    0  agent (daemon)
    1  migrate (oneshot)  <- db
    2  api                <- db, migrate (completed)
    3  web ×2             <- api
    ");
}

#[test]
fn dot() {
    insta::assert_snapshot!(shop().dot(), @r#"
    digraph stack {
      rankdir=LR;
      node [shape=box];
      "web" [label="web ×2"];
      "api" [label="api"];
      "migrate" [label="migrate (oneshot)", style=rounded];
      "db" [label="db"];
      "agent" [label="agent (daemon)", style=dashed];
      "web" -> "api";
      "api" -> "db";
      "api" -> "migrate" [label="completed"];
      "migrate" -> "db";
    }
    "#);
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(shop().mermaid(), @r#"
    graph LR
      s0["web ×2"]
      s1["api"]
      s2(["migrate (oneshot)"])
      s3["db"]
      s4[["agent (daemon)"]]
      s0 --> s1
      s1 --> s3
      s1 -->|completed| s2
      s2 --> s3
    "#);
}

#[test]
fn cycles_are_short_and_in_order() {
    assert_eq!(cycles(3, &[(0, 1), (1, 2)]), [] as [Vec<usize>; 0]);
    // The long way round is not shown.
    assert_eq!(cycles(4, &[(0, 1), (1, 2), (2, 3), (3, 0), (1, 0)]), [vec![0, 1]]);
    assert_eq!(cycles(5, &[(4, 3), (3, 4), (0, 1), (1, 0), (2, 0)]), [vec![0, 1], vec![3, 4]]);
    assert_eq!(cycles(1, &[(0, 0)]), [] as [Vec<usize>; 0]);
}

#[test]
fn large_knots() {
    let n = 10_000;
    let ring: Vec<_> = (0..n).map(|i| (i, (i + 1) % n)).collect();
    assert_eq!(cycles(n, &ring)[0].len(), n);
    let pairs: Vec<_> = (0..n).map(|i| (i, i ^ 1)).collect();
    assert_eq!(cycles(n, &pairs).len(), n / 2);
}

proptest! {
    /// A cycle is found exactly where removing nodes without dependencies, again and again, leaves some.
    #[test]
    fn cycles_agree_with_peeling(edges in proptest::collection::vec((0..8_usize, 0..8_usize), 0..16)) {
        let mut left: Vec<usize> = (0..8).collect();
        while let Some(at) = left.iter().position(|node| {
            !edges.iter().any(|(from, to)| from == node && from != to && left.contains(to))
        }) {
            left.remove(at);
        }
        let found = cycles(8, &edges);
        prop_assert_eq!(found.is_empty(), left.is_empty());
        for cycle in found {
            for (at, from) in cycle.iter().enumerate() {
                prop_assert!(edges.contains(&(*from, cycle[(at + 1) % cycle.len()])));
            }
        }
    }
}
