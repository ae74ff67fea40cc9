#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use super::schema;
use crate::spec::{
    SourceMap,
    file::{STACK_FILE, Shape, Table, Ty},
    yaml::{self, Budget, Node, Trail},
};

/// The part of JSON Schema that ours uses; why a value does not fit.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("{value}: {why} {schema}"));
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.trim_start_matches('#').replace("%20", " ");
        fits(value, root.pointer(&pointer).unwrap(), root)?;
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array)
        && any.iter().all(|option| fits(value, option, root).is_err())
    {
        return refuse("none of");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        return refuse("not in");
    }
    if let Some(types) = schema.get("type") {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let one = |t: &Value| t == name || (t == "number" && name == "integer");
        if !types.as_array().map_or_else(|| one(types), |types| types.iter().any(one)) {
            return refuse("type of");
        }
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema.get("pattern").and_then(Value::as_str))
        && !regex::Regex::new(pattern).unwrap().is_match(text)
    {
        return refuse("pattern of");
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    if value
        .as_f64()
        .is_some_and(|n| number("minimum").is_some_and(|low| n < low) || number("maximum").is_some_and(|high| n > high))
    {
        return refuse("range of");
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        items.iter().try_for_each(|item| fits(item, schema, root))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(key.as_str().unwrap()) {
            return refuse("required of");
        }
    }
    for (key, value) in object {
        match (schema.pointer(&format!("/properties/{key}")), schema.get("additionalProperties")) {
            (Some(schema), _) => fits(value, schema, root)?,
            (None, Some(Value::Bool(false))) => return refuse(&format!("`{key}` is not in")),
            (None, Some(schema @ Value::Object(_))) => fits(value, schema, root)?,
            (None, _) => {}
        }
    }
    Ok(())
}

fn json_of(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Scalar(scalar) if scalar.is_null() => Value::Null,
        yaml::Value::Scalar(scalar) => match serde_json::from_str(&scalar.text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) if scalar.plain => value,
            _ => json!(&*scalar.text),
        },
        yaml::Value::Seq(items) => items.iter().map(json_of).collect(),
        yaml::Value::Map(entries) => entries.iter().map(|e| (e.key.to_string(), json_of(&e.value))).collect(),
    }
}

fn parse(text: &str) -> (Node, SourceMap) {
    let mut map = SourceMap::default();
    let file = map.add("stack.yaml".into(), text);
    (yaml::parse(file, &map, &mut Budget::default(), &mut Vec::new()).unwrap(), map)
}

/// Files that the reader takes fit the schema, and those that it refuses for their shape do not.
#[test]
fn it_agrees_with_the_reader() {
    let schema = schema();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spec");
    for (stem, good) in [
        ("valid-everything", true),
        ("sample-brief", true),
        ("no-effect-yet", true),
        ("host-port-clash", true),
        ("http-on-other-protocol", true),
        ("cycle", true),
        ("unknown-key", false),
        ("unknown-value", false),
        ("wrong-type-root", false),
        ("bad-duration", false),
        ("bad-size", false),
        ("bad-percent", false),
        ("bad-port", false),
        ("bad-version", false),
        ("bad-name", false),
        ("out-of-range", false),
        ("missing-key", false),
        ("bad-volume", false),
        ("bad-platform", false),
        ("bad-name-network", false),
    ] {
        let text = fs::read_to_string(folder.join(stem).with_extension("yaml")).unwrap();
        let result = fits(&json_of(&parse(&text).0), &schema, &schema);
        assert_eq!(result.is_ok(), good, "{stem}: {result:?}");
    }
}

fn tables(ty: &Ty, found: &mut Vec<(&'static Table, bool)>) {
    match ty {
        Ty::Table(table) | Ty::Services(table) | Ty::Check(table) | Ty::Short(_, table)
            if !found.iter().any(|(known, _)| known.name == table.name) =>
        {
            found.push((table, matches!(ty, Ty::Check(_))));
            table.fields.iter().for_each(|field| tables(&field.ty, found));
        }
        Ty::List(item) | Ty::OneOrMany(item) | Ty::Map(item) => tables(item, found),
        _ => {}
    }
}

/// Every key of the schema is one that the reader knows, and the other way round.
#[test]
fn it_has_the_readers_keys() {
    let schema = schema();
    let mut all = vec![(&STACK_FILE, false)];
    STACK_FILE.fields.iter().for_each(|field| tables(&field.ty, &mut all));
    assert!(all.len() > 20, "{}", all.len());
    for (table, open) in all {
        let part = if table.name == STACK_FILE.name { &schema } else { &schema["$defs"][table.name] };
        let keys: BTreeSet<_> = part["properties"].as_object().unwrap().keys().cloned().collect();
        for key in &keys {
            assert!(part["properties"][key]["description"].is_string(), "{}.{key}", table.name);
            // The reader may dislike the value, but not the key.
            let (mut node, map) = parse(&format!("{key}: 1"));
            let var = |_: &str| None;
            let mut shape = Shape::new(&map, &[], &var);
            let ty = if open { Ty::Check(table) } else { Ty::Table(table) };
            shape.check(&mut node, &ty, &Trail::Root);
            assert!(shape.out.iter().all(|d| d.code != crate::spec::code::UNKNOWN_KEY), "{}.{key}", table.name);
        }
        let fields: BTreeSet<_> = table.fields.iter().map(|field| field.key.to_owned()).collect();
        assert_eq!(keys, fields, "{}", table.name);
    }
}
