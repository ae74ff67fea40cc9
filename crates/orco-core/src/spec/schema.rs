//! The JSON Schema of the stack file, from the table of fields.

use serde_json::{Map, Value, json};

use super::file::{Field, STACK_FILE, Table, Ty};

/// The schema, for editors. It describes files before variables are expanded, so `${VAR}` passes everywhere.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut root = table(&STACK_FILE, false, &mut definitions);
    if let Value::Object(root) = &mut root {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("Orco stack file 0.1"));
        root.insert("$defs".to_owned(), Value::Object(definitions));
    }
    root
}

fn table(table: &'static Table, open: bool, definitions: &mut Map<String, Value>) -> Value {
    let properties: Map<String, Value> =
        table.fields.iter().map(|field| (field.key.to_owned(), field_schema(field, definitions))).collect();
    let required: Vec<_> = table.fields.iter().filter(|field| field.required).map(|field| field.key).collect();
    let mut schema = json!({
        "type": "object",
        "description": table.doc,
        "properties": properties,
        "additionalProperties": open,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn field_schema(field: &'static Field, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = of(&field.ty, definitions);
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(field.doc));
    }
    schema
}

/// A reference to a table, which is described once.
fn reference(of: &'static Table, open: bool, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(of.name) {
        // Before its fields, in case one of them refers back.
        definitions.insert(of.name.to_owned(), Value::Null);
        let schema = table(of, open, definitions);
        definitions.insert(of.name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/$defs/{}", of.name.replace(' ', "%20")) })
}

/// A scalar of this pattern, or one with a variable in it.
fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^({pattern})$|\\$\\{{") })
}

/// A number, or its text.
fn number(schema: Value, pattern: &str) -> Value {
    json!({ "anyOf": [schema, text(pattern)] })
}

fn of(ty: &'static Ty, definitions: &mut Map<String, Value>) -> Value {
    match ty {
        Ty::Words => json!({ "anyOf": [
            { "type": "array", "items": { "type": ["string", "number", "boolean"] } },
            { "type": "string" },
        ] }),
        Ty::Command => json!({ "anyOf": [
            { "type": "array", "minItems": 1, "items": { "type": ["string", "number", "boolean"] } },
            { "type": "string", "minLength": 1 },
        ] }),
        Ty::List(item) => json!({ "type": ["array", "null"], "items": of(item, definitions) }),
        Ty::OneOrMany(item) => {
            let item = of(item, definitions);
            json!({ "anyOf": [item, { "type": ["array", "null"], "items": item }] })
        }
        Ty::Map(item) => json!({ "type": ["object", "null"], "additionalProperties": of(item, definitions) }),
        Ty::Env => {
            json!({ "type": ["object", "null"], "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
        }
        Ty::Services(service) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$" },
            "additionalProperties": reference(service, false, definitions),
        }),
        Ty::Table(table) => reference(table, false, definitions),
        Ty::Check(table) => reference(table, true, definitions),
        Ty::Short(short, table) => {
            json!({ "anyOf": [of(short, definitions), reference(table, false, definitions)] })
        }
        scalar => of_scalar(scalar),
    }
}

fn of_scalar(ty: &Ty) -> Value {
    const DURATION: &str = "([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?";
    const SIZE: &str = "[0-9]+([KMGT]iB|[kMGT]B|B)?";
    match ty {
        Ty::Text | Ty::Template => json!({ "type": ["string", "number", "boolean"] }),
        Ty::Regex => json!({ "type": "string", "format": "regex" }),
        Ty::Name => text("[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?"),
        Ty::Bool => json!({ "anyOf": [{ "type": "boolean" }, text("true|false")] }),
        Ty::Int(low, high) => number(json!({ "type": "integer", "minimum": low, "maximum": high }), "-?[0-9]+"),
        Ty::Factor => number(json!({ "type": "number", "minimum": 1 }), "[0-9.]+"),
        Ty::Duration => text(DURATION),
        Ty::Size => number(json!({ "type": "integer", "minimum": 0 }), SIZE),
        Ty::Cpu => number(json!({ "type": "number", "exclusiveMinimum": 0 }), "[0-9.]+m?"),
        Ty::Percent => text("[0-9]+%"),
        Ty::Amount => number(json!({ "type": "integer", "minimum": 0, "maximum": 1000 }), "[0-9]+%?"),
        Ty::Retries => number(json!({ "type": "integer", "minimum": 0 }), "[0-9]+|unlimited"),
        Ty::Choice(words) => json!({ "enum": words }),
        Ty::Signal => number(json!({ "type": "integer", "minimum": 1, "maximum": 64 }), "(SIG)?[A-Za-z0-9]+"),
        Ty::Version => json!({ "enum": [0.1, "0.1"] }),
        Ty::PortNumber | Ty::ProbePort => {
            number(json!({ "type": "integer", "minimum": 1, "maximum": 65535 }), "[0-9]+")
        }
        Ty::PortMapping => {
            let pattern = "((([0-9.]+|\\[[0-9a-fA-F:.]+\\]):)?[0-9]+:)?[0-9]+(/(tcp|udp|http))?";
            number(json!({ "type": "integer", "minimum": 1, "maximum": 65535 }), pattern)
        }
        Ty::Mount => text("([^:]+:)?/[^:]+(:r[ow])?"),
        Ty::Platform => text("[a-z0-9._-]+/[a-z0-9._-]+(/[a-z0-9._-]+)?"),
        Ty::Network => text("[a-zA-Z0-9][a-zA-Z0-9_.-]*"),
        Ty::Url => text("https?://.+"),
        Ty::Address => text(".+:[0-9]+"),
        Ty::Ip => text("[0-9a-fA-F:.]+"),
        Ty::Status => number(json!({ "type": "integer", "minimum": 100, "maximum": 599 }), "[0-9]{3}(-[0-9]{3})?"),
        // The others are no scalars.
        _ => Value::Bool(true),
    }
}

#[cfg(test)]
mod tests;
