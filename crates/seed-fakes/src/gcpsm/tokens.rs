//! Where clients get their tokens: the endpoint of accounts, and the metadata server of a machine; and where libraries ask
//! in the background from which regions an account may act.

use serde_json::json;

use crate::{Answer, Request};

/// What such a request is called, if it is one.
pub(super) fn operation(request: &Request) -> Option<&'static str> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/token") => Some("Token"),
        ("GET", path) if path.starts_with("/computeMetadata/v1/") => Some("Metadata"),
        ("GET", path) if path.ends_with("/allowedLocations") => Some("AllowedLocations"),
        _ => None,
    }
}

/// Answers it with a token, or with what else a machine says of itself.
pub(super) fn answer(request: &Request, token: &str) -> Answer {
    if request.path == "/token" {
        let form = String::from_utf8_lossy(&request.body);
        let known = form.contains("refresh_token") || form.contains("jwt-bearer");
        if !known {
            return Answer::json(400, &json!({"error": "unsupported_grant_type"}));
        }
        return given(token);
    }
    if request.path.ends_with("/allowedLocations") {
        // From everywhere.
        return Answer::json(200, &json!({"locations": [], "encodedLocations": "0x0"}));
    }
    if request.header("metadata-flavor") != Some("Google") {
        return Answer::empty(403);
    }
    let path = request.path.trim_start_matches("/computeMetadata/v1/");
    let of_account = path.strip_prefix("instance/service-accounts/");
    let of_account = of_account.and_then(|rest| rest.split_once('/'));
    let answer = match (of_account, path) {
        (Some(("default" | MACHINE, what)), _) => match what {
            "token" => given(token),
            "email" => text(MACHINE),
            "" if request.parameter("recursive").as_deref() == Some("true") => {
                let scopes = ["https://www.googleapis.com/auth/cloud-platform"];
                let account = json!({"aliases": ["default"], "email": MACHINE, "scopes": scopes});
                Answer::json(200, &account)
            }
            _ => Answer::empty(404),
        },
        (_, "universe/universe-domain") => text("googleapis.com"),
        (_, "project/project-id") => text("ai-lab"),
        _ => Answer::empty(404),
    };
    answer.with_header("metadata-flavor", "Google")
}

const MACHINE: &str = "machine@ai-lab.iam.gserviceaccount.com";

fn given(token: &str) -> Answer {
    let body = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
    Answer::json(200, &body)
}

fn text(text: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/text".to_owned())],
        body: text.as_bytes().to_vec(),
    }
}
