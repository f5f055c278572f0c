//! The words of a schema that the validator knows.
//!
//! A keyword that it does not know would be a rule silently left out, so a schema with one is not
//! used at all.

use serde_json::Value;

/// Fails when `schema` says something that the validator would not check.
pub(crate) fn check(schema: &Value) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        return Err("a schema that is not an object".into());
    };
    for (keyword, value) in keywords {
        let known = match keyword.as_str() {
            "properties" => {
                let properties = value.as_object().ok_or("`properties` is not an object")?;
                properties.values().try_for_each(check)?;
                true
            }
            "items" => check(value).map(|()| true)?,
            "additionalProperties" if value.is_boolean() => true,
            "additionalProperties" => check(value).map(|()| true)?,
            "anyOf" => schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)),
            "format" => FORMATS.iter().any(|format| value == format),
            "x-kubernetes-list-type" => value == "atomic",
            keyword => KEYWORDS.contains(&keyword),
        };
        if !known {
            return Err(format!("the validator does not know `{keyword}: {value}`"));
        }
    }
    Ok(())
}

const FORMATS: [&str; 4] = ["byte", "date-time", "int32", "int64"];

const KEYWORDS: [&str; 20] = [
    "default",
    "description",
    "enum",
    "example",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_words_are_accepted() {
        let schema = json!({
            "type": "object",
            "properties": {"port": {"x-kubernetes-int-or-string": true, "anyOf": []}},
            "required": ["port"],
        });
        assert_eq!(check(&schema), Ok(()));
    }

    #[test]
    fn an_unknown_word_anywhere_is_an_error() {
        for unknown in [
            json!({"oneOf": []}),
            json!({"anyOf": [{"required": ["a"]}]}),
            json!({"type": "string", "format": "email"}),
            json!({"type": "array", "x-kubernetes-list-type": "map"}),
        ] {
            let nested = json!({"type": "object", "properties": {"a": {"items": unknown}}});
            assert!(check(&nested).is_err(), "{nested}");
        }
    }
}
