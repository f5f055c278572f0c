//! The rules in CEL that a schema may carry.

use cel::{Context, Program};
use serde_json::Value;

/// Says why `value` breaks one of the rules of `schema`.
pub(crate) fn broken(schema: &Value, value: &Value) -> Vec<String> {
    let rules = schema
        .get("x-kubernetes-validations")
        .and_then(Value::as_array);
    rules
        .into_iter()
        .flatten()
        .filter_map(|rule| breach(rule, value))
        .collect()
}

fn breach(rule: &Value, value: &Value) -> Option<String> {
    let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
    match holds(text("rule"), value) {
        Ok(true) => None,
        Ok(false) => Some(text("message").to_owned()),
        Err(err) => Some(format!(
            "the rule `{}` cannot be evaluated: {err}",
            text("rule")
        )),
    }
}

fn holds(rule: &str, value: &Value) -> Result<bool, String> {
    let program = Program::compile(rule).map_err(|err| err.to_string())?;
    let mut context = Context::default();
    context
        .add_variable("self", cel::to_value(value).map_err(|err| err.to_string())?)
        .map_err(|err| err.to_string())?;
    let verdict = program.execute(&context).map_err(|err| err.to_string())?;
    if let cel::Value::Bool(holds) = verdict {
        Ok(holds)
    } else {
        Err(format!("it yields {verdict:?}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_evaluated() {
        let schema = json!({"x-kubernetes-validations": [
            {"rule": "[has(self.a), has(self.b)].filter(x, x == true).size() == 1", "message": "one"},
            {"rule": "!('c' in self)", "message": "no c"},
        ]});
        assert_eq!(broken(&schema, &json!({"a": 1})), Vec::<String>::new());
        assert_eq!(broken(&schema, &json!({"a": 1, "b": {}})), ["one"]);
        assert_eq!(broken(&schema, &json!({"c": 1})), ["one", "no c"]);
    }

    #[test]
    fn a_rule_that_cannot_be_evaluated_is_no_pass() {
        for rule in ["self.missing == 1", "1 +", "'text'"] {
            let schema = json!({"x-kubernetes-validations": [{"rule": rule, "message": "m"}]});
            let broken = broken(&schema, &json!({"a": 1}));
            assert!(
                broken
                    .iter()
                    .any(|text| text.contains("cannot be evaluated")),
                "{broken:?}"
            );
        }
    }
}
