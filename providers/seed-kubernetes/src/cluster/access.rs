//! Which API server: a context of a kubeconfig, or the one of the pod that we run in.

use std::fmt;
use std::io;
use std::path::PathBuf;

use futures::FutureExt as _;
use http::Uri;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

/// Where to look for an API server, and what it must be.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The context to use. The kubeconfig's current one without it, or the pod's own cluster without a kubeconfig.
    pub context: Option<String>,
    /// The address that the API server must have.
    pub server: Option<String>,
    /// The kubeconfig, in place of those that `KUBECONFIG` names or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// Variables that a credential plugin must not see: they hold values.
    pub hidden: Vec<String>,
}

/// Something is wrong with the settings or the kubeconfig. No call was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    message: String,
    hint: String,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// An API server that was found, and the credential for it.
pub(super) struct Found {
    pub(super) config: Config,
    /// `None` in a pod.
    pub(super) context: Option<String>,
    /// The user of the context, as the kubeconfig names it.
    pub(super) user: Option<String>,
    /// Its namespace, where the context or the pod names one.
    pub(super) namespace: Option<String>,
}

/// Finds the API server and checks that it is the one that is wanted. Reads files, and makes no call.
pub(super) fn find(access: &Access) -> Result<Found, ConfigError> {
    let mut found = match kubeconfig(access)? {
        Some(kubeconfig) => in_kubeconfig(kubeconfig, access)?,
        None => in_pod(access)?,
    };
    if let Some(wanted) = &access.server {
        check_server(&found, wanted)?;
    }
    found.config.proxy_url = super::proxy::of(&found.config);
    Ok(found)
}

/// The kubeconfig, or `None` when there is none.
fn kubeconfig(access: &Access) -> Result<Option<Kubeconfig>, ConfigError> {
    let read = match &access.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    match read {
        Ok(read) if read.contexts.is_empty() && read.current_context.is_none() => Ok(None),
        Ok(read) => Ok(Some(read)),
        Err(KubeconfigError::ReadConfig(err, _)) if err.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(KubeconfigError::FindPath) => Ok(None),
        Err(err) => Err(unusable(&err)),
    }
}

fn in_kubeconfig(kubeconfig: Kubeconfig, access: &Access) -> Result<Found, ConfigError> {
    let chosen = access
        .context
        .clone()
        .or(kubeconfig.current_context.clone());
    let Some(name) = chosen.filter(|name| !name.is_empty()) else {
        return Err(ConfigError::new(
            "no context is named, and the kubeconfig has no current one",
            "set `context` under the backend in the contract, or choose one with `kubectl config use-context`",
        ));
    };
    let context = kubeconfig.contexts.iter().find(|it| it.name == name);
    let Some(context) = context.and_then(|it| it.context.clone()) else {
        return Err(no_context(&name, &kubeconfig));
    };
    let user = context.user.clone().filter(|user| !user.is_empty());
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    // It only reads files; the function is async for nothing.
    let loaded = Config::from_custom_kubeconfig(kubeconfig, &options).now_or_never();
    let config = match loaded {
        Some(Ok(config)) => config,
        Some(Err(err)) => return Err(unusable(&err)),
        None => return Err(ConfigError::new("the kubeconfig cannot be read", CHECK)),
    };
    refuse_legacy(&config)?;
    Ok(Found {
        config,
        context: Some(name),
        user,
        namespace: context.namespace.filter(|namespace| !namespace.is_empty()),
    })
}

fn in_pod(access: &Access) -> Result<Found, ConfigError> {
    if let Some(context) = &access.context {
        return Err(ConfigError::new(
            format!("the context `{context}` does not exist: there is no kubeconfig"),
            "name the file in KUBECONFIG, or leave `context` out where seed runs in a pod of that cluster",
        ));
    }
    let config = Config::incluster().map_err(|_| {
        ConfigError::new(
            "there is no kubeconfig, and no service account of a pod either",
            "name the file in KUBECONFIG, or put it at ~/.kube/config",
        )
    })?;
    Ok(Found {
        context: None,
        user: None,
        namespace: Some(config.default_namespace.clone()),
        config,
    })
}

fn no_context(name: &str, kubeconfig: &Kubeconfig) -> ConfigError {
    let known: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|it| format!("`{}`", it.name))
        .collect();
    let hint = match known.as_slice() {
        [] => "the kubeconfig has no context at all".to_owned(),
        known => format!("the kubeconfig has {}", known.join(", ")),
    };
    ConfigError::new(format!("the context `{name}` does not exist"), hint)
}

/// A plugin of the old kind is a program that we could not run without our variables.
fn refuse_legacy(config: &Config) -> Result<(), ConfigError> {
    match &config.auth_info.auth_provider {
        Some(provider) if provider.name != "oidc" => Err(ConfigError::new(
            format!(
                "the kubeconfig takes its credential from the auth provider `{}`, which Kubernetes has removed",
                provider.name
            ),
            "make the user again with the provider's `exec` plugin",
        )),
        _ => Ok(()),
    }
}

fn check_server(found: &Found, wanted: &str) -> Result<(), ConfigError> {
    let real = &found.config.cluster_url;
    let same = wanted
        .parse::<Uri>()
        .is_ok_and(|wanted| parts(&wanted) == parts(real));
    if same {
        return Ok(());
    }
    let whose = match &found.context {
        Some(context) => format!("the context `{context}`"),
        None => "this pod's cluster".to_owned(),
    };
    Err(ConfigError::new(
        format!(
            "{whose} is for the server `{}`, and the contract names `{wanted}`",
            shown(real)
        ),
        "choose the other context, or correct `server` in the contract",
    ))
}

/// What two addresses of one server have in common.
fn parts(address: &Uri) -> (Option<String>, Option<String>, Option<u16>, String) {
    let scheme = address.scheme_str().map(str::to_ascii_lowercase);
    let usual = match scheme.as_deref() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    let host = address.host().map(str::to_ascii_lowercase);
    let path = address.path().trim_end_matches('/').to_owned();
    (scheme, host, address.port_u16().or(usual), path)
}

/// An address without a user or password that somebody wrote into it.
pub(super) fn shown(address: &Uri) -> String {
    let scheme = address.scheme_str().unwrap_or("https");
    let authority = address.authority().map_or("", |it| it.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", address.path().trim_end_matches('/'))
}

/// What kube says of a kubeconfig, without its own words: those may show a line, and a token may be in it.
fn unusable(err: &KubeconfigError) -> ConfigError {
    let message = match err {
        KubeconfigError::ReadConfig(err, path) => {
            format!("cannot read the kubeconfig `{}`: {err}", path.display())
        }
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the context's cluster `{name}` is not in the kubeconfig")
        }
        KubeconfigError::MissingClusterUrl => "the context's cluster has no `server`".to_owned(),
        KubeconfigError::ParseClusterUrl(_) => {
            "the `server` of the context's cluster is no address".to_owned()
        }
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            "the certificate authority of the context's cluster cannot be read".to_owned()
        }
        KubeconfigError::LoadClientCertificate(_) | KubeconfigError::LoadClientKey(_) => {
            "the client certificate of the context's user cannot be read".to_owned()
        }
        KubeconfigError::ParseProxyUrl(_) | KubeconfigError::ParseNoProxy(_) => {
            "the address of the proxy is no address".to_owned()
        }
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "the files that KUBECONFIG names are of different kinds".to_owned()
        }
        KubeconfigError::CurrentContextNotSet
        | KubeconfigError::LoadContext(_)
        | KubeconfigError::FindPath
        | KubeconfigError::Parse(_) => "the kubeconfig is not as it should be".to_owned(),
    };
    ConfigError::new(message, CHECK)
}

const CHECK: &str = "`kubectl config view` shows what is wrong with it";
