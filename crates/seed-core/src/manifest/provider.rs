//! What External Secrets Operator is told of a backend: the provider block of a store.
//!
//! Its custom resource definitions are the source of names and defaults. Every default that the API server would fill in is
//! written out, so that none can drift; fields that a release does not have are left out for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::version::EsoVersion;
use crate::backend::Kind;
use crate::contract::StoreKind;
use crate::diagnostic::nearest;
use crate::resolve::ResolvedBackend;

type Members = Map<String, Value>;

/// What the contract's `auth` may have for one kind of backend.
struct Words {
    /// What the operator calls the provider.
    provider: &'static str,
    /// Ways to log in, of which one is named at most.
    ways: &'static [&'static str],
    /// What else it keeps in `auth`.
    with: &'static [&'static str],
    /// What it keeps beside `auth`.
    beside: &'static [&'static str],
}

const GCPSM: Words = Words {
    provider: "gcpsm",
    ways: &[
        "secretRef",
        "workloadIdentity",
        "workloadIdentityFederation",
    ],
    with: &[],
    beside: &["secretVersionSelectionPolicy"],
};
const AWS: Words = Words {
    provider: "aws",
    ways: &["jwt", "secretRef"],
    with: &[],
    beside: &[
        "additionalRoles",
        "customSessionTags",
        "externalID",
        "role",
        "sessionTags",
        "sessionTagsPolicy",
        "transitiveTagKeys",
    ],
};
const AZURE: Words = Words {
    provider: "azurekv",
    ways: &[],
    with: &[],
    beside: &[
        "authSecretRef",
        "authType",
        "customCloudConfig",
        "environmentType",
        "identityId",
        "serviceAccountRef",
        "tenantId",
        "useAzureSDK",
    ],
};
const VAULT: Words = Words {
    provider: "vault",
    ways: &[
        "appRole",
        "cert",
        "gcp",
        "iam",
        "jwt",
        "kubernetes",
        "ldap",
        "tokenSecretRef",
        "userPass",
    ],
    with: &["namespace"],
    beside: &[
        "caBundle",
        "caProvider",
        "forwardInconsistent",
        "headers",
        "readYourWrites",
        "tls",
    ],
};
const KUBERNETES: Words = Words {
    provider: "kubernetes",
    ways: &["cert", "serviceAccount", "token"],
    with: &[],
    beside: &["authRef", "server"],
};

/// Where a backend of kind `kubernetes` keeps its Secrets.
pub(super) fn source_namespace(backend: &ResolvedBackend) -> &str {
    setting(backend, "namespace").unwrap_or("default")
}

/// The provider block, and the name it goes under.
pub(super) fn provider(
    backend: &ResolvedBackend,
    (kind, name): (StoreKind, &str),
    version: EsoVersion,
) -> Result<(&'static str, Value), String> {
    let words = words(backend.kind)?;
    let mut login = Login::of(backend, words)?;
    let block = match backend.kind {
        Kind::AwsSm => aws(backend, &mut login, version)?,
        Kind::AzureKv => azure(backend, &mut login, version)?,
        Kind::Gcpsm => gcpsm(backend, &mut login, version)?,
        Kind::Kubernetes => kubernetes(backend, &mut login, (kind, name))?,
        Kind::Local => Members::new(),
        Kind::Vault => vault(backend, &mut login, version)?,
    };
    let Login { auth, beside } = login;
    let mut block = over(block, beside);
    if !auth.is_empty() {
        block.insert("auth".to_owned(), Value::Object(auth));
    }
    Ok((words.provider, Value::Object(block)))
}

fn words(kind: Kind) -> Result<&'static Words, String> {
    Ok(match kind {
        Kind::AwsSm => &AWS,
        Kind::AzureKv => &AZURE,
        Kind::Gcpsm => &GCPSM,
        Kind::Kubernetes => &KUBERNETES,
        Kind::Local => return Err("External Secrets Operator cannot read `local`".to_owned()),
        Kind::Vault => &VAULT,
    })
}

/// The contract's `auth`, as the operator keeps it.
#[derive(Default)]
struct Login {
    auth: Members,
    beside: Members,
}

impl Login {
    fn of(backend: &ResolvedBackend, words: &Words) -> Result<Self, String> {
        let mut login = Self::default();
        let Some(Value::Object(given)) = &backend.auth else {
            return Ok(login);
        };
        for (key, value) in given {
            let word = key.as_str();
            if words.beside.contains(&word) {
                login.beside.insert(key.clone(), value.clone());
            } else if words.ways.contains(&word) || words.with.contains(&word) {
                login.auth.insert(key.clone(), value.clone());
            } else {
                return Err(unknown(backend, word, words));
            }
        }
        let named: Vec<&str> = login.ways(words).collect();
        if let [first, second, ..] = named.as_slice() {
            return Err(format!(
                "`backends.{}.store.auth` names two ways to log in, `{first}` and `{second}`",
                backend.name
            ));
        }
        Ok(login)
    }

    fn ways<'a>(&'a self, words: &'a Words) -> impl Iterator<Item = &'a str> {
        let named = self.auth.keys().map(String::as_str);
        named.filter(|name| words.ways.contains(name))
    }

    /// The members of one way to log in.
    fn way(&mut self, name: &str) -> Option<&mut Members> {
        self.auth.get_mut(name).and_then(Value::as_object_mut)
    }
}

fn unknown(backend: &ResolvedBackend, word: &str, words: &Words) -> String {
    let known = [words.ways, words.with, words.beside].concat();
    let meant = match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    format!(
        "`backends.{}.store.auth` has `{word}`, which is no word of External Secrets Operator's provider `{}`; {meant}",
        backend.name, words.provider
    )
}

fn gcpsm(
    backend: &ResolvedBackend,
    login: &mut Login,
    version: EsoVersion,
) -> Result<Members, String> {
    let mut block = Members::new();
    put(&mut block, "projectID", required(backend, "project")?);
    if let Some(location) = setting(backend, "location") {
        put(&mut block, "location", location);
    }
    if version.has_version_selection() {
        put(&mut block, "secretVersionSelectionPolicy", "LatestOrFail");
    } else if login.beside.contains_key("secretVersionSelectionPolicy") {
        return Err(too_old("secretVersionSelectionPolicy", "0.20", version));
    }
    Ok(block)
}

fn aws(
    backend: &ResolvedBackend,
    login: &mut Login,
    version: EsoVersion,
) -> Result<Members, String> {
    let mut block = Members::new();
    put(&mut block, "service", "SecretsManager");
    put(&mut block, "region", required(backend, "region")?);
    if version.has_session_tags_policy() {
        put(&mut block, "sessionTagsPolicy", "None");
    } else if let Some(word) = ["customSessionTags", "sessionTagsPolicy"]
        .iter()
        .find(|word| login.beside.contains_key(**word))
    {
        return Err(too_old(word, "2.5", version));
    }
    Ok(block)
}

fn azure(
    backend: &ResolvedBackend,
    login: &mut Login,
    version: EsoVersion,
) -> Result<Members, String> {
    let vault = required(backend, "vault")?;
    if login.beside.is_empty() {
        return Err(format!(
            "it does not say how External Secrets Operator logs in; give `backends.{}.store.auth`, such as `{{authType: WorkloadIdentity, serviceAccountRef: {{name: …}}}}`",
            backend.name
        ));
    }
    let mut block = Members::new();
    put(&mut block, "vaultUrl", vault.trim_end_matches('/'));
    put(&mut block, "authType", "ServicePrincipal");
    let host = vault.trim_end_matches('/');
    let cloud = if host.ends_with(".vault.azure.cn") {
        "ChinaCloud"
    } else if host.ends_with(".vault.usgovcloudapi.net") {
        "USGovernmentCloud"
    } else {
        "PublicCloud"
    };
    put(&mut block, "environmentType", cloud);
    if version.has_new_azure_sdk() {
        block.insert("useAzureSDK".to_owned(), json!(false));
    } else if let Some(word) = ["customCloudConfig", "useAzureSDK"]
        .iter()
        .find(|word| login.beside.contains_key(**word))
    {
        return Err(too_old(word, "0.20", version));
    }
    Ok(block)
}

fn vault(
    backend: &ResolvedBackend,
    login: &mut Login,
    version: EsoVersion,
) -> Result<Members, String> {
    let address = required(backend, "address")?;
    if login.ways(&VAULT).next().is_none() {
        return Err(format!(
            "it does not say how External Secrets Operator logs in; give `backends.{}.store.auth`, such as `{{kubernetes: {{role: …, serviceAccountRef: {{name: …}}}}}}`",
            backend.name
        ));
    }
    let mut block = Members::new();
    put(&mut block, "server", address);
    let mount = setting(backend, "mount").unwrap_or("secret");
    put(&mut block, "path", mount.trim_matches('/'));
    put(&mut block, "version", "v2");
    if let Some(namespace) = setting(backend, "namespace") {
        put(&mut block, "namespace", namespace);
    }
    let mounts = BTreeMap::from([
        ("appRole", ("path", "approle")),
        ("jwt", ("path", "jwt")),
        ("kubernetes", ("mountPath", "kubernetes")),
        ("ldap", ("path", "ldap")),
        ("userPass", ("path", "userpass")),
    ]);
    let later = [
        version
            .has_certificate_mount()
            .then_some(("cert", ("path", "cert"))),
        version
            .has_google_login()
            .then_some(("gcp", ("path", "gcp"))),
    ];
    for (way, (member, usual)) in mounts.into_iter().chain(later.into_iter().flatten()) {
        if let Some(members) = login.way(way) {
            let usual = || json!(usual);
            members.entry(member).or_insert_with(usual);
        }
    }
    if login.auth.contains_key("gcp") && !version.has_google_login() {
        return Err(too_old("gcp", "1.3", version));
    }
    Ok(block)
}

/// The cluster that the operator runs in, unless `auth` says otherwise; with a service account named like the store, unless
/// it names another way.
fn kubernetes(
    backend: &ResolvedBackend,
    login: &mut Login,
    (kind, name): (StoreKind, &str),
) -> Result<Members, String> {
    let source = source_namespace(backend);
    let mut block = Members::new();
    put(&mut block, "remoteNamespace", source);
    if login.beside.contains_key("authRef") {
        if login.beside.contains_key("server") || !login.auth.is_empty() {
            return Err(
                "`authRef` is a whole kubeconfig, beside which nothing else counts".to_owned(),
            );
        }
        return Ok(block);
    }
    let cluster_wide = kind == StoreKind::ClusterSecretStore;
    if login.auth.is_empty() {
        let mut account = Members::new();
        put(&mut account, "name", name);
        if cluster_wide {
            put(&mut account, "namespace", source);
        }
        login
            .auth
            .insert("serviceAccount".to_owned(), account.into());
    }
    let server = login.beside.entry("server").or_insert_with(|| {
        let mut authorities = Members::new();
        put(&mut authorities, "type", "ConfigMap");
        put(&mut authorities, "name", "kube-root-ca.crt");
        put(&mut authorities, "key", "ca.crt");
        if cluster_wide {
            put(&mut authorities, "namespace", source);
        }
        json!({"url": "https://kubernetes.default.svc", "caProvider": authorities})
    });
    if let Value::Object(server) = server {
        let usual = || json!("kubernetes.default");
        server.entry("url").or_insert_with(usual);
    }
    Ok(block)
}

fn too_old(word: &str, since: &str, version: EsoVersion) -> String {
    format!("`{word}` needs External Secrets Operator {since}, and --eso-version is {version}")
}

fn setting<'b>(backend: &'b ResolvedBackend, name: &str) -> Option<&'b str> {
    let given = backend.settings.get(name).map(String::as_str);
    given.filter(|text| !text.is_empty())
}

/// A setting without which the operator does not know where to read. What stands in the environment of `seed` is not
/// known in the cluster.
fn required<'b>(backend: &'b ResolvedBackend, name: &str) -> Result<&'b str, String> {
    setting(backend, name).ok_or_else(|| {
        format!(
            "External Secrets Operator needs the backend's `{name}`; give `backends.{}.{name}` in the contract",
            backend.name
        )
    })
}

fn put(members: &mut Members, key: &str, text: &str) {
    members.insert(key.to_owned(), json!(text));
}

/// What the contract says wins over a default, in the default's place.
fn over(mut block: Members, own: Members) -> Members {
    block.extend(own);
    block
}
