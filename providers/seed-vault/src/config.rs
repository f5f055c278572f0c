//! What an adapter is opened with.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::login::Login;
use crate::variables::Variables;

/// Where to go and how to log in: the contract's settings beside the environment's.
#[derive(Debug)]
pub struct Config {
    /// The contract's address, such as `https://vault.example.com:8200`.
    pub address: Option<String>,
    /// Whether a person named the address for this very run, so that credentials of the environment are meant for it.
    pub meant: bool,
    /// The contract's namespace.
    pub namespace: Option<String>,
    /// The path of the mount, `secret` when the contract names none.
    pub mount: Option<String>,
    /// `token`, `approle`, `kubernetes` or `jwt`; `token` when the contract names none.
    pub login: Option<String>,
    /// Where the auth method is mounted, when not at its own name.
    pub login_mount: Option<String>,
    /// The role to log in with, for `kubernetes` and `jwt`.
    pub role: Option<String>,
    /// What the environment says.
    pub variables: Variables,
    /// The user's home, where `vault login` keeps a token.
    pub home: Option<PathBuf>,
}

/// A configuration that cannot be meant. Its text is a lower-case fragment, without a value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Config {
    /// Which login the settings ask for.
    pub(crate) fn login(&mut self) -> Result<Login, ConfigError> {
        let at = |usual: &str| {
            let mount = self.login_mount.as_deref().unwrap_or(usual);
            let mount = mount.trim_matches('/').to_owned();
            refuse_path("login-mount", &mount).map(|()| mount)
        };
        let variables = &mut self.variables;
        match self.login.as_deref().unwrap_or("token") {
            "token" => {
                refuse_setting("login-mount", self.login_mount.as_ref())?;
                refuse_setting("role", self.role.as_ref())?;
                let file = self.home.as_ref().map(|home| home.join(".vault-token"));
                Ok(Login::Token(variables.token.take(), file))
            }
            "approle" => {
                refuse_setting("role", self.role.as_ref())?;
                let missing = "the login `approle` needs `VAULT_ROLE_ID` and `VAULT_SECRET_ID`";
                let missing = || ConfigError::new(missing, "set both variables");
                Ok(Login::AppRole {
                    mount: at("approle")?,
                    role_id: variables.role_id.take().ok_or_else(missing)?,
                    secret_id: variables.secret_id.take().ok_or_else(missing)?,
                })
            }
            word @ ("jwt" | "kubernetes") => {
                let missing = || {
                    let message = format!("the login `{word}` needs the setting `role`");
                    ConfigError::new(
                        message,
                        "name a role of the auth method in the contract's backend",
                    )
                };
                let usual = (word == "kubernetes").then_some(SERVICE_ACCOUNT);
                let file = variables.jwt_file.take().or(usual.map(str::to_owned));
                let mount = at(word)?;
                let jwt = variables.jwt.take();
                if jwt.is_none() && file.is_none() {
                    let message = "the login `jwt` needs `VAULT_JWT` or `VAULT_JWT_FILE`";
                    return Err(ConfigError::new(message, "set one of them"));
                }
                Ok(Login::Jwt {
                    mount,
                    role: self.role.take().ok_or_else(missing)?,
                    jwt,
                    file: file.map(PathBuf::from),
                })
            }
            other => Err(ConfigError::new(
                format!("`{other}` is no login of Vault that seed knows"),
                "use `token`, `approle`, `kubernetes` or `jwt`",
            )),
        }
    }

    /// The mount's path without slashes around it.
    pub(crate) fn mount(&self) -> Result<String, ConfigError> {
        let mount = self.mount.as_deref().unwrap_or("secret").trim_matches('/');
        refuse_path("mount", mount)?;
        Ok(mount.to_owned())
    }
}

fn refuse_setting(setting: &str, given: Option<&String>) -> Result<(), ConfigError> {
    match given {
        None => Ok(()),
        Some(_) => Err(ConfigError::new(
            format!("`{setting}` has no meaning for this login"),
            "remove it, or name the login that it is for",
        )),
    }
}

pub(crate) fn refuse_path(setting: &str, path: &str) -> Result<(), ConfigError> {
    let segment = |segment: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@+=".contains(c);
        !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(plain)
    };
    if path.split('/').all(segment) {
        return Ok(());
    }
    Err(ConfigError::new(
        format!("the setting `{setting}` is no path of Vault"),
        "write it as `vault secrets list` and `vault auth list` do, such as `secret` or `team/kv`",
    ))
}

/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
