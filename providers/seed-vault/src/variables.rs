//! The variables of Vault's own command line, and the names that `OpenBao` prefers to them.

use std::fmt;

use seed_core::secret::SecretValue;

use crate::config::ConfigError;

/// What the environment says. An empty variable says nothing, as for Vault's own command line.
#[derive(Default)]
pub struct Variables {
    pub(crate) address: Option<Said>,
    pub(crate) namespace: Option<Said>,
    pub(crate) token: Option<SecretValue>,
    pub(crate) role_id: Option<SecretValue>,
    pub(crate) secret_id: Option<SecretValue>,
    pub(crate) jwt: Option<SecretValue>,
    pub(crate) jwt_file: Option<String>,
    pub(crate) ca_file: Option<String>,
    pub(crate) ca_directory: Option<String>,
    pub(crate) client_certificate: Option<String>,
    pub(crate) client_key: Option<String>,
    pub(crate) server_name: Option<String>,
    pub(crate) skip_verify: Option<Said>,
}

/// The text of a variable, and its name.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) variable: String,
    pub(crate) text: String,
}

impl Variables {
    /// Reads them with `value`, which gives the bytes of a variable that is set.
    ///
    /// Fails when `BAO_…` and `VAULT_…` say different things: nobody can tell which is meant.
    pub fn read(value: impl Fn(&str) -> Option<SecretValue>) -> Result<Self, ConfigError> {
        let text = |name| {
            one(name, &value)?
                .map(|(variable, it)| said(variable, &it))
                .transpose()
        };
        let plain = |name| Ok(text(name)?.map(|said: Said| said.text));
        let secret = |name| Ok(one(name, &value)?.map(|(_, it)| it));
        Ok(Self {
            address: text("ADDR")?,
            namespace: text("NAMESPACE")?,
            token: secret("TOKEN")?,
            role_id: secret("ROLE_ID")?,
            secret_id: secret("SECRET_ID")?,
            jwt: secret("JWT")?,
            jwt_file: plain("JWT_FILE")?,
            ca_file: plain("CACERT")?,
            ca_directory: plain("CAPATH")?,
            client_certificate: plain("CLIENT_CERT")?,
            client_key: plain("CLIENT_KEY")?,
            server_name: plain("TLS_SERVER_NAME")?,
            skip_verify: text("SKIP_VERIFY")?,
        })
    }
}

/// An allow-list: some are credentials.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

fn one(
    name: &str,
    value: &impl Fn(&str) -> Option<SecretValue>,
) -> Result<Option<(String, SecretValue)>, ConfigError> {
    let set = |variable: String| {
        let found = value(&variable).filter(|found| !found.is_empty())?;
        Some((variable, found))
    };
    match (set(format!("BAO_{name}")), set(format!("VAULT_{name}"))) {
        (Some((bao, one)), Some((vault, other))) if !one.same_as(&other) => Err(ConfigError::new(
            format!("`{bao}` and `{vault}` say different things"),
            "unset one of them",
        )),
        (bao, vault) => Ok(bao.or(vault)),
    }
}

fn said(variable: String, value: &SecretValue) -> Result<Said, ConfigError> {
    match value.expose_text() {
        Some(text) => Ok(Said {
            text: text.to_owned(),
            variable,
        }),
        None => Err(ConfigError::new(
            format!("`{variable}` is not UTF-8"),
            "set it to text, or unset it",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Variables, ConfigError> {
        Variables::read(|name| {
            let found = pairs.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned().into())
        })
    }

    #[test]
    fn either_name_is_taken_and_an_empty_one_says_nothing() {
        let variables = read(&[
            ("BAO_ADDR", "http://a"),
            ("VAULT_NAMESPACE", ""),
            ("VAULT_TOKEN", "t"),
        ]);
        let variables = variables.unwrap();
        assert_eq!(variables.address.unwrap().text, "http://a");
        assert!(variables.namespace.is_none());
        assert_eq!(variables.token.unwrap().expose(), b"t");
    }

    #[test]
    fn two_names_that_disagree_are_refused_without_what_they_say() {
        let err = read(&[("BAO_TOKEN", "canary"), ("VAULT_TOKEN", "canary2")]).unwrap_err();
        assert_eq!(
            err.to_string(),
            "`BAO_TOKEN` and `VAULT_TOKEN` say different things"
        );
        assert!(read(&[("BAO_TOKEN", "t"), ("VAULT_TOKEN", "t")]).is_ok());
    }

    #[test]
    fn debug_shows_no_credential() {
        let variables = read(&[
            ("VAULT_TOKEN", "canary"),
            ("VAULT_ADDR", "http://a"),
            ("VAULT_SECRET_ID", "canary"),
        ]);
        let shown = format!("{:?}", variables.unwrap());
        assert!(
            !shown.contains("canary") && shown.contains("http://a"),
            "{shown}"
        );
    }
}
