//! Which API server: a context of a kubeconfig, or the one of the pod that we run in.

use std::fmt;
use std::path::PathBuf;

use futures::FutureExt as _;
use http::Uri;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use super::{kubeconfig, proxy};

/// Where to look for an API server, and what it must be.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The context to use. The kubeconfig's current one without it, or the pod's own cluster without a kubeconfig.
    pub context: Option<String>,
    /// The address that the API server must have.
    pub server: Option<String>,
    /// The files that `KUBECONFIG` names; `~/.kube/config` without any.
    pub kubeconfigs: Vec<PathBuf>,
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
    let (mut found, proxy) = match kubeconfig::read(&access.kubeconfigs)? {
        Some(kubeconfig) => {
            let proxy = kubeconfig::proxy(&kubeconfig, access.context.as_deref());
            (in_kubeconfig(kubeconfig, access)?, proxy)
        }
        None => (in_pod(access)?, None),
    };
    if let Some(wanted) = &access.server {
        check_server(&found, wanted)?;
    }
    found.config.proxy_url = proxy::of(proxy.as_deref(), &found.config.cluster_url)?;
    Ok(found)
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
    let is_known = |user: &String| kubeconfig.auth_infos.iter().any(|it| it.name == *user);
    if let Some(user) = user.as_ref().filter(|user| !is_known(user)) {
        // Without it requests would go out as nobody.
        let message = format!("the context's user `{user}` is not in the kubeconfig");
        return Err(ConfigError::new(message, kubeconfig::CHECK));
    }
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    // It only reads files; the function is async for nothing.
    let loaded = Config::from_custom_kubeconfig(kubeconfig, &options).now_or_never();
    let config = match loaded {
        Some(Ok(config)) => config,
        Some(Err(err)) => return Err(kubeconfig::unusable(&err)),
        None => {
            let message = "the kubeconfig cannot be read";
            return Err(ConfigError::new(message, kubeconfig::CHECK));
        }
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
