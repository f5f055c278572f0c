//! Vault in development mode: in memory, unsealed, with a root token.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::guard::{self, Guarded};
use crate::http::content_type;
use crate::programs;
use crate::record;
use crate::{Answer, Client, Record, Served};

/// A Vault.
#[derive(Debug)]
pub struct Vault {
    // Dropped first, so that nothing asks a server that has ended.
    client: Client,
    address: String,
    mounts: AtomicUsize,
    process: Guarded,
}

/// A mount of one test, removed never: the server ends soon.
#[derive(Debug)]
pub struct Mount<'a> {
    vault: &'a Vault,
    path: String,
}

/// What Vault audits, from the moment it was told to.
#[derive(Debug)]
pub struct AuditDevice<'a> {
    file: PathBuf,
    _vault: &'a Vault,
}

const TOKEN: &str = "root-token-of-a-test";

impl Vault {
    /// Starts one and waits until it answers.
    pub fn start() -> Result<Self, String> {
        let program = programs::directory("vault")?.join("vault");
        guard::retried(|| Self::start_once(&program))
    }

    /// The one that the tests of this process share. It ends with the process.
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<Vault, String>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn start_once(program: &Path) -> Result<Self, String> {
        // It listens on the next port too, for a cluster that is none.
        let port = guard::free_ports(2)?;
        let address = format!("http://127.0.0.1:{port}");
        let arguments = [
            "server".to_owned(),
            "-dev".to_owned(),
            "-dev-no-store-token".to_owned(),
            format!("-dev-root-token-id={TOKEN}"),
            format!("-dev-listen-address=127.0.0.1:{port}"),
        ];
        let directory = guard::directory("vault")?;
        let process = Guarded::start("vault", directory, program, &arguments)?;
        let client = Client::new(&address, None);
        let vault = Self {
            client,
            address,
            mounts: AtomicUsize::new(0),
            process,
        };
        // Its first mount comes last.
        vault.process.wait(|| {
            let answer = vault.call("GET", "sys/internal/ui/mounts/secret", &Value::Null)?;
            answer.success().map(drop)
        })?;
        Ok(vault)
    }

    /// Where it is, such as `http://127.0.0.1:12345`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A token that may do everything.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// Sends a request below `/v1/` with the root token.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        self.call_as(TOKEN, method, path, body)
    }

    /// Sends a request below `/v1/` with a token.
    pub fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, String> {
        let kind = content_type(method);
        let headers = [("X-Vault-Token", token), ("Content-Type", kind)];
        self.client
            .send(method, &format!("/v1/{path}"), &headers, body)
    }

    /// Turns on an audit device. Everybody's requests are in it.
    pub fn audit(&self) -> Result<AuditDevice<'_>, String> {
        let file = self.process.directory().join("audit.log");
        let body = json!({"type": "file", "options": {"file_path": file}});
        self.call("PUT", "sys/audit/file", &body)?.success()?;
        Ok(AuditDevice { file, _vault: self })
    }

    /// Makes a mount of KV version 2 that nobody else has.
    pub fn mount(&self) -> Result<Mount<'_>, String> {
        self.mount_of("2")
    }

    /// Makes a mount of KV version 1 that nobody else has.
    pub fn mount_v1(&self) -> Result<Mount<'_>, String> {
        self.mount_of("1")
    }

    fn mount_of(&self, version: &str) -> Result<Mount<'_>, String> {
        let path = format!("test-{}", self.mounts.fetch_add(1, Ordering::Relaxed));
        let body = json!({"type": "kv", "options": {"version": version}});
        self.call("POST", &format!("sys/mounts/{path}"), &body)?
            .success()?;
        let mount = Mount { vault: self, path };
        if version == "2" {
            mount.wait()?;
        }
        Ok(mount)
    }

    /// Makes a policy of that name, and a token that has it alone.
    pub fn token_with(&self, name: &str, policy: &str) -> Result<String, String> {
        let body = json!({"policy": policy});
        self.call("PUT", &format!("sys/policies/acl/{name}"), &body)?
            .success()?;
        let body = json!({"policies": [name], "no_parent": true, "no_default_policy": false});
        let made = self.call("POST", "auth/token/create", &body)?.success()?;
        let token = made.pointer("/auth/client_token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| "no token".into())
    }
}

/// Vault does nothing that it has not written down.
impl Record for AuditDevice<'_> {
    fn served(&self) -> Result<Vec<Served>, String> {
        let entries = record::lines(&record::file(&self.file)?)?.into_iter();
        let requests = entries.filter(|entry| record::text(entry, "/type") == "request");
        let served = requests.map(|entry| {
            let verb = record::text(&entry, "/request/operation");
            Served {
                writes: !["read", "list"].contains(&&*verb),
                path: record::text(&entry, "/request/path"),
                verb,
            }
        });
        Ok(served.collect())
    }

    fn text(&self) -> Result<Option<String>, String> {
        record::file(&self.file).map(Some)
    }
}

impl Mount<'_> {
    /// Its path, without slashes around it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Sends a request about a secret: `kind` is `data`, `metadata`, `subkeys`, `delete`, `undelete` or `destroy`.
    pub fn call(
        &self,
        method: &str,
        kind: &str,
        name: &str,
        body: &Value,
    ) -> Result<Answer, String> {
        let path = format!("{}/{kind}/{name}", self.path);
        self.vault.call(method, &path, body)
    }

    /// A new mount is made ready for version 2 while it is there already.
    fn wait(&self) -> Result<(), String> {
        self.vault.process.wait(|| {
            let body = json!({"data": {"ready": "yes"}});
            self.call("POST", "data", "ready", &body)?.success()?;
            let gone = self.call("DELETE", "metadata", "ready", &Value::Null)?;
            gone.success().map(drop)
        })
    }
}
