//! The defaults that the API server writes into an object before it stores it.

use serde_json::{Map, Value};

/// Returns `value` with the defaults of `schema`, at every depth.
pub(crate) fn filled(schema: &Value, value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(object(schema, fields)),
        Value::Array(items) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(items.iter().map(|item| filled(schema, item)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn object(schema: &Value, fields: &Map<String, Value>) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").unwrap_or(&Value::Null);
    let mut complete = Map::new();
    for (name, value) in fields {
        let schema = properties.and_then(|all| all.get(name)).unwrap_or(others);
        // A null where a default exists counts as absent.
        if !(value.is_null() && schema.get("default").is_some() && !nullable(schema)) {
            complete.insert(name.clone(), filled(schema, value));
        }
    }
    for (name, schema) in properties.into_iter().flatten() {
        if let Some(default) = schema.get("default")
            && !complete.contains_key(name)
        {
            complete.insert(name.clone(), filled(schema, default));
        }
    }
    complete
}

fn nullable(schema: &Value) -> bool {
    schema.get("nullable") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_written_at_every_depth() {
        let schema = json!({"type": "object", "properties": {
            "target": {
                "default": {"creation": "Owner"},
                "properties": {"creation": {"default": "Owner"}, "deletion": {"default": "Retain"}},
            },
            "data": {"items": {"properties": {"policy": {"default": "None"}}}},
            "any": {"additionalProperties": {"properties": {"a": {"default": 1}}}},
            "other": {"type": "string"},
        }});
        let value = json!({"data": [{"policy": "Fetch"}, {}, {"policy": null}], "any": {"x": {}}});
        let expected = json!({
            "data": [{"policy": "Fetch"}, {"policy": "None"}, {"policy": "None"}],
            "any": {"x": {"a": 1}},
            "target": {"creation": "Owner", "deletion": "Retain"},
        });
        assert_eq!(filled(&schema, &value), expected);
    }
}
