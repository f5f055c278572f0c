//! Google Secret Manager.

use std::path::PathBuf;

use seed_core::backend::Kind;
use seed_core::resolve::ResolvedBackend;
use seed_gcpsm::{BURST, CAPABILITIES, Config, Credentials, GcpSm, Surroundings};
use seed_provider::Traced;

use super::opened::{Ground, Opened};
use crate::child;
use crate::env::Environment;
use crate::error::{CliError, Result};

/// Each request is paced and tried by itself, since a call may need several.
pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let setting = |name: &str| backend.settings.get(name).cloned();
    let config = Config {
        project: setting("project"),
        location: setting("location"),
        replication: setting("replication"),
        kms_key: setting("kms-key"),
        quota_project: setting("quota-project"),
        endpoint: setting("endpoint"),
        meant: setting("endpoint").is_some_and(|endpoint| ground.is_named(&endpoint)),
        surroundings: surroundings(ground.hidden),
        credentials: Credentials::Usual,
    };
    let policy = ground.policy(&CAPABILITIES, BURST, backend);
    let adapter = GcpSm::new(&config, policy).map_err(|err| {
        CliError::usage(format!("{err} (backend `{}`)", backend.name)).hint(err.hint())
    })?;
    Ok(Opened::replacing(Traced::new(adapter)))
}

fn surroundings(hidden: &[String]) -> Surroundings {
    let text = Environment::text;
    // A path may be no text; without it, others would be taken for whose calls these are.
    let path = |name: &str| {
        let names = [name];
        let (_, value) = Environment::some(&names).pop()?;
        Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty())
    };
    let directory = || {
        let home = || Some(PathBuf::from(text("HOME")?).join(".config").join("gcloud"));
        text("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(home)
    };
    Surroundings {
        project: text("GOOGLE_CLOUD_PROJECT").or_else(|| text("CLOUDSDK_CORE_PROJECT")),
        quota_project: text("GOOGLE_CLOUD_QUOTA_PROJECT"),
        endpoint: text("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"),
        named_credentials: path("GOOGLE_APPLICATION_CREDENTIALS"),
        usual_credentials: directory()
            .map(|directory| directory.join("application_default_credentials.json")),
        withheld: withheld(hidden),
    }
}

/// All variables but those that a program may need which gives a token for another one.
fn withheld(hidden: &[String]) -> Vec<String> {
    let own = Kind::Gcpsm.own_variables();
    let seen = |name: &str| child::passes(name) || own.contains(&name) || LOGIN.contains(&name);
    let mut names = Environment::names_with("");
    names.retain(|name| hidden.contains(name) || !seen(name));
    names
}

/// What such programs need beside: who they are to ask, a keyring, a proxy, authorities.
const LOGIN: [&str; 17] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
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
