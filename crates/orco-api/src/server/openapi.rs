//! The interface as an OpenAPI document, generated from the table of operations and the wire types.

use axum::Json;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::Op;
use crate::wire;

/// The document.
pub fn openapi() -> Value {
    let mut schemas = SchemaSettings::openapi3().into_generator();
    let mut paths = Map::new();
    for op in Op::ALL {
        let path = paths.entry(op.path()).or_insert_with(|| Value::Object(Map::new()));
        let method = if op.is_command() { "post" } else { "get" };
        path[method] = operation(op, &mut schemas);
    }
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orco control API", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": schemas.take_definitions(true) },
    })
}

pub(super) async fn serve() -> Json<Value> {
    Json(openapi())
}

fn operation(op: Op, schemas: &mut SchemaGenerator) -> Value {
    let (body, query, answer) = types(op, schemas);
    let mut parameters = Vec::new();
    if op.path().contains("{name}") {
        parameters.push(json!({ "name": "name", "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    parameters.extend(query);
    let streams = matches!(op, Op::Events | Op::Logs | Op::Status);
    let mut content = Map::new();
    if op == Op::Metrics {
        content.insert(super::metrics::KIND.to_owned(), json!({ "schema": answer }));
    } else if !matches!(op, Op::Events | Op::Logs) {
        content.insert("application/json".to_owned(), json!({ "schema": answer }));
    }
    if streams {
        for kind in ["application/x-ndjson", "text/event-stream"] {
            content.insert(kind.to_owned(), json!({ "schema": answer }));
        }
    }
    let error = schemas.subschema_for::<wire::ErrorBody>();
    let mut operation = json!({
        "operationId": format!("{op:?}"),
        "summary": op.summary(),
        "parameters": parameters,
        "responses": {
            "200": { "description": "Done", "content": content },
            "default": { "description": "An error", "content": { "application/json": { "schema": error } } },
        },
    });
    if let Some(body) = body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body } } });
    }
    operation
}

/// The types of body, query and answer.
fn types(op: Op, schemas: &mut SchemaGenerator) -> (Option<Value>, Vec<Value>, Value) {
    fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
        schemas.subschema_for::<T>().to_value()
    }
    let outcome = of::<wire::Outcome>(schemas);
    let command = |body: Value, answer: Value| (Some(body), Vec::new(), answer);
    match op {
        Op::Status => (None, query::<wire::StatusQuery>(), of::<wire::Status>(schemas)),
        Op::Events => (None, query::<wire::EventsQuery>(), of::<wire::Event>(schemas)),
        Op::Logs => (None, query::<wire::LogsQuery>(), of::<wire::LogRecord>(schemas)),
        Op::Graph => (None, Vec::new(), of::<wire::Graph>(schemas)),
        Op::Service => (None, Vec::new(), of::<wire::Service>(schemas)),
        Op::Why => (None, Vec::new(), of::<wire::Why>(schemas)),
        Op::Start | Op::Stop | Op::Restart => command(of::<wire::Wait>(schemas), outcome),
        Op::Scale => command(of::<wire::Scale>(schemas), outcome),
        Op::Signal => command(of::<wire::Signal>(schemas), outcome),
        Op::Exec => command(of::<wire::Exec>(schemas), of::<Vec<wire::ExecReply>>(schemas)),
        Op::Apply => command(of::<wire::Apply>(schemas), of::<wire::Applied>(schemas)),
        Op::Down => command(of::<wire::Down>(schemas), outcome),
        Op::Upgrade => command(of::<wire::Upgrade>(schemas), of::<wire::Upgrading>(schemas)),
        Op::Metrics => (None, Vec::new(), json!({ "type": "string" })),
        Op::OpenApi => (None, Vec::new(), json!({ "type": "object" })),
    }
}

/// Each field of the query type as a parameter.
fn query<T: JsonSchema>() -> Vec<Value> {
    let settings = SchemaSettings::openapi3().with(|s| s.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, mut schema)| {
            let text = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or_default();
            json!({ "name": name, "in": "query", "description": text, "schema": schema })
        })
        .collect()
}
