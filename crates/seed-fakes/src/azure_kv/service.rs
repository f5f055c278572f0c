//! The stand-in, and what tests may do to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::refusal::{Refusal, Reply};
use super::secrets::{New, State};
use super::store::{DAYS, Deleted, Patch, StoredVersion, http_date};
use super::{documented, identity};
use crate::{Answer, Request, Service};

/// A stand-in of one vault, and of the places that give tokens for it. It must be served with TLS: the clients refuse
/// to send a token without.
pub struct AzureKv {
    state: Mutex<State>,
}

impl AzureKv {
    /// The tenant that its tokens belong to.
    pub const TENANT: &str = identity::TENANT;
    /// The application that may log in.
    pub const CLIENT: &str = identity::CLIENT;
    /// The application's secret.
    pub const CLIENT_SECRET: &str = identity::CLIENT_SECRET;
    /// What `IDENTITY_HEADER` must be; the endpoint is `/msi/token`.
    pub const IDENTITY_HEADER: &str = identity::IDENTITY_HEADER;
    /// What a federated token file must hold.
    pub const ASSERTION: &str = identity::ASSERTION;

    /// An empty one.
    pub fn new() -> Self {
        Self {
            state: Mutex::default(),
        }
    }

    /// A token that the vault takes, of the user `tester@example.com`.
    pub fn token(&self) -> String {
        let claims = json!({"aud": identity::RESOURCE, "upn": "tester@example.com", "tid": identity::TENANT});
        self.state().issue(&claims)
    }

    /// All tokens that it takes.
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.iter().cloned().collect()
    }

    /// Takes no token any more that it took before.
    pub fn revoke(&self) {
        self.state().tokens.clear();
    }

    /// Denies a call, for one secret or for all.
    pub fn deny(&self, operation: &str, name: Option<&str>) {
        let what = (operation.to_owned(), name.map(str::to_owned));
        self.state().denied.insert(what);
    }

    /// Allows all calls again.
    pub fn allow(&self) {
        self.state().denied.clear();
    }

    /// From now on lists show what is stored at this moment, whatever happens.
    pub fn let_lists_lag(&self) {
        let mut state = self.state();
        state.lagging = Some(state.secrets.clone());
    }

    /// Lists show what is stored again.
    pub fn let_lists_catch_up(&self) {
        self.state().lagging = None;
    }

    /// Moves the service's clock on.
    pub fn advance(&self, seconds: i64) {
        self.state().time.advance(seconds);
    }

    /// Stops the service's clock: from now on it only moves when told to.
    pub fn stop_clock(&self) {
        self.state().time.stop();
    }

    /// Lets the service's clock go on from where it stands.
    pub fn start_clock(&self) {
        self.state().time.go_on();
    }

    /// The service's time, in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.state().time.now()
    }

    /// How many looks do not show a secret after it was recovered.
    pub fn set_recovery(&self, looks: u32) {
        self.state().recovery = looks;
    }

    /// From now on nothing can be purged.
    pub fn protect(&self) {
        self.state().purge_protected = true;
    }

    /// Stores a value as somebody else would: a new secret, or a new current version. Gives its id.
    pub fn put(&self, name: &str, value: &str) -> String {
        self.put_tagged(name, value, BTreeMap::new())
    }

    /// Stores a value with tags of somebody else's.
    pub fn put_tagged(&self, name: &str, value: &str, tags: BTreeMap<String, String>) -> String {
        let new = New {
            value,
            content_type: None,
            tags,
            attributes: &Value::Null,
        };
        self.state().add(name, new)
    }

    /// Changes the current version, as somebody with the portal would.
    pub fn patch(&self, name: &str, patch: Patch) {
        let mut state = self.state();
        let now = state.time.now();
        let secret = state.secrets.get_mut(&name.to_ascii_lowercase());
        let Some(current) = secret.and_then(|secret| secret.versions.last_mut()) else {
            return;
        };
        current.enabled = patch.enabled.unwrap_or(current.enabled);
        current.expires = patch.expires.or(current.expires);
        current.not_before = patch.not_before.or(current.not_before);
        if let Some(tags) = patch.tags {
            current.tags = tags;
        }
        current.updated = now;
    }

    /// Deletes with the vault's time to recover.
    pub fn delete(&self, name: &str) {
        let mut state = self.state();
        let at = state.time.now();
        let purged = at + DAYS * 86_400;
        if let Some(secret) = state.secrets.get_mut(&name.to_ascii_lowercase()) {
            secret.deleted = Some(Deleted { at, purged });
        }
    }

    /// Recovers what was deleted, as somebody else would.
    pub fn recover(&self, name: &str) {
        let recovered = self.state().recover(name, "");
        assert!(recovered.is_ok(), "nothing of that name is deleted");
    }

    /// Deletes for good.
    pub fn destroy(&self, name: &str) {
        self.state().secrets.remove(&name.to_ascii_lowercase());
    }

    /// The names of all secrets that are not deleted, as they were first written.
    pub fn names(&self) -> Vec<String> {
        let state = self.state();
        let live = state.secrets.values();
        let live = live.filter(|secret| secret.deleted.is_none());
        live.map(|secret| secret.name.clone()).collect()
    }

    /// The current value.
    pub fn value(&self, name: &str) -> Option<String> {
        let last = self.versions(name).pop()?;
        Some(last.value)
    }

    /// All versions, oldest first.
    pub fn versions(&self, name: &str) -> Vec<StoredVersion> {
        let state = self.state();
        let secret = state.secrets.get(&name.to_ascii_lowercase());
        secret.map_or_else(Vec::new, |secret| secret.versions.clone())
    }

    /// What the documentation says that each call may fail with: its operation, the codes, and the answer.
    pub fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        documented::errors()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for AzureKv {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AzureKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureKv").finish_non_exhaustive()
    }
}

impl Service for AzureKv {
    fn operation(&self, request: &Request) -> String {
        let call = Call::of(request);
        let secret = !matches!(call, Call::Managed | Call::Entra(..) | Call::Discovery(_));
        if secret && request.header("authorization").is_none() {
            return "Challenge".to_owned();
        }
        call.as_str().to_owned()
    }

    fn writes(&self, operation: &str) -> bool {
        matches!(
            operation,
            "SetSecret"
                | "UpdateSecret"
                | "DeleteSecret"
                | "RecoverDeletedSecret"
                | "PurgeDeletedSecret"
        )
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let base = format!("https://{}", request.header("host").unwrap_or_default());
        let call = Call::of(request);
        state.requests += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", state.requests);
        let answer = match &call {
            Call::Managed => state.managed(request),
            Call::Entra(tenant, is_first) => state.entra(request, tenant, *is_first),
            Call::Discovery(tenant) => identity::discovery(&base, tenant),
            Call::Delete(_)
            | Call::Get(..)
            | Call::GetDeleted(_)
            | Call::List
            | Call::ListDeleted
            | Call::Purge(_)
            | Call::Recover(_)
            | Call::Set(_)
            | Call::Unknown
            | Call::Update(..)
            | Call::Versions(_) => of_vault(&mut state, &call, request, &base),
        };
        answer
            .with_header("x-ms-request-id", id)
            .with_header("date", http_date(state.time.now()))
    }

    fn throttled(&self) -> Answer {
        let message = "Request was not processed because too many requests were received.";
        let refusal = Refusal::new(429, "Throttled", message);
        refusal
            .answer()
            .with_header("retry-after", "1")
            .with_header("x-ms-request-id", "throttled")
    }
}

fn of_vault(state: &mut State, call: &Call, request: &Request, base: &str) -> Answer {
    match secret_call(state, call, request, base) {
        Ok((status, Value::Null)) => Answer::empty(status),
        Ok((status, body)) => Answer::json(status, &body)
            .with_header("content-type", "application/json; charset=utf-8"),
        Err(refusal) if refusal.status == 401 => challenge(&refusal, base),
        Err(refusal) => refusal.answer(),
    }
}

fn challenge(refusal: &Refusal, base: &str) -> Answer {
    // Under the service's own name it sends clients to the service's own place; elsewhere to itself.
    let authority = if base.ends_with(".vault.azure.net") {
        "https://login.microsoftonline.com"
    } else {
        base
    };
    let challenge = format!(
        "Bearer authorization=\"{authority}/{}\", resource=\"{}\"",
        identity::TENANT,
        identity::RESOURCE
    );
    refusal.answer().with_header("www-authenticate", challenge)
}

fn secret_call(state: &mut State, call: &Call, request: &Request, base: &str) -> Reply {
    let token = request.header("authorization");
    let token = token.and_then(|text| text.strip_prefix("Bearer "));
    match token {
        None => {
            let message = "AKV10000: Request is missing a Bearer or PoP token.";
            return Err(Refusal::new(401, "Unauthorized", message));
        }
        Some(token) if !state.tokens.contains(token) => {
            let message = "AKV10022: Invalid audience, or the token is no token of this tenant.";
            return Err(Refusal::new(401, "Unauthorized", message));
        }
        Some(_) => {}
    }
    match request.parameter("api-version").as_deref() {
        Some(
            "7.0" | "7.1" | "7.2" | "7.3" | "7.4" | "7.5" | "7.6" | "2025-07-01" | "2026-04-01",
        ) => {}
        Some(other) => {
            return Err(Refusal::parameter(format!(
                "The specified version ({other}) is not recognized. Consider using the latest supported version (2026-04-01)."
            )));
        }
        None => return Err(Refusal::parameter("The api-version is missing")),
    }
    if let Some(name) = call.name() {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || name.len() > 127 || !name.chars().all(good) {
            return Err(Refusal::parameter(format!(
                "The request URI contains an invalid name: {name}"
            )));
        }
    }
    if let Some(refusal) = state.denial(call.as_str(), call.name()) {
        return Err(refusal);
    }
    match call {
        Call::List => state.list(request, base),
        Call::ListDeleted => state.list_deleted(request, base),
        Call::Versions(name) => state.list_versions(request, base, name),
        Call::Get(name, version) => state.value(name, version, base),
        Call::Set(name) => state.set(name, &request.json(), base),
        Call::Update(name, version) => state.update(name, version, &request.json(), base),
        Call::Delete(name) => state.delete(name, base),
        Call::GetDeleted(name) => state.deleted(name, base),
        Call::Recover(name) => state.recover(name, base),
        Call::Purge(name) => state.purge(name),
        Call::Managed | Call::Entra(..) | Call::Discovery(_) | Call::Unknown => {
            Err(Refusal::new(404, "NotFound", "Resource not found."))
        }
    }
}

/// What is asked.
enum Call {
    Delete(String),
    Discovery(String),
    /// The tenant, and whether it is the first version of the endpoint.
    Entra(String, bool),
    Get(String, String),
    GetDeleted(String),
    List,
    ListDeleted,
    Managed,
    Purge(String),
    Recover(String),
    Set(String),
    Unknown,
    Update(String, String),
    Versions(String),
}

impl Call {
    fn of(request: &Request) -> Self {
        let segments = request.segments();
        let mut segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if segments.len() > 1 && segments.last() == Some(&"") {
            segments.pop();
        }
        let own = |text: &str| text.to_owned();
        match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["token"])
            | (_, ["msi", "token"] | ["metadata", "identity", "oauth2", "token"]) => Self::Managed,
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => Self::Entra(own(tenant), false),
            ("POST", [tenant, "oauth2", "token"]) => Self::Entra(own(tenant), true),
            ("GET", [tenant, "v2.0", ".well-known", _] | [tenant, "discovery", "instance"]) => {
                Self::Discovery(own(tenant))
            }
            ("GET", ["secrets"]) => Self::List,
            ("GET", ["deletedsecrets"]) => Self::ListDeleted,
            ("GET", ["secrets", name, "versions"]) => Self::Versions(own(name)),
            ("GET", ["secrets", name]) => Self::Get(own(name), String::new()),
            ("GET", ["secrets", name, version]) => Self::Get(own(name), own(version)),
            ("PUT", ["secrets", name]) => Self::Set(own(name)),
            ("PATCH", ["secrets", name]) => Self::Update(own(name), String::new()),
            ("PATCH", ["secrets", name, version]) => Self::Update(own(name), own(version)),
            ("DELETE", ["secrets", name]) => Self::Delete(own(name)),
            ("GET", ["deletedsecrets", name]) => Self::GetDeleted(own(name)),
            ("POST", ["deletedsecrets", name, "recover"]) => Self::Recover(own(name)),
            ("DELETE", ["deletedsecrets", name]) => Self::Purge(own(name)),
            _ => Self::Unknown,
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Delete(_) => "DeleteSecret",
            Self::Discovery(_) => "Discovery",
            Self::Entra(..) => "Token",
            Self::Get(..) => "GetSecret",
            Self::GetDeleted(_) => "GetDeletedSecret",
            Self::List => "GetSecrets",
            Self::ListDeleted => "GetDeletedSecrets",
            Self::Managed => "ManagedIdentity",
            Self::Purge(_) => "PurgeDeletedSecret",
            Self::Recover(_) => "RecoverDeletedSecret",
            Self::Set(_) => "SetSecret",
            Self::Unknown => "?",
            Self::Update(..) => "UpdateSecret",
            Self::Versions(_) => "GetSecretVersions",
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Delete(name)
            | Self::Get(name, _)
            | Self::GetDeleted(name)
            | Self::Purge(name)
            | Self::Recover(name)
            | Self::Set(name)
            | Self::Update(name, _)
            | Self::Versions(name) => Some(name),
            Self::Discovery(_)
            | Self::Entra(..)
            | Self::List
            | Self::ListDeleted
            | Self::Managed
            | Self::Unknown => None,
        }
    }
}
