//! The kubeconfig: found and merged as kubectl does it, read by kube.

use std::io;
use std::path::PathBuf;

use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};
use secrecy::{ExposeSecret as _, SecretString};

use super::access::ConfigError;

/// Reads the files that are named, or `~/.kube/config`. `None` when there is none, or nothing in it.
///
/// Of several files some may be missing. When all are, nobody wants to go on without them: another place would be taken.
pub(super) fn read(named: &[PathBuf]) -> Result<Option<Kubeconfig>, ConfigError> {
    let read = if named.is_empty() {
        existing(Kubeconfig::read())?.map(without_blanks)
    } else {
        Some(read_all(named)?)
    };
    Ok(read.filter(|read| !read.contexts.is_empty() || read.current_context.is_some()))
}

/// The proxy that the cluster of a context names; of the current context without a name.
pub(super) fn proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let name = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|it| it.name == name)?;
    let name = &context.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter().find(|it| it.name == *name)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}

fn read_all(named: &[PathBuf]) -> Result<Kubeconfig, ConfigError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in named {
        let Some(next) = existing(Kubeconfig::read_from(path))?.map(without_blanks) else {
            continue;
        };
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next).map_err(|err| unusable(&err))?,
        });
    }
    merged.ok_or_else(|| {
        let names = named.iter().map(|path| format!("`{}`", path.display()));
        let names: Vec<String> = names.collect();
        ConfigError::new(
            format!(
                "KUBECONFIG names {}, which does not exist",
                names.join(", ")
            ),
            "correct KUBECONFIG, or unset it to use ~/.kube/config",
        )
    })
}

/// What was read, or `None` when there is no such file.
fn existing(read: Result<Kubeconfig, KubeconfigError>) -> Result<Option<Kubeconfig>, ConfigError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(KubeconfigError::ReadConfig(err, _)) if err.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(KubeconfigError::FindPath) => Ok(None),
        Err(err) => Err(unusable(&err)),
    }
}

/// What is there and empty counts as not there, as in Go: tools write all members of a user, and fill in one.
fn without_blanks(mut kubeconfig: Kubeconfig) -> Kubeconfig {
    forget(&mut kubeconfig.current_context);
    for cluster in kubeconfig
        .clusters
        .iter_mut()
        .filter_map(|it| it.cluster.as_mut())
    {
        let Cluster {
            server,
            certificate_authority,
            certificate_authority_data,
            proxy_url,
            tls_server_name,
            ..
        } = cluster;
        forget_path(certificate_authority);
        for text in [
            server,
            certificate_authority_data,
            proxy_url,
            tls_server_name,
        ] {
            forget(text);
        }
    }
    for user in kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|it| it.auth_info.as_mut())
    {
        let AuthInfo {
            username,
            password,
            token,
            token_file,
            client_certificate,
            client_certificate_data,
            client_key,
            client_key_data,
            ..
        } = user;
        forget(username);
        forget(client_certificate_data);
        for path in [token_file, client_certificate, client_key] {
            forget_path(path);
        }
        for secret in [password, token, client_key_data] {
            forget_secret(secret);
        }
    }
    kubeconfig
}

fn forget(text: &mut Option<String>) {
    text.take_if(|text| text.is_empty());
}

/// kube has made an empty path the directory of the kubeconfig.
fn forget_path(path: &mut Option<String>) {
    path.take_if(|path| path.is_empty() || path.ends_with('/'));
}

fn forget_secret(secret: &mut Option<SecretString>) {
    secret.take_if(|secret| secret.expose_secret().is_empty());
}

/// What kube says of a kubeconfig, without its own words: those may show a line, and a token may be in it.
pub(super) fn unusable(err: &KubeconfigError) -> ConfigError {
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

pub(super) const CHECK: &str = "`kubectl config view` shows what is wrong with it";
