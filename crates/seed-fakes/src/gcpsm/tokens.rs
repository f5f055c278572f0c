//! Where clients get their tokens: the endpoint of accounts, the exchange of other people's tokens, the place where one account
//! acts as another, and the metadata server of a machine; and where libraries ask in the background from which regions an
//! account may act.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::clock::timestamp;
use crate::{Answer, Request};

/// What somebody else's identity provider gave, and the exchange takes.
pub(super) const SUBJECT_TOKEN: &str = "subject-token-of-a-test";

/// What such a request is called, if it is one.
pub(super) fn operation(request: &Request) -> Option<&'static str> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/token") => Some("Token"),
        ("POST", "/v1/token") => Some("Exchange"),
        ("POST", path) if path.ends_with(":generateAccessToken") => Some("Impersonate"),
        ("GET", path) if path.starts_with("/computeMetadata/v1/") => Some("Metadata"),
        ("GET", path) if path.ends_with("/allowedLocations") => Some("AllowedLocations"),
        _ => None,
    }
}

/// Answers it with a token, or with what else is asked.
pub(super) fn answer(request: &Request, token: &str) -> Answer {
    match operation(request) {
        Some("Token") => {
            let form = String::from_utf8_lossy(&request.body);
            let known = form.contains("refresh_token") || form.contains("jwt-bearer");
            if !known {
                return Answer::json(400, &json!({"error": "unsupported_grant_type"}));
            }
            given(token)
        }
        Some("Exchange") => exchanged(request, token),
        Some("Impersonate") => impersonated(request, token),
        // From everywhere.
        Some("AllowedLocations") => {
            Answer::json(200, &json!({"locations": [], "encodedLocations": "0x0"}))
        }
        Some(_) | None => of_machine(request, token),
    }
}

/// The Security Token Service.
fn exchanged(request: &Request, token: &str) -> Answer {
    let form = Request {
        query: String::from_utf8_lossy(&request.body).into_owned(),
        ..request.clone()
    };
    let is = |name: &str, wanted: &str| form.parameter(name).as_deref() == Some(wanted);
    let refuse = |error: &str, words: &str| {
        Answer::json(400, &json!({"error": error, "error_description": words}))
    };
    if !is(
        "grant_type",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ) {
        return refuse("unsupported_grant_type", "The grant type is not supported.");
    }
    let audience = form.parameter("audience").unwrap_or_default();
    if !audience.starts_with("//iam.googleapis.com/") {
        return refuse("invalid_request", "Invalid value for \"audience\".");
    }
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    if !is("requested_token_type", kind) || !is("subject_token", SUBJECT_TOKEN) {
        return refuse("invalid_grant", "The subject token is not valid.");
    }
    Answer::json(
        200,
        &json!({
            "access_token": token, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3600,
        }),
    )
}

/// `generateAccessToken` of IAM Credentials.
fn impersonated(request: &Request, token: &str) -> Answer {
    let given = request.header("authorization");
    if given.and_then(|text| text.strip_prefix("Bearer ")) != Some(token) {
        let error = json!({"code": 401, "message": "no token", "status": "UNAUTHENTICATED"});
        return Answer::json(401, &json!({"error": error}));
    }
    let expires = SystemTime::now() + Duration::from_hours(1);
    let body = json!({"accessToken": token, "expireTime": timestamp(expires)});
    Answer::json(200, &body)
}

fn of_machine(request: &Request, token: &str) -> Answer {
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
