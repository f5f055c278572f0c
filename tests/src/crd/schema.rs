//! Structural schemas, read as the API server reads them with strict field validation.
//!
//! The CRDs hold no `additionalProperties: false`, so to a plain JSON Schema validator every typo
//! is fine. The API server refuses a field that `properties` does not name.

use regex::Regex;
use serde_json::{Map, Value};

use super::rule;
use crate::Refusal;

/// Says why `object` does not fit `schema`. The metadata of the whole object is not looked into.
pub(crate) fn refusals(schema: &Value, object: &Value) -> Vec<Refusal> {
    let mut walk = Walk {
        refusals: Vec::new(),
    };
    walk.value(schema, object, "");
    walk.refusals
}

struct Walk {
    refusals: Vec<Refusal>,
}

impl Walk {
    fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        if value.is_null() && is_true(schema, "nullable") {
            return;
        }
        if !has_type(schema, value) {
            let expected = match schema.get("type").and_then(Value::as_str) {
                Some(name) if !is_true(schema, INT_OR_STRING) => name,
                Some(_) | None => "integer or string",
            };
            return self.refuse(path, format!("{} instead of {expected}", type_name(value)));
        }
        if let Some(options) = schema.get("enum").and_then(Value::as_array)
            && !options.contains(value)
        {
            self.refuse(
                path,
                format!("{value} is not one of {}", Value::from(options.clone())),
            );
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::String(text) => self.string(schema, text, path),
            Value::Number(number) => self.number(schema, number, path),
            Value::Null | Value::Bool(_) => {}
        }
        for message in rule::broken(schema, value) {
            self.refuse(path, message);
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, path: &str) {
        self.size(
            schema,
            fields.len(),
            ["minProperties", "maxProperties"],
            "fields",
            path,
        );
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                self.refuse(&field(path, name), "is required");
            }
        }
        for (name, value) in fields {
            self.field(schema, name, value, path);
        }
    }

    fn field(&mut self, schema: &Value, name: &str, value: &Value, path: &str) {
        if let Some(schema) = schema.get("properties").and_then(|all| all.get(name)) {
            let path = field(path, name);
            // A null where a default exists is dropped before validation.
            if !(value.is_null() && schema.get("default").is_some()) {
                self.value(schema, value, &path);
            }
            return;
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => {}
            Some(others @ Value::Object(_)) => {
                self.value(others, value, &format!("{path}[{name}]"));
            }
            _ if is_true(schema, "x-kubernetes-preserve-unknown-fields") => {}
            // `metadata: {type: object}` of the whole object is the one open object.
            _ if path == "metadata" => {}
            _ => self.refuse(&field(path, name), "unknown field"),
        }
    }

    fn array(&mut self, schema: &Value, items: &[Value], path: &str) {
        self.size(schema, items.len(), ["minItems", "maxItems"], "items", path);
        if let Some(schema) = schema.get("items") {
            for (at, item) in items.iter().enumerate() {
                self.value(schema, item, &format!("{path}[{at}]"));
            }
        }
    }

    fn string(&mut self, schema: &Value, text: &str, path: &str) {
        let length = text.chars().count();
        self.size(
            schema,
            length,
            ["minLength", "maxLength"],
            "characters",
            path,
        );
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            self.pattern(pattern, text, path);
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("byte") => self.pattern(BASE64, text, path),
            Some("date-time") => self.pattern(DATE_TIME, text, path),
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &str, text: &str, path: &str) {
        match Regex::new(pattern) {
            Ok(regex) if regex.is_match(text) => {}
            Ok(_) => self.refuse(path, format!("{text:?} does not match `{pattern}`")),
            Err(err) => self.refuse(path, format!("the pattern `{pattern}` is not valid: {err}")),
        }
    }

    fn number(&mut self, schema: &Value, number: &serde_json::Number, path: &str) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let value = number.as_f64().unwrap_or(f64::NAN);
        if bound("minimum").is_some_and(|least| value < least) {
            self.refuse(path, format!("{number} is too small"));
        }
        if bound("maximum").is_some_and(|most| value > most) {
            self.refuse(path, format!("{number} is too large"));
        }
        let fits = number
            .as_i64()
            .is_some_and(|value| i32::try_from(value).is_ok());
        if schema.get("format").and_then(Value::as_str) == Some("int32") && !fits {
            self.refuse(path, format!("{number} does not fit 32 bits"));
        }
    }

    fn size(&mut self, schema: &Value, size: usize, keys: [&str; 2], what: &str, path: &str) {
        let [least, most] = keys.map(|key| schema.get(key).and_then(Value::as_u64));
        let size = size as u64;
        if least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most) {
            let bound =
                |bound: Option<u64>| bound.map_or("any".into(), |number| number.to_string());
            let range = format!("{} to {}", bound(least), bound(most));
            self.refuse(path, format!("{size} {what} instead of {range}"));
        }
    }

    fn refuse(&mut self, path: &str, reason: impl Into<String>) {
        self.refusals.push(Refusal::new(path, reason));
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if is_true(schema, INT_OR_STRING) {
        return value.is_i64() || value.is_u64() || value.is_string();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("number") => value.is_number(),
        Some(name) => type_name(value) == name,
        None => true,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_true(schema: &Value, key: &str) -> bool {
    schema.get(key) == Some(&Value::Bool(true))
}

fn field(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$";

const DATE_TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: &Value, value: &Value) -> Vec<String> {
        refusals(schema, value)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_object_with_properties_is_closed() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        assert_eq!(found(&schema, &json!({"a": "x"})), [""; 0]);
        assert_eq!(
            found(&schema, &json!({"a": "x", "b": 1})),
            ["b: unknown field"]
        );
    }

    #[test]
    fn an_object_without_properties_is_closed_too() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "object"}}});
        assert_eq!(
            found(&schema, &json!({"a": {"b": 1}})),
            ["a.b: unknown field"]
        );
    }

    #[test]
    fn an_object_is_open_where_the_schema_says_so() {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        assert_eq!(found(&open, &json!({"b": 1})), [""; 0]);
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        assert_eq!(found(&map, &json!({"b": "x"})), [""; 0]);
        assert_eq!(
            found(&map, &json!({"b": 1})),
            ["[b]: integer instead of string"]
        );
    }

    #[test]
    fn sizes_are_checked() {
        let schema = json!({"type": "object", "minProperties": 1, "maxProperties": 1, "properties": {
            "text": {"type": "string", "minLength": 2, "maxLength": 3},
            "list": {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
        }});
        assert_eq!(found(&schema, &json!({"text": "äö"})), [""; 0]);
        assert_eq!(
            found(&schema, &json!({"text": "ä"})),
            ["text: 1 characters instead of 2 to 3"]
        );
        assert_eq!(
            found(&schema, &json!({"list": []})),
            ["list: 0 items instead of 1 to any"]
        );
        assert_eq!(found(&schema, &json!({})), [": 0 fields instead of 1 to 1"]);
        let both = json!({"text": "abc", "list": [true]});
        assert_eq!(found(&schema, &both), [": 2 fields instead of 1 to 1"]);
    }

    #[test]
    fn null_is_a_value_only_where_it_is_allowed() {
        let schema = json!({"type": "object", "properties": {
            "plain": {"type": "string"},
            "nullable": {"type": "string", "nullable": true},
            "defaulted": {"type": "string", "default": "x"},
        }});
        assert_eq!(
            found(&schema, &json!({"nullable": null, "defaulted": null})),
            [""; 0]
        );
        assert_eq!(
            found(&schema, &json!({"plain": null})),
            ["plain: null instead of string"]
        );
    }

    #[test]
    fn an_int_or_string_is_either() {
        let schema = json!({"x-kubernetes-int-or-string": true, "anyOf": []});
        assert_eq!(found(&schema, &json!("80%")), [""; 0]);
        assert_eq!(found(&schema, &json!(80)), [""; 0]);
        assert_eq!(
            found(&schema, &json!(true)),
            [": boolean instead of integer or string"]
        );
        assert_eq!(
            found(&schema, &json!(1.5)),
            [": number instead of integer or string"]
        );
    }

    #[test]
    fn numbers_and_formats_are_checked() {
        let number = json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 5e9});
        assert_eq!(found(&number, &json!(1)), [""; 0]);
        assert_eq!(found(&number, &json!(0)), [": 0 is too small"]);
        assert_eq!(found(&number, &json!(3_000_000_000_u64)).len(), 1);
        assert_eq!(found(&number, &json!(6_000_000_000_u64)).len(), 2);
        assert_eq!(found(&number, &json!(1.5)).len(), 1);
        let bytes = json!({"type": "string", "format": "byte"});
        assert_eq!(found(&bytes, &json!("Y2E=")), [""; 0]);
        assert_eq!(found(&bytes, &json!("Y2E")).len(), 1);
        let time = json!({"type": "string", "format": "date-time"});
        assert_eq!(found(&time, &json!("2026-01-02T03:04:05Z")), [""; 0]);
        assert_eq!(found(&time, &json!("yesterday")).len(), 1);
    }
}
