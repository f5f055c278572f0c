//! Who may ask what, and where it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::errors::{denied, error};
use super::store::{Change, Entry, Mount, Outcome};
use crate::{Answer, Request, Service};

/// What a server does with a namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Namespaces {
    /// Open-source Vault: the header is ignored, and all is the root namespace's.
    Ignored,
    /// `OpenBao` and Vault Enterprise: these exist, by header or as a prefix of the path.
    Honoured(Vec<String>),
}

/// A Vault.
pub struct Vault {
    state: Mutex<State>,
}

pub(super) struct State {
    /// By namespace and path.
    pub(super) mounts: BTreeMap<(String, String), Mount>,
    /// Each with the name that it shows.
    tokens: BTreeMap<String, String>,
    /// The members of a login's body, and the path that takes them.
    logins: Vec<(String, Value)>,
    denied: Vec<(String, String)>,
    pub(super) hidden_updates: bool,
    namespaces: Namespaces,
    sealed: bool,
    /// A token that is not known is told only that it may not.
    taciturn: bool,
    /// For how many looks at it an entry is shown as it was before it was changed.
    pub(super) lag: usize,
    /// What such entries were before, and how many such looks are left.
    pub(super) stale: BTreeMap<String, (Option<Entry>, usize)>,
    /// A clock that moves with every request.
    requests: u64,
}

impl Vault {
    /// A token that may do everything that is not denied.
    pub const TOKEN: &'static str = "token-of-a-test";

    /// An open-source server with an empty mount `secret` of version 2.
    pub fn new() -> Self {
        let state = State {
            mounts: BTreeMap::new(),
            tokens: BTreeMap::from([(Self::TOKEN.to_owned(), "tester".to_owned())]),
            logins: Vec::new(),
            denied: Vec::new(),
            hidden_updates: false,
            namespaces: Namespaces::Ignored,
            sealed: false,
            taciturn: false,
            lag: 0,
            stale: BTreeMap::new(),
            requests: 0,
        };
        let vault = Self {
            state: Mutex::new(state),
        };
        vault.add_mount("", "secret", 2);
        vault
    }

    /// Adds a mount of the KV engine; `version` 0 is a mount of another engine.
    pub fn add_mount(&self, namespace: &str, path: &str, version: u8) {
        let mount = Mount {
            version,
            ..Mount::default()
        };
        let key = (namespace.to_owned(), path.to_owned());
        self.state().mounts.insert(key, mount);
    }

    /// Says what the server does with namespaces.
    pub fn set_namespaces(&self, namespaces: Namespaces) {
        self.state().namespaces = namespaces;
    }

    /// Seals or unseals it.
    pub fn seal(&self, sealed: bool) {
        self.state().sealed = sealed;
    }

    /// Forgets a token, as when it has expired.
    pub fn expire(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// Says of an unknown token only that its permission is denied, as older servers and `OpenBao` do.
    pub fn say_only_denied(&self) {
        self.state().taciturn = true;
    }

    /// From now on an entry of any mount that is changed is shown as it was before, by so many looks at it, and by lists
    /// until then: as a standby does that has not yet heard of it.
    pub fn let_looks_lag(&self, looks: usize) {
        self.state().lag = looks;
    }

    /// Takes a login at `auth/MOUNT/login` with exactly this body.
    pub fn allow_login(&self, mount: &str, body: Value) {
        self.state()
            .logins
            .push((format!("auth/{mount}/login"), body));
    }

    /// Denies an operation, such as `subkeys`, on paths that have this text.
    pub fn deny(&self, operation: &str, text: &str) {
        self.state()
            .denied
            .push((operation.to_owned(), text.to_owned()));
    }

    /// Lets tokens create, and not change: a write of what exists is denied, whatever version it expects.
    pub fn deny_updates(&self) {
        self.state().hidden_updates = true;
    }

    /// Stores a version in `secret` without asking, as a person would elsewhere.
    pub fn put(&self, name: &str, data: &Value) {
        self.change("secret", |mount, now| {
            mount.write(name, &json!({"data": data}), now)
        });
    }

    /// Deletes the current version in `secret`, so that it can come back.
    pub fn delete(&self, name: &str) {
        self.change("secret", |mount, now| mount.delete(name, &now));
    }

    /// Destroys one version in `secret` for good.
    pub fn destroy(&self, name: &str, version: usize) {
        let body = json!({"versions": [version]});
        self.change("secret", |mount, _| {
            mount.each(name, &body, &Change::Destroy)
        });
    }

    /// Forgets an entry of `secret`, metadata included.
    pub fn forget(&self, name: &str) {
        self.change("secret", |mount, _| {
            mount.entries.remove(name);
            Outcome::Done
        });
    }

    /// Makes the metadata of an entry of `secret` that has no version.
    pub fn put_metadata(&self, name: &str) {
        self.change("secret", |mount, _| {
            mount.entries.entry(name.to_owned()).or_default();
            Outcome::Done
        });
    }

    /// The names in a mount with the number of their current version.
    pub fn versions(&self, namespace: &str, mount: &str) -> BTreeMap<String, usize> {
        let state = self.state();
        let mount = state.mounts.get(&(namespace.to_owned(), mount.to_owned()));
        let entries = mount.map(|mount| mount.entries.iter());
        let one = |(name, entry): (&String, &Entry)| (name.clone(), entry.current());
        entries
            .map(|entries| entries.map(one).collect())
            .unwrap_or_default()
    }

    fn change(&self, mount: &str, change: impl FnOnce(&mut Mount, String) -> Outcome) {
        let mut state = self.state();
        let now = state.now();
        if let Some(mount) = state.mounts.get_mut(&(String::new(), mount.to_owned())) {
            change(mount, now);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Vault {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Service for Vault {
    fn operation(&self, request: &Request) -> String {
        let path = path(request);
        let kind = self.state().route("", &path).map(|(_, kind, _)| kind);
        let word = match (request.method.as_str(), path.as_str()) {
            ("GET", "auth/token/lookup-self") => "lookup-self",
            ("POST" | "PUT", path) if path.starts_with("auth/") && path.ends_with("/login") => {
                "login"
            }
            ("GET", path) if path.starts_with("sys/internal/ui/mounts/") => "mounts",
            ("GET", "sys/health") => "health",
            (method, _) => match (method, kind.as_deref()) {
                ("LIST", Some("metadata")) => "list",
                ("GET", Some("metadata")) => "metadata",
                ("DELETE", Some("metadata")) => "forget",
                ("GET", Some("data")) => "read",
                ("POST" | "PUT", Some("data")) => "write",
                ("PATCH", Some("data")) => "patch",
                ("DELETE", Some("data")) | (_, Some("delete")) => "delete",
                ("GET", Some("subkeys")) => "subkeys",
                ("POST" | "PUT", Some("undelete")) => "undelete",
                ("POST" | "PUT", Some("destroy")) => "destroy",
                _ => "other",
            },
        };
        word.to_owned()
    }

    fn writes(&self, operation: &str) -> bool {
        matches!(operation, "write" | "patch" | "undelete")
    }

    fn answer(&self, request: &Request) -> Answer {
        let operation = self.operation(request);
        let mut state = self.state();
        state.requests += 1;
        if state.sealed {
            return error(503, "Vault is sealed");
        }
        let path = path(request);
        let Some((namespace, path)) = state.namespace(request, path) else {
            return error(404, "namespace not found");
        };
        if operation == "login" {
            return state.log_in(&path, &request.json());
        }
        let token = request.header("x-vault-token").unwrap_or_default();
        let Some(name) = state.tokens.get(token).cloned() else {
            if state.taciturn {
                return denied();
            }
            let text = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
            return error(403, text);
        };
        let denies = |(denied, text): &(String, String)| {
            *denied == operation && path.contains(text.as_str())
        };
        if state.denied.iter().any(denies) {
            return denied();
        }
        match operation.as_str() {
            "lookup-self" => {
                state.success(&json!({"display_name": name, "policies": ["default"]}).to_string())
            }
            "mounts" => state.mounts(
                &namespace,
                path.trim_start_matches("sys/internal/ui/mounts/"),
            ),
            _ => state.kv(&operation, &namespace, &path, request),
        }
    }

    fn throttled(&self) -> Answer {
        let text = "request path \"secret/data\": rate limit quota exceeded";
        error(429, text).with_header("retry-after", "1")
    }
}

impl State {
    pub(super) fn now(&mut self) -> String {
        self.requests += 1;
        let (minutes, seconds) = (self.requests / 60 % 60, self.requests % 60);
        format!("2026-11-22T12:{minutes:02}:{seconds:02}.0Z")
    }

    /// The namespace of a request, and its path within; `None` when there is no such namespace.
    fn namespace(&self, request: &Request, path: String) -> Option<(String, String)> {
        let Namespaces::Honoured(known) = &self.namespaces else {
            return Some((String::new(), path));
        };
        let asked = request
            .header("x-vault-namespace")
            .unwrap_or_default()
            .trim_matches('/');
        if asked.is_empty() {
            let prefixed = known.iter().find_map(|name| {
                let rest = path.strip_prefix(name.as_str())?.strip_prefix('/')?;
                Some((name.clone(), rest.to_owned()))
            });
            return Some(prefixed.unwrap_or((String::new(), path)));
        }
        known
            .iter()
            .any(|name| name == asked)
            .then(|| (asked.to_owned(), path))
    }

    /// The mount of a path, the word after it, and the rest.
    pub(super) fn route(&self, namespace: &str, path: &str) -> Option<(String, String, String)> {
        let mounts: BTreeSet<&String> = self
            .mounts
            .keys()
            .filter(|(of, _)| of == namespace || namespace.is_empty())
            .map(|(_, mount)| mount)
            .collect();
        mounts.into_iter().find_map(|mount| {
            let rest = path.strip_prefix(mount.as_str())?.strip_prefix('/')?;
            let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
            Some((mount.clone(), kind.to_owned(), name.to_owned()))
        })
    }

    fn log_in(&mut self, path: &str, body: &Value) -> Answer {
        let known = |(at, taken): &(String, Value)| at == path && taken == body;
        if self.logins.iter().any(known) {
            let token = format!("{}-by-login-{}", Vault::TOKEN, self.requests);
            self.tokens.insert(token.clone(), "login".to_owned());
            let auth = json!({"client_token": token, "token_policies": ["default"], "lease_duration": 3600});
            return Answer::json(
                200,
                &json!({"request_id": self.id(), "data": null, "auth": auth}),
            );
        }
        let mounted = self.logins.iter().any(|(at, _)| at == path);
        if mounted && path.contains("approle") {
            return error(400, "invalid role or secret ID");
        }
        error(403, "permission denied")
    }

    fn mounts(&self, namespace: &str, path: &str) -> Answer {
        let path = path.trim_end_matches('/');
        let found = self.mounts.iter().find(|((of, mount), _)| {
            let below = path
                .strip_prefix(mount.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            of == namespace && below
        });
        let Some(((_, mount), kept)) = found else {
            let text = format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path \"{path}/\""
            );
            return error(403, &text);
        };
        let data = match kept.version {
            0 => json!({"path": format!("{mount}/"), "type": "transit", "options": null}),
            version => {
                let options = json!({"version": version.to_string()});
                json!({"path": format!("{mount}/"), "type": "kv", "options": options})
            }
        };
        self.success(&data.to_string())
    }

    pub(super) fn success(&self, data: &str) -> Answer {
        self.with_data(200, data)
    }

    pub(super) fn with_data(&self, status: u16, data: &str) -> Answer {
        let id = self.id();
        let mut answer = Answer::json(status, &Value::Null);
        answer.body = format!(
            "{{\"request_id\":\"{id}\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"data\":{data},\"wrap_info\":null,\"warnings\":null,\"auth\":null,\"mount_type\":\"kv\"}}"
        )
        .into_bytes();
        answer
    }

    fn id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.requests)
    }
}

/// The path below `/v1/`, decoded.
fn path(request: &Request) -> String {
    let segments = request.segments();
    segments
        .split_first()
        .map(|(_, rest)| rest.join("/"))
        .unwrap_or_default()
}
