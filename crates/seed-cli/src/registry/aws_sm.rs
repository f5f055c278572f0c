//! AWS Secrets Manager.

use std::path::PathBuf;

use seed_aws_sm::{AwsSm, BURST, CAPABILITIES, Config, Credentials, Surroundings};
use seed_core::backend::Kind;
use seed_core::resolve::ResolvedBackend;

use super::opened::{Ground, Opened};
use crate::child;
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Each request is paced and tried by itself, since a call may need several.
pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let setting = |name: &str| backend.settings.get(name).cloned();
    let config = Config {
        region: setting("region"),
        account: setting("account"),
        profile: setting("profile"),
        kms_key: setting("kms-key"),
        endpoint: setting("endpoint"),
        surroundings: surroundings(ground.hidden),
        credentials: Credentials::Usual,
    };
    let policy = ground.policy(&CAPABILITIES, BURST, backend);
    let adapter = AwsSm::new(config, policy).map_err(|err| {
        CliError::usage(format!("{err} (backend `{}`)", backend.name)).hint(err.hint())
    })?;
    Ok(Opened::restoring(adapter))
}

/// What the AWS libraries are not left to read for themselves, because it says where a run writes.
fn surroundings(hidden: &[String]) -> Surroundings {
    let text = Environment::text;
    let either = |one: &str, other: &str| text(one).or_else(|| text(other));
    let is_on = |name: &str| text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let home = |file: &str| {
        let home = text("HOME").map(PathBuf::from);
        home.map(|home| home.join(".aws").join(file))
    };
    let file = |variable: &str, usual: &str| {
        let named = text(variable).map(PathBuf::from);
        named.or_else(|| home(usual))
    };
    let authorities = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]
        .iter()
        .find_map(|variable| Some(((*variable).to_owned(), PathBuf::from(text(variable)?))));
    let ignored = is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let endpoint = |of_service: &str| {
        let named = either(of_service, "AWS_ENDPOINT_URL");
        named.filter(|_| !ignored)
    };
    Surroundings {
        region: either("AWS_REGION", "AWS_DEFAULT_REGION"),
        profile: text("AWS_PROFILE"),
        endpoint: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        sts_endpoint: endpoint("AWS_ENDPOINT_URL_STS"),
        ignore_endpoints: ignored,
        fips: is_on("AWS_USE_FIPS_ENDPOINT"),
        dual_stack: is_on("AWS_USE_DUALSTACK_ENDPOINT"),
        authorities,
        config_file: file("AWS_CONFIG_FILE", "config"),
        credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        withheld: withheld(hidden),
    }
}

/// All variables but those that a `credential_process` may need.
fn withheld(hidden: &[String]) -> Vec<String> {
    let own = Kind::AwsSm.own_variables();
    let seen = |name: &str| child::passes(name) || own.contains(&name) || LOGIN.contains(&name);
    let mut names = Environment::names_with("");
    names.retain(|name| hidden.contains(name) || !seen(name));
    names
}

/// What tools that log in need beside: a browser, a keyring, an agent, a proxy. And what a shell does not let go.
const LOGIN: [&str; 35] = [
    "AWS_VAULT",
    "AWS_VAULT_BACKEND",
    "AWS_VAULT_FILE_DIR",
    "AWS_VAULT_KEYCHAIN_NAME",
    "AWS_VAULT_PASS_PREFIX",
    "AWS_VAULT_PROMPT",
    "BASHOPTS",
    "BASH_VERSINFO",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "EUID",
    "GNUPGHOME",
    "GPG_TTY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "OLDPWD",
    "PPID",
    "PWD",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "TZ",
    "UID",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "_",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
