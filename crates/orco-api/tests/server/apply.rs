//! Another stack over the wire.

use std::{collections::BTreeMap, time::Duration};

use orco_api::{
    client::ClientError,
    wire::{Apply, Change, Code, Scale, Step},
};
use orco_core::spec::{ServiceBuilder, Stack};

use crate::{raw::request, stage};

fn task(name: &str) -> ServiceBuilder {
    ServiceBuilder::new(name, "tasks").command([name])
}

fn body(services: impl IntoIterator<Item = ServiceBuilder>) -> Apply {
    let stack = Stack::builder("demo").services(services).build().unwrap();
    let apply = Apply::new(&stack, BTreeMap::from([("V".to_owned(), "1".to_owned())])).unwrap();
    Apply { wait: true, ..apply }
}

#[tokio::test]
async fn a_stack_is_taken_with_its_variables() {
    let stage = stage().await;
    let accepted = stage.server.accepted();
    assert!(accepted.borrow().is_none());
    let wanted = body([task("db"), task("api").depends_on("db").env("A", "1"), task("new").replicas(2)]);
    let dry = stage.client.apply(&Apply { dry_run: true, ..wanted.clone() }).await.unwrap();
    assert!(dry.outcome.is_none() && accepted.borrow().is_none() && stage.engine.stack().services().len() == 2);

    let applied = stage.client.apply(&wanted).await.unwrap();
    assert_eq!(applied.plan, dry.plan);
    let changes: Vec<_> = applied.plan.services.iter().map(|s| (s.service.as_str(), s.change)).collect();
    assert_eq!(changes, [("db", Change::Same), ("api", Change::Replaced), ("new", Change::Added)]);
    let order: Vec<_> = applied.plan.order.iter().map(|s| (s.step, s.service.as_str())).collect();
    assert_eq!(order, [(Step::Start, "new"), (Step::Replace, "api")]);
    assert!(applied.outcome.unwrap().done);
    assert_eq!(stage.client.service("new").await.unwrap().ready_replicas, 2);
    assert_eq!(accepted.borrow().as_ref().unwrap().variables["V"], "1");
    assert_eq!(stage.engine.stack().services().len(), 3);

    // The same again is nothing, until somebody scales.
    let again = |plan: &orco_api::wire::Plan| plan.services.iter().all(|s| s.change == Change::Same);
    assert!(again(&stage.client.apply(&wanted).await.unwrap().plan));
    stage.client.scale("new", &Scale { replicas: 1, wait: true }).await.unwrap();
    assert!(!again(&stage.client.apply(&wanted).await.unwrap().plan));
    assert_eq!(stage.client.service("new").await.unwrap().ready_replicas, 2);
    stage.end().await;
}

#[tokio::test]
async fn what_is_not_valid_changes_nothing() {
    let stage = stage().await;
    let refuse = async |body: &Apply| match stage.client.apply(body).await {
        Err(ClientError::Api(error)) => error,
        other => panic!("{other:?}"),
    };
    let error = refuse(&body([ServiceBuilder::process("a", ["x"])])).await;
    assert_eq!((error.code, &error.details[0]["code"]), (Code::InvalidStack, &"unknown-runtime".into()));
    let mut bent = body([task("a")]);
    let text = bent.stack.get().replace("\"replicas\":1", "\"replicas\":0").replace("\"stop\":{", "\"stop\":{\"x\":1,");
    bent.stack = serde_json::value::RawValue::from_string(text).unwrap();
    assert_eq!(refuse(&bent).await.details[0]["code"], "out-of-range");
    bent.timeout = Some("soon".to_owned());
    assert_eq!(refuse(&bent).await.code, Code::BadRequest);
    let json = [("Content-Type", "application/json")];
    for (body, status) in [("{}", 400), ("{\"stack\": 1}", 400), ("{\"stack\": {}, \"wat\": 1}", 400)] {
        assert_eq!(request(&stage.place, "POST", "/api/v1/apply", &json, body).await.status, status, "{body}");
    }
    assert_eq!(stage.engine.stack().services().len(), 2);
    assert_eq!(stage.client.status().await.unwrap().services.len(), 2);
    stage.end().await;
}

/// Whoever is overtaken learns of it.
#[tokio::test]
async fn a_goal_that_was_changed_is_not_waited_for() {
    let stage = stage().await;
    let stack = |services: Vec<ServiceBuilder>| Stack::builder("demo").services(services).build().unwrap();
    let first = stage.engine.apply(stack(vec![task("db"), task("b")])).await.unwrap();
    let second = stage.engine.apply(stack(vec![task("db"), task("c")])).await.unwrap();
    let (first, second) =
        tokio::time::timeout(Duration::from_secs(10), async { (first.done().await, second.done().await) })
            .await
            .unwrap();
    // It may have been done before it was overtaken.
    assert!(first.is_ok() || first == Err(orco_core::engine::NotDone::Superseded), "{first:?}");
    assert_eq!(second, Ok(()));
    let names: Vec<_> = stage.client.status().await.unwrap().services.keys().cloned().collect();
    assert_eq!(names, ["db", "c"]);
    stage.end().await;
}
