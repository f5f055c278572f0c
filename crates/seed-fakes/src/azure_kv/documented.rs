//! "Key Vault REST API error codes", "Troubleshooting Key Vault" and the operations' own pages.

use super::refusal::Refusal;
use crate::Answer;

/// Operation, code (with the inner one after a slash), answer.
pub(super) fn errors() -> Vec<(&'static str, &'static str, Answer)> {
    let mut errors = Vec::new();
    for (operation, own) in OWN {
        for what in own.iter().chain(&COMMON) {
            errors.push((operation, *what, answer(what)));
        }
    }
    errors
}

fn answer(what: &'static str) -> Answer {
    let (code, inner) = match what.split_once('/') {
        Some((code, inner)) => (code, Some(inner)),
        None => (what, None),
    };
    let status = match code {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "SecretNotFound" | "VaultNotFound" => 404,
        "Conflict" => 409,
        "Throttled" => 429,
        "InternalServerError" => 500,
        "ServiceUnavailable" => 503,
        "GatewayTimeout" => 504,
        _ => 400,
    };
    let mut refusal = Refusal::new(status, code, "as documented");
    refusal.inner = inner;
    refusal
        .answer()
        .with_header("x-ms-request-id", "11111111-2222-3333-4444-555555555555")
}

const OWN: [(&str, &[&str]); 6] = [
    ("GetDeletedSecrets", &[]),
    ("GetSecret", &["SecretNotFound", "Forbidden/SecretDisabled"]),
    ("GetSecretVersions", &["SecretNotFound"]),
    ("GetSecrets", &[]),
    (
        "RecoverDeletedSecret",
        &["SecretNotFound", "Conflict/ObjectIsBeingRecovered"],
    ),
    (
        "SetSecret",
        &[
            "Conflict/ObjectIsBeingDeleted",
            "Conflict/ObjectIsBeingRecovered",
            "Conflict/ObjectIsDeletedButRecoverable",
        ],
    ),
];

const COMMON: [&str; 12] = [
    "BadParameter",
    "Forbidden/AccessDenied",
    "Forbidden/ForbiddenByConnection",
    "Forbidden/ForbiddenByFirewall",
    "Forbidden/ForbiddenByPolicy",
    "Forbidden/ForbiddenByRbac",
    "GatewayTimeout",
    "InternalServerError",
    "ServiceUnavailable",
    "Throttled",
    "Unauthorized",
    "VaultNotFound",
];
