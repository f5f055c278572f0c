//! The JSON Schema of a contract, for editors and for the reference documentation.

/// The schema (draft 2020-12): JSON text, indented, ending in a line feed.
///
/// Everything that [`parse`](super::parse) accepts is valid by it. What only a reader of the whole contract can tell,
/// such as a reference to an entry that nobody declares, it leaves to `parse`.
pub fn schema() -> &'static str {
    include_str!("schema.json")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::backend::{CaseRule, Kind};

    fn read() -> Value {
        serde_json::from_str(schema()).unwrap()
    }

    fn walk<'v>(path: &str, value: &'v Value, visit: &mut dyn FnMut(&str, &'v Value)) {
        visit(path, value);
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
            Value::Array(items) => (0..items.len())
                .map(|at| (at.to_string(), &items[at]))
                .collect(),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        for (key, value) in members {
            walk(&format!("{path}/{key}"), value, visit);
        }
    }

    #[test]
    fn the_text_is_written_as_serde_json_writes_it() {
        let written = format!("{}\n", serde_json::to_string_pretty(&read()).unwrap());
        assert_eq!(schema(), written);
    }

    #[test]
    fn every_property_says_what_it_is_for() {
        let schema = read();
        walk("", &schema, &mut |path, value| {
            let Some(properties) = value.get("properties").and_then(Value::as_object) else {
                return;
            };
            // Conditions and refusals name properties that are described where they are declared.
            let judges = ["/if", "/then", "/else", "/not", "/allOf/"];
            if judges.iter().any(|word| path.contains(word)) {
                return;
            }
            for (name, property) in properties {
                let own = property.get("description");
                let target = property.get("$ref").and_then(Value::as_str);
                let target =
                    target.and_then(|target| schema.pointer(target.trim_start_matches('#')));
                let described = own.or(target.and_then(|target| target.get("description")));
                assert!(described.is_some(), "{path}/properties/{name}");
            }
        });
    }

    #[test]
    fn every_backend_says_which_names_and_sizes_it_takes() {
        let schema = read();
        for kind in Kind::ALL {
            let said = schema["$defs"][format!("backend-{kind}")]["description"].as_str();
            assert_eq!(said, Some(sentence(kind).as_str()), "{kind}");
        }
    }

    fn sentence(kind: Kind) -> String {
        let rule = kind.rule();
        let (letters, case) = match rule.case {
            CaseRule::Lowered => ("lower-case letters", ", and upper case becomes lower case"),
            CaseRule::Insensitive => ("letters", "; upper and lower case are the same name"),
            CaseRule::Sensitive => ("letters", ""),
        };
        let dashed: Vec<String> = rule.dashed.chars().map(|c| format!("`{c}`")).collect();
        let dashed = match dashed.as_slice() {
            [] => String::new(),
            [one] => format!("; in keys {one} becomes `-`"),
            several => format!("; in keys {} become `-`", several.join(" and ")),
        };
        format!(
            "A backend of kind `{kind}`. Stored names have {letters}, digits and `{}`, at most {} of them\
             {dashed}{case}. An entry has at most {} bytes.",
            rule.punctuation, rule.max_name, rule.max_bytes
        )
    }

    #[test]
    fn every_reference_has_a_target() {
        let schema = read();
        walk("", &schema, &mut |path, value| {
            if let Some(target) = value.get("$ref").and_then(Value::as_str) {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(schema.pointer(pointer).is_some(), "{path}: {target}");
            }
        });
    }

    #[test]
    fn every_definition_is_used() {
        let schema = read();
        for name in schema["$defs"].as_object().unwrap().keys() {
            let words = [format!("\"#/$defs/{name}\""), format!("\"#/$defs/{name}/")];
            let used = words.iter().any(|word| super::schema().contains(word));
            assert!(used, "{name}");
        }
    }

    #[test]
    fn every_object_with_declared_properties_is_closed() {
        let schema = read();
        walk("", &schema, &mut |path, value| {
            let declares = value.get("type") == Some(&"object".into());
            if declares && value.get("properties").is_some() && value.get("allOf").is_none() {
                assert!(value.get("additionalProperties").is_some(), "{path}");
            }
        });
    }
}
