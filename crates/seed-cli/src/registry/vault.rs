//! A mount of Vault or `OpenBao`.

use seed_core::resolve::ResolvedBackend;
use seed_vault::{CAPABILITIES, Config, ConfigError, Variables, Vault};

use super::opened::{Ground, Opened};
use crate::env::Environment;
use crate::error::{CliError, Result};

pub(super) fn open(backend: &ResolvedBackend, ground: &Ground<'_>) -> Result<Opened> {
    let setting = |name: &str| backend.settings.get(name).cloned();
    let usage = |err: ConfigError| {
        CliError::usage(format!("backend `{}`: {err}", backend.name)).hint(err.hint())
    };
    let config = Config {
        address: setting("address"),
        meant: setting("address").is_some_and(|address| ground.is_named(&address)),
        namespace: setting("namespace"),
        mount: setting("mount"),
        login: setting("login"),
        login_mount: setting("login-mount"),
        role: setting("role"),
        variables: Variables::read(Environment::secret).map_err(usage)?,
        home: Environment::home(),
    };
    let policy = ground.policy(&CAPABILITIES, BURST, backend);
    let vault = Vault::new(config, policy).map_err(usage)?;
    Ok(Opened::restoring(vault))
}

/// Only a pace that the contract gives is a quota here, of whatever window.
const BURST: u32 = 16;
