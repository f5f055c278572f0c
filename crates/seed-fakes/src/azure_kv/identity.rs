//! Where tokens come from: managed identities, and Entra ID with a client's secret or a federated token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::secrets::State;
use crate::{Answer, Request};

pub(super) const RESOURCE: &str = "https://vault.azure.net";
pub(super) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const CLIENT: &str = "99999999-8888-7777-6666-555555555555";
pub(super) const CLIENT_SECRET: &str = "client-secret-of-a-test";
pub(super) const IDENTITY_HEADER: &str = "identity-header-of-a-test";
pub(super) const ASSERTION: &str = "federated-token-of-a-test";

impl State {
    /// A token that the vault takes, for a user or for an application.
    pub(super) fn issue(&mut self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = encode(&json!({"typ": "JWT", "alg": "RS256"}));
        let id = self.next_id();
        let token = format!("{head}.{}.{id}", encode(claims));
        self.tokens.insert(token.clone());
        token
    }

    /// The endpoint of a managed identity: as App Service has it, virtual machines, and, with POST, what was there before them.
    pub(super) fn managed(&mut self, request: &Request) -> Answer {
        let known = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/msi/token") => request.header("x-identity-header") == Some(IDENTITY_HEADER),
            ("GET", "/metadata/identity/oauth2/token") | ("POST", "/token") => {
                request.header("metadata") == Some("true")
            }
            _ => false,
        };
        let request = match request.method.as_str() {
            "POST" => &form(request),
            _ => request,
        };
        if !known {
            return Answer::json(
                400,
                &json!({"error": "invalid_request", "error_description": "Required metadata header not specified"}),
            );
        }
        if request.parameter("resource").as_deref() != Some(RESOURCE) {
            return Answer::json(
                400,
                &json!({"error": "invalid_resource", "error_description": "AADSTS500011: The resource principal was not found in the tenant"}),
            );
        }
        let expires = self.time.now() + 3600;
        let token = self.issue(&json!({"aud": RESOURCE, "oid": "77777777-0000-0000-0000-000000000000", "appid": CLIENT, "tid": TENANT, "xms_mirid": "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/tester"}));
        Answer::json(
            200,
            &json!({
                "access_token": token,
                "expires_on": expires.to_string(),
                "resource": RESOURCE,
                "token_type": "Bearer",
                "client_id": CLIENT,
            }),
        )
    }

    /// The token endpoint of a tenant, of version 2.0 or of the one before.
    pub(super) fn entra(&mut self, request: &Request, tenant: &str, is_first: bool) -> Answer {
        let form = form(request);
        let is = |name: &str, wanted: &str| form.parameter(name).as_deref() == Some(wanted);
        if tenant != TENANT {
            return refuse(400, "invalid_request", 90_002, "Tenant not found");
        }
        if !is("grant_type", "client_credentials") {
            return refuse(400, "unsupported_grant_type", 70_003, "unsupported grant");
        }
        if is_first && !is("resource", RESOURCE) {
            return refuse(
                400,
                "invalid_resource",
                500_011,
                "The resource was not found",
            );
        }
        if !is_first && !is("scope", &format!("{RESOURCE}/.default")) {
            return refuse(400, "invalid_scope", 70_011, "The scope is not valid");
        }
        if !is("client_id", CLIENT) {
            return refuse(400, "unauthorized_client", 700_016, "Application not found");
        }
        let assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let federated =
            is("client_assertion_type", assertion_type) && is("client_assertion", ASSERTION);
        if !federated && !is("client_secret", CLIENT_SECRET) {
            return refuse(
                401,
                "invalid_client",
                7_000_215,
                "Invalid client secret provided",
            );
        }
        let token = self.issue(&json!({"aud": RESOURCE, "appid": CLIENT, "oid": "88888888-0000-0000-0000-000000000000", "tid": TENANT}));
        if is_first {
            let expires = (self.time.now() + 3599).to_string();
            return Answer::json(
                200,
                &json!({"token_type": "Bearer", "expires_in": "3599", "expires_on": expires, "resource": RESOURCE, "access_token": token}),
            );
        }
        Answer::json(
            200,
            &json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}),
        )
    }
}

/// A request whose parameters stand in its body.
fn form(request: &Request) -> Request {
    Request {
        query: String::from_utf8_lossy(&request.body).into_owned(),
        ..request.clone()
    }
}

/// What a client finds before it asks for a token; it names the same server again.
pub(super) fn discovery(base: &str, tenant: &str) -> Answer {
    Answer::json(
        200,
        &json!({
            "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
            "issuer": format!("{base}/{tenant}/v2.0"),
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "metadata": [],
        }),
    )
}

fn refuse(status: u16, error: &str, code: u32, words: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {words}. Trace ID: 0 Correlation ID: 0"),
            "error_codes": [code],
            "trace_id": "00000000-0000-0000-0000-000000000000",
        }),
    )
}
