//! A Kubernetes API server with an etcd of its own, and nothing else of a cluster: no controllers, no nodes.
//!
//! So namespaces stay when they are deleted, nobody collects garbage, and there is no default service account.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::guard::{self, Guarded};
use crate::http::content_type;
use crate::programs;
use crate::record;
use crate::{Answer, Client, Record, Served};

/// An API server.
#[derive(Debug)]
pub struct KubeApiserver {
    client: Client,
    address: String,
    authority: String,
    names: AtomicUsize,
    process: Guarded,
    _etcd: Guarded,
}

/// A namespace of one test.
#[derive(Debug)]
pub struct Namespace<'a> {
    kube: &'a KubeApiserver,
    name: String,
}

/// What the server audits of one namespace.
#[derive(Debug)]
pub struct AuditLog {
    file: PathBuf,
    namespace: String,
}

/// Somebody who may do what a test allows.
#[derive(Clone)]
pub struct User {
    /// What it is called in messages of the server.
    pub name: String,
    /// Its bearer token.
    pub token: String,
}

const TOKEN: &str = "admin-token-of-a-test";

impl KubeApiserver {
    /// Starts one and waits until it is ready.
    pub fn start() -> Result<Self, String> {
        let etcd = programs::directory("etcd")?.join("etcd");
        let server = programs::directory("kube")?.join("kube-apiserver");
        guard::retried(|| Self::start_once(&etcd, &server))
    }

    /// The one that the tests of this process share. It ends with the process.
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<KubeApiserver, String>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn start_once(etcd: &Path, program: &Path) -> Result<Self, String> {
        let (etcd, store) = start_etcd(etcd)?;
        let directory = guard::directory("kube-apiserver")?;
        let authority = write_credentials(directory.path())?;
        let port = guard::free_ports(1)?;
        let address = format!("https://127.0.0.1:{port}");
        let arguments = arguments(directory.path(), port, &store);
        let process = Guarded::start("kube-apiserver", directory, program, &arguments)?;
        let kube = Self {
            client: Client::new(&address, Some(authority.as_bytes())),
            address,
            authority,
            names: AtomicUsize::new(0),
            process,
            _etcd: etcd,
        };
        kube.process.wait(|| {
            let answer = kube.call("GET", "/readyz", &Value::Null)?;
            answer.success().map(drop)
        })?;
        let config = kube.kubeconfig("admin", "default", TOKEN);
        write(&kube.admin_kubeconfig(), &config)?;
        Ok(kube)
    }

    /// Where it is, such as `https://127.0.0.1:12345`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The authority of its certificate, as PEM text.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A token that may do everything.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// A kubeconfig whose one context `admin` may do everything.
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.process.directory().join("kubeconfig")
    }

    /// A kubeconfig with one context of that name, in a namespace, with a token.
    pub fn kubeconfig(&self, context: &str, namespace: &str, token: &str) -> String {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": "test", "cluster": {
                "server": self.address,
                "certificate-authority-data": STANDARD.encode(&self.authority),
            }}],
            "users": [{"name": context, "user": {"token": token}}],
            "contexts": [{"name": context, "context": {
                "cluster": "test", "user": context, "namespace": namespace,
            }}],
        });
        config.to_string()
    }

    /// Sends a request as the administrator; the path begins with `/api/` or `/apis/`.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        self.call_as(TOKEN, method, path, body)
    }

    /// Sends a request with a token.
    pub fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, String> {
        let kind = content_type(method);
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", &*bearer), ("Content-Type", kind)];
        self.client.send(method, path, &headers, body)
    }

    /// Where an object is, by what it says of itself.
    pub fn path(object: &Value) -> String {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").unwrap_or_default();
        let root = if version.contains('/') { "apis" } else { "api" };
        let namespace = text("/metadata/namespace");
        let within = namespace.map_or_else(String::new, |name| format!("/namespaces/{name}"));
        let kind = text("/kind").unwrap_or_default().to_ascii_lowercase();
        let name = text("/metadata/name").unwrap_or_default();
        format!("/{root}/{version}{within}/{kind}s/{name}")
    }

    /// Applies an object as people do, strictly, and gives what is stored then.
    pub fn apply(&self, object: &Value) -> Result<Value, String> {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [
            ("Authorization", &*bearer),
            ("Content-Type", "application/apply-patch+yaml"),
        ];
        let path = Self::path(object);
        let path = format!("{path}?fieldManager=people&fieldValidation=Strict");
        self.client
            .send("PATCH", &path, &headers, object)?
            .success()
    }

    /// What is stored of an object.
    pub fn read(&self, object: &Value) -> Result<Value, String> {
        self.call("GET", &Self::path(object), &Value::Null)?
            .success()
    }

    /// Waits until something is so.
    pub fn wait(&self, ready: impl FnMut() -> Result<(), String>) -> Result<(), String> {
        self.process.wait(ready)
    }

    /// Sends objects as YAML text, as the administrator.
    pub(crate) fn post_yaml(&self, path: &str, text: &str) -> Result<Answer, String> {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [
            ("Authorization", &*bearer),
            ("Content-Type", "application/yaml"),
        ];
        self.client
            .send_text("POST", path, &headers, text.to_owned())
    }

    /// What the server was asked about a namespace and what is in it.
    pub fn audit(&self, namespace: &str) -> AuditLog {
        AuditLog {
            file: self.process.directory().join("audit.log"),
            namespace: namespace.to_owned(),
        }
    }

    /// Makes a namespace that nobody else has.
    pub fn namespace(&self) -> Result<Namespace<'_>, String> {
        let name = self.unused_namespace();
        let body = json!({"metadata": {"name": name}});
        self.call("POST", "/api/v1/namespaces", &body)?.success()?;
        Ok(Namespace { kube: self, name })
    }

    /// The name of a namespace that is not there, and that nobody else makes.
    pub fn unused_namespace(&self) -> String {
        format!("test-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }
}

/// The server writes a request down before it does anything about it.
impl Record for AuditLog {
    fn served(&self) -> Result<Vec<Served>, String> {
        let events = record::lines(&record::file(&self.file)?)?.into_iter();
        let ours =
            events.filter(|event| record::text(event, "/objectRef/namespace") == self.namespace);
        let served = ours.map(|event| {
            let verb = record::text(&event, "/verb");
            Served {
                writes: !["get", "list", "watch"].contains(&&*verb),
                path: record::text(&event, "/requestURI"),
                verb,
            }
        });
        Ok(served.collect())
    }

    fn text(&self) -> Result<Option<String>, String> {
        record::file(&self.file).map(Some)
    }
}

impl Namespace<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a request about something in the namespace, such as `secrets/a`, as the administrator.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        let path = format!("/api/v1/namespaces/{}/{path}", self.name);
        self.kube.call(method, &path, body)
    }

    /// Makes a user who may do in this namespace what `rules` say, in the words of a Role, and nothing else.
    pub fn user(&self, rules: &Value) -> Result<User, String> {
        let name = format!("user-{}", self.kube.names.fetch_add(1, Ordering::Relaxed));
        let account = json!({"metadata": {"name": name}});
        self.call("POST", "serviceaccounts", &account)?.success()?;
        let access = format!(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/{}",
            self.name
        );
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let path = format!("{access}/roles");
        self.kube.call("POST", &path, &role)?.success()?;
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.name}],
        });
        let path = format!("{access}/rolebindings");
        self.kube.call("POST", &path, &binding)?.success()?;
        let path = format!("serviceaccounts/{name}/token");
        let made = self.call("POST", &path, &json!({"spec": {}}))?.success()?;
        let token = made.pointer("/status/token").and_then(Value::as_str);
        Ok(User {
            name: format!("system:serviceaccount:{}:{name}", self.name),
            token: token.ok_or("no token")?.to_owned(),
        })
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Starts an etcd and waits until it is healthy; also returns where it is.
fn start_etcd(program: &Path) -> Result<(Guarded, String), String> {
    let port = guard::free_ports(2)?;
    let clients = format!("http://127.0.0.1:{port}");
    let peers = format!("http://127.0.0.1:{}", port + 1);
    let directory = guard::directory("etcd")?;
    let data = directory.path().join("data").display().to_string();
    // The data lives as long as the test: nothing has to reach the disk.
    let arguments = [
        format!("--data-dir={data}"),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        "--unsafe-no-fsync".to_owned(),
    ];
    let etcd = Guarded::start("etcd", directory, program, &arguments)?;
    let client = Client::new(&clients, None);
    etcd.wait(|| {
        let answer = client.send("GET", "/health", &[], &Value::Null)?;
        answer.success().map(drop)
    })?;
    Ok((etcd, clients))
}

fn arguments(directory: &Path, port: u16, store: &str) -> Vec<String> {
    let file = |name: &str| directory.join(name).display().to_string();
    vec![
        format!("--etcd-servers={store}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", file("certificates")),
        format!("--tls-cert-file={}", file("server.pem")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--token-auth-file={}", file("tokens.csv")),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!(
            "--service-account-signing-key-file={}",
            file("accounts.key")
        ),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Nobody makes the default service account of a namespace, so nothing may wait for it.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--audit-policy-file={}", file("audit.json")),
        format!("--audit-log-path={}", file("audit.log")),
    ]
}

/// Writes the server's certificate, the key of service accounts' tokens, the administrator's token and what is audited;
/// returns the authority's certificate.
fn write_credentials(directory: &Path) -> Result<String, String> {
    let failed = |err: rcgen::Error| format!("no certificate: {err}");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "API server of a test");
    let key = KeyPair::generate().map_err(failed)?;
    let authority = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
    let key = KeyPair::generate().map_err(failed)?;
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let params = CertificateParams::new(names).map_err(failed)?;
    let certificate = params.signed_by(&key, &authority).map_err(failed)?;
    let accounts = KeyPair::generate().map_err(failed)?;
    // Each request once, as soon as it comes, without any body.
    let audit = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["ResponseStarted", "ResponseComplete"],
        "rules": [
            {"level": "None", "users": ["system:apiserver"]},
            {"level": "Metadata"},
        ],
    });
    let tokens = format!("{TOKEN},admin,admin,system:masters\n");
    for (name, text) in [
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("accounts.key", accounts.serialize_pem()),
        ("accounts.pub", accounts.public_key_pem()),
        ("tokens.csv", tokens),
        ("audit.json", audit.to_string()),
    ] {
        write(&directory.join(name), &text)?;
    }
    Ok(authority.pem())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|err| format!("{}: {err}", path.display()))
}
