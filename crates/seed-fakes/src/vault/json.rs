//! JSON as a program in Go answers it.

use serde_json::{Number, Value};

/// Every number as a 64-bit float, members in the order of their names, and three signs as numbers.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(_) => string(value),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| {
                    format!("{}:{}", string(&Value::from(name.as_str())), text(value))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn number_text(number: &Number) -> String {
    let float = number.as_f64().unwrap_or_default();
    let size = float.abs();
    if float == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{float}");
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        Some(_) | None => text,
    }
}

fn string(value: &Value) -> String {
    let mut text = value.to_string();
    for sign in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        text = text.replace(sign, &format!("\\u{:04x}", u32::from(sign)));
    }
    text
}

/// Merges a patch into an object, as RFC 7396 says.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_a_real_server_was_seen_to_write_them() {
        let sent = r#"{"s":"<é&>","a":12345678901234567890,"b":1.50,"o":{"y":[1e3,{"q":null}],"x":1.50},"d":null,"c":true}"#;
        let value: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(
            text(&value),
            r#"{"a":12345678901234567000,"b":1.5,"c":true,"d":null,"o":{"x":1.5,"y":[1000,{"q":null}]},"s":"\u003cé\u0026\u003e"}"#
        );
        assert_eq!(text(&json!([1e21, 1e-7, 0])), "[1e+21,1e-7,0]");
    }

    #[test]
    fn a_patch_adds_removes_and_descends() {
        let mut value = json!({"a": 1, "b": {"c": 1, "d": 2}});
        merge(
            &mut value,
            &json!({"a": null, "b": {"c": 3}, "e": {"f": null}}),
        );
        assert_eq!(value, json!({"b": {"c": 3, "d": 2}, "e": {}}));
    }
}
