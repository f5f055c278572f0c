//! The client under all requests: explicit TLS, no redirects, no retries, a time-out for everything.

use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder, Identity, Url, redirect, retry};
use zeroize::Zeroizing;

use crate::config::ConfigError;
use crate::place::Place;
use crate::variables::{Said, Variables};

/// A client, the address to send to, and whether certificates are looked at.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) client: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) verifies: bool,
}

impl Tls {
    pub(crate) fn new(
        place: &Place,
        variables: &Variables,
        deadline: Duration,
    ) -> Result<Self, ConfigError> {
        let verifies = !skips(variables.skip_verify.as_ref())?;
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The client panics where nobody chose one. Whoever came before us in a race chose the same.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            // The deadline of a whole request is that of the policy, which says how long it was.
            .connect_timeout(deadline.min(CONNECT))
            .user_agent(concat!("seed/", env!("CARGO_PKG_VERSION")));
        if place.is_here() {
            // As with Vault's own command line: a proxy would see the token and the values.
            builder = builder.no_proxy();
        }
        let mut base = place.origin.clone();
        if base.scheme() == "http" {
            // Otherwise a machine without certificates of its own could make no client at all.
            builder = builder.tls_certs_only(Vec::new());
        } else {
            builder = trust(builder, variables)?.tls_danger_accept_invalid_certs(!verifies);
            builder = identify(builder, variables)?;
            if let Some(name) = &variables.server_name {
                let resolver = Elsewhere::of(&base);
                let message = "`VAULT_TLS_SERVER_NAME` is no name of a server";
                base.set_host(Some(name))
                    .map_err(|_| ConfigError::new(message, "write it as `vault.example.com`"))?;
                builder = builder.no_proxy().dns_resolver(resolver);
            }
        }
        let client = builder.build().map_err(|_| {
            ConfigError::new(
                "no TLS client can be made from the certificates that were found",
                "check `VAULT_CACERT`, `VAULT_CAPATH`, `VAULT_CLIENT_CERT` and `VAULT_CLIENT_KEY`, or the machine's own certificates",
            )
        })?;
        Ok(Self {
            client,
            base,
            verifies: verifies || place.origin.scheme() == "http",
        })
    }
}

/// What Vault's own command line takes for yes and for no: the words of Go's `ParseBool`, and nothing else.
fn skips(said: Option<&Said>) -> Result<bool, ConfigError> {
    let Some(Said { variable, text }) = said else {
        return Ok(false);
    };
    match text.as_str() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(ConfigError::new(
            format!("`{variable}` is neither true nor false"),
            "unset it, so that certificates are verified, or set it to `true` or `false`",
        )),
    }
}

/// Named authorities are trusted alone, as by Vault's own command line; a file goes before a directory.
fn trust(builder: ClientBuilder, variables: &Variables) -> Result<ClientBuilder, ConfigError> {
    let files = match (&variables.ca_file, &variables.ca_directory) {
        (Some(file), _) => vec![PathBuf::from(file)],
        (None, Some(directory)) => files_below(Path::new(directory))?,
        (None, None) => return Ok(builder),
    };
    let mut trusted = Vec::new();
    for file in &files {
        let found = Certificate::from_pem_bundle(&read(file)?);
        let found = found.map_err(|_| unreadable(file, "it is no PEM file of certificates"))?;
        trusted.extend(found);
    }
    if trusted.is_empty() {
        return Err(ConfigError::new(
            "`VAULT_CACERT` or `VAULT_CAPATH` is set, and holds no certificate",
            "name a PEM file of authorities, or unset it",
        ));
    }
    Ok(builder.tls_certs_only(trusted))
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = std::fs::read_dir(directory).map_err(|err| unreadable(directory, err))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|err| unreadable(directory, err))?.path();
        if path.is_dir() {
            // A mounted volume of Kubernetes has hidden directories with the same files again.
            let hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden {
                files.extend(files_below(&path)?);
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn identify(builder: ClientBuilder, variables: &Variables) -> Result<ClientBuilder, ConfigError> {
    let (certificate, key) = match (&variables.client_certificate, &variables.client_key) {
        (Some(certificate), Some(key)) => (Path::new(certificate), Path::new(key)),
        (None, None) => return Ok(builder),
        (Some(_), None) | (None, Some(_)) => {
            return Err(ConfigError::new(
                "a client certificate needs `VAULT_CLIENT_CERT` and `VAULT_CLIENT_KEY`",
                "set both, or none",
            ));
        }
    };
    let (mut pem, mut key_pem) = (read(certificate)?, read(key)?);
    pem.push(b'\n');
    pem.append(&mut key_pem);
    let identity = Identity::from_pem(&pem);
    let identity =
        identity.map_err(|_| unreadable(certificate, "it and its key are no PEM pair"))?;
    Ok(builder.identity(identity))
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let read = std::fs::read(file).map(Zeroizing::new);
    read.map_err(|err| unreadable(file, err))
}

fn unreadable(file: &Path, why: impl Display) -> ConfigError {
    ConfigError::new(
        format!("`{}` cannot be used for TLS: {why}", file.display()),
        "correct the `VAULT_…` variable that names it",
    )
}

/// Finds the address of the real host under the name that its certificate has.
struct Elsewhere {
    host: String,
    port: u16,
}

impl Elsewhere {
    fn of(url: &Url) -> Self {
        Self {
            host: url
                .host_str()
                .unwrap_or_default()
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port_or_known_default().unwrap_or(443),
        }
    }
}

impl Resolve for Elsewhere {
    fn resolve(&self, _name: Name) -> Resolving {
        let (host, port) = (self.host.clone(), self.port);
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || {
                let found = (host.as_str(), port).to_socket_addrs();
                found.map(Iterator::collect::<Vec<SocketAddr>>)
            });
            let found = found.await??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A server that does not even take the connection is not there.
const CONNECT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said {
            variable: "VAULT_SKIP_VERIFY".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn verification_is_off_only_for_the_words_that_vault_takes_for_yes() {
        assert_eq!(skips(None), Ok(false));
        for word in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(skips(Some(&said(word))), Ok(true), "{word}");
        }
        for word in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(skips(Some(&said(word))), Ok(false), "{word}");
        }
        for word in ["no", "yes", "on", "off", " true", "tRUE", "2"] {
            let err = skips(Some(&said(word))).unwrap_err();
            assert_eq!(
                err.to_string(),
                "`VAULT_SKIP_VERIFY` is neither true nor false",
                "{word}"
            );
        }
    }
}
