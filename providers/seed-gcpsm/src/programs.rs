//! Programs that credentials name, which Google's library runs with all of our variables.

use serde_json::Value;

/// Lets `env` take these variables away before each program runs: some may hold values.
pub(crate) fn withhold(credentials: &mut Value, variables: &[String]) {
    let members = match credentials {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return;
        }
    };
    for (name, member) in members {
        if name == "executable"
            && let Some(Value::String(command)) = member.get_mut("command")
        {
            *command = without(variables, command);
        }
        // What one account acts through may be another one's credentials.
        withhold(member, variables);
    }
}

/// The library splits a command at blanks and knows no quotes.
fn without(variables: &[String], command: &str) -> String {
    let plain = |name: &&String| !name.is_empty() && !name.contains(char::is_whitespace);
    let taken: String = variables
        .iter()
        .filter(plain)
        .map(|name| format!("-u {name} "))
        .collect();
    if taken.is_empty() {
        return command.to_owned();
    }
    format!("env {taken}{command}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_program_loses_the_variables_first_and_nothing_else_changes() {
        let credentials = |command: &str| {
            json!({
                "type": "impersonated_service_account",
                "source_credentials": {
                    "type": "external_account",
                    "credential_source": {"executable": {"command": command, "timeout_millis": 5000}},
                },
            })
        };
        let mut changed = credentials("/bin/tool --a b");
        withhold(
            &mut changed,
            &["SEED_VALUE_A".to_owned(), "odd.name".to_owned()],
        );
        let expected = "env -u SEED_VALUE_A -u odd.name /bin/tool --a b";
        assert_eq!(changed, credentials(expected));
        let mut same = credentials("/bin/tool");
        withhold(&mut same, &[]);
        assert_eq!(same, credentials("/bin/tool"));
    }
}
