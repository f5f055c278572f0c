//! A vault of Azure Key Vault.

use std::path::PathBuf;
use std::time::Duration;

use seed_azure_kv::{AzureKv, BURST, CAPABILITIES, Config, ConfigError, Credentials, Surroundings};
use seed_core::backend::Kind;
use seed_core::resolve::ResolvedBackend;

use super::opened::{Ground, Opened};
use crate::child;
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Each request is paced and tried by itself, since a call may need several.
pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let usage = |err: ConfigError| {
        CliError::usage(format!("backend `{}`: {err}", backend.name)).hint(err.hint())
    };
    let config = Config {
        vault: backend.settings.get("vault").cloned(),
        pause: pause(backend)?,
        surroundings: surroundings(ground.hidden),
        credentials: Credentials::Usual,
    };
    let policy = ground.policy(&CAPABILITIES, BURST, backend);
    let adapter = AzureKv::new(config, policy).map_err(usage)?;
    Ok(Opened::converging(adapter))
}

/// The setting `pause`: whole seconds.
fn pause(backend: &ResolvedBackend) -> Result<Option<Duration>> {
    let Some(text) = backend
        .settings
        .get("pause")
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let seconds = text.strip_suffix('s').unwrap_or(text).parse::<u16>();
    let seconds = seconds.ok().filter(|seconds| (1..=300).contains(seconds));
    match seconds {
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.into()))),
        None => Err(CliError::usage(format!(
            "backend `{}`: its `pause` is no time from 1s to 300s",
            backend.name
        ))
        .hint("write it as `pause: 5s`, or leave it out")),
    }
}

fn surroundings(hidden: &[String]) -> Surroundings {
    let text = Environment::text;
    Surroundings {
        authority: text("AZURE_AUTHORITY_HOST"),
        tenant: text("AZURE_TENANT_ID"),
        client: text("AZURE_CLIENT_ID"),
        client_secret: text("AZURE_CLIENT_SECRET"),
        client_certificate: text("AZURE_CLIENT_CERTIFICATE_PATH").is_some(),
        federated_token: text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
        identity_endpoint: text("IDENTITY_ENDPOINT").is_some(),
        // The client reads `SSL_CERT_FILE` for itself.
        authorities: None,
        withheld: withheld(hidden),
    }
}

/// All variables but those that `az` and `azd` may need.
fn withheld(hidden: &[String]) -> Vec<String> {
    let own = Kind::AzureKv.own_variables();
    let seen = |name: &str| {
        let azure = own.contains(&name) && !CREDENTIALS.contains(&name);
        child::passes(name) || azure || LOGIN.contains(&name)
    };
    let mut names = Environment::names_with("");
    names.retain(|name| hidden.contains(name) || !seen(name));
    names
}

/// What other credentials are made of.
const CREDENTIALS: [&str; 4] = [
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
];

/// What tools that log in need beside: a keyring, a proxy, authorities.
const LOGIN: [&str; 16] = [
    "AZD_CONFIG_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "TZ",
    "XDG_RUNTIME_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
