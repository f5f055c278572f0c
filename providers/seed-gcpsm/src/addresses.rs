//! Addresses that credentials name, where Google's library sends what a token is given for.

use reqwest::Url;
use serde_json::Value;

use crate::place::is_here;

/// The member, at any depth, whose address anybody on the way could read along at.
pub(crate) fn in_the_clear(credentials: &Value) -> Option<&'static str> {
    let members = match credentials {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return None;
        }
    };
    let own = SENT_TO.into_iter().find(|member| {
        let address = members.get(*member).and_then(Value::as_str);
        address.is_some_and(|address| !is_safe(address))
    });
    // What one account acts through may be another one's credentials.
    own.or_else(|| members.values().find_map(in_the_clear))
}

fn is_safe(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match url.scheme() {
        "https" => true,
        "http" => is_here(&url),
        _ => false,
    })
}

const SENT_TO: [&str; 3] = [
    "service_account_impersonation_url",
    "token_uri",
    "token_url",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_goes_to_another_machine_without_tls() {
        for member in SENT_TO {
            for (address, safe) in [
                ("https://oauth2.googleapis.com/token", true),
                ("http://127.0.0.1:8080/token", true),
                ("http://[::1]/token", true),
                ("http://localhost/token", true),
                ("http://oauth2.googleapis.com/token", false),
                ("http://127.0.0.1.example.com/token", false),
                ("ftp://127.0.0.1/token", false),
                ("oauth2.googleapis.com/token", false),
                ("", false),
            ] {
                let wanted = (!safe).then_some(member);
                let file = json!({"type": "x", member: address});
                assert_eq!(in_the_clear(&file), wanted, "{address}");
                let behind = json!({"source_credentials": file});
                assert_eq!(in_the_clear(&behind), wanted, "{address}");
            }
        }
        assert_eq!(
            in_the_clear(&json!({"token_uri": null, "client_id": "a"})),
            None
        );
    }
}
