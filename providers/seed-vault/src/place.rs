//! Where requests go, and who said so.

use reqwest::Url;
use seed_core::backend::Confirm;

use crate::config::{Config, ConfigError, refuse_path};

/// The address, namespace and mount of one backend.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Scheme, host and port.
    pub(crate) origin: Url,
    /// What stands before `/v1` in every path, such as `/vault`.
    pub(crate) prefix: String,
    pub(crate) namespace: Option<String>,
    pub(crate) mount: String,
    /// Whether `VAULT_ADDR` or the person names the address, so that credentials of the environment are meant for it.
    pub(crate) trusted: bool,
    /// Whether part of it came from the environment alone.
    pub(crate) borrowed: bool,
}

impl Place {
    /// Puts the settings and the variables together, and refuses those that disagree.
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let mount = config.mount()?;
        let told = |setting: &Option<String>| setting.clone().filter(|it| !it.is_empty());
        let (address, namespace) = (told(&config.address), told(&config.namespace));
        let variables = &config.variables;
        let said = variables.address.as_ref();
        let meant = address
            .as_deref()
            .map(|it| parse(it, "the setting `address`"));
        let found = said.map(|said| parse(&said.text, &format!("`{}`", said.variable)));
        let (meant, found) = (meant.transpose()?, found.transpose()?);
        let ((origin, prefix), trusted, lent) = match (meant, found) {
            (Some(meant), Some(found)) if meant == found => (meant, true, false),
            (Some(meant), Some(found)) => {
                let variable = said.map_or("VAULT_ADDR", |said| &said.variable);
                return Err(differs(variable, &shown(&found), "address", &shown(&meant)));
            }
            (Some(meant), None) => (meant, config.meant, false),
            (None, Some(found)) => (found, true, true),
            (None, None) => {
                return Err(ConfigError::new(
                    "no address of Vault is named",
                    "write `address` into the contract's backend, or set `VAULT_ADDR`",
                ));
            }
        };
        let (namespace, lent_namespace) = namespace_of(namespace.as_deref(), config)?;
        Ok(Self {
            origin,
            prefix,
            namespace,
            mount,
            trusted,
            borrowed: lent || lent_namespace,
        })
    }

    /// The address as people write it.
    pub(crate) fn address(&self) -> String {
        shown(&(self.origin.clone(), self.prefix.clone()))
    }

    /// Where it writes, as people say it.
    pub(crate) fn words(&self) -> String {
        let namespace = self.namespace.as_ref();
        let namespace = namespace.map(|it| format!(", namespace {it}"));
        let (address, mount) = (self.address(), &self.mount);
        format!("{address}{}, mount {mount}", namespace.unwrap_or_default())
    }

    /// When a person must confirm it: credentials come from the environment, and must not go to whom it does not name.
    pub(crate) fn confirm(&self) -> Confirm {
        match (self.trusted, self.borrowed) {
            (false, _) => Confirm::BeforeCalls,
            (true, true) => Confirm::BeforeWrites,
            (true, false) => Confirm::Never,
        }
    }

    /// Whether what is sent can be read on the way.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        self.origin.scheme() == "http" && !self.is_here()
    }

    /// Whether it is this machine, which no proxy stands before.
    pub(crate) fn is_here(&self) -> bool {
        let host = self.origin.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|it| it.is_loopback())
    }
}

type Address = (Url, String);

/// Reads an address. `vaultrs` panics on some of those that are refused here.
fn parse(text: &str, whose: &str) -> Result<Address, ConfigError> {
    let refused = |what: &str| {
        ConfigError::new(
            format!("{whose} is no address of Vault: {what}"),
            "write it as `https://vault.example.com:8200`",
        )
    };
    let mut url = Url::parse(text).map_err(|_| refused("it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(
            "it begins neither with `https://` nor with `http://`",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment"));
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    if prefix.ends_with("/v1") {
        return Err(refused("it ends in `/v1`, which seed adds by itself"));
    }
    url.set_path("/");
    Ok((url, prefix))
}

fn shown((origin, prefix): &Address) -> String {
    format!("{}{prefix}", origin.as_str().trim_end_matches('/'))
}

fn namespace_of(
    meant: Option<&str>,
    config: &Config,
) -> Result<(Option<String>, bool), ConfigError> {
    let said = config.variables.namespace.as_ref();
    let found = said.map(|said| plain(&said.text));
    let told = meant.is_some();
    let meant = meant.map(plain);
    let namespace = match (&meant, &found) {
        (Some(meant), Some(found)) if meant != found => {
            let variable = said.map_or("VAULT_NAMESPACE", |said| &said.variable);
            let shown = |name: &str| if name.is_empty() { "root" } else { name }.to_owned();
            return Err(differs(variable, &shown(found), "namespace", &shown(meant)));
        }
        (Some(name), _) | (None, Some(name)) => Some(name.clone()).filter(|name| !name.is_empty()),
        (None, None) => None,
    };
    if let Some(namespace) = &namespace {
        refuse_path("namespace", namespace)?;
    }
    Ok((namespace.clone(), !told && namespace.is_some()))
}

/// `root` and the empty name are the root namespace.
fn plain(namespace: &str) -> String {
    match namespace.trim_matches('/') {
        "root" => String::new(),
        name => name.to_owned(),
    }
}

fn differs(variable: &str, found: &str, setting: &str, meant: &str) -> ConfigError {
    ConfigError::new(
        format!("`{variable}` is `{found}`, and the contract's `{setting}` is `{meant}`"),
        format!("unset `{variable}` or set it to the contract's, if that is where you mean to go"),
    )
}

#[cfg(test)]
mod tests {
    use seed_core::secret::SecretValue;

    use super::*;
    use crate::Variables;

    fn place(setting: Option<&str>, pairs: &[(&str, &str)]) -> Result<Place, ConfigError> {
        let variables = Variables::read(|name| {
            let found = pairs.iter().find(|(known, _)| *known == name)?;
            Some(SecretValue::from(found.1.to_owned()))
        });
        let (address, namespace) = match setting.map(|it| it.split_once(' ')) {
            Some(Some((address, namespace))) => (Some(address), Some(namespace)),
            Some(None) => (setting, None),
            None => (None, None),
        };
        Place::of(&Config {
            address: address.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            meant: false,
            mount: None,
            login: None,
            login_mount: None,
            role: None,
            variables: variables?,
            home: None,
        })
    }

    #[test]
    fn an_address_that_cannot_be_meant_is_refused_and_nothing_panics() {
        for (address, why) in [
            ("127.0.0.1:8200", "it is no URL"),
            ("", "no address of Vault is named"),
            ("vault", "it is no URL"),
            ("localhost:8200", "begins neither"),
            ("unix:///run/vault.sock", "begins neither"),
            ("https://", "it is no URL"),
            ("https://user:canary@host", "holds a user"),
            ("https://host?x=canary", "has a query"),
            ("https://host:8200/v1", "ends in `/v1`"),
        ] {
            let err = place(Some(address), &[]).unwrap_err();
            assert!(err.to_string().contains(why), "{address}: {err}");
            assert!(!format!("{err:?}").contains("canary"), "{address}");
        }
    }

    #[test]
    fn a_variable_that_is_not_the_contracts_is_refused() {
        let err = place(Some("https://a:8200"), &[("VAULT_ADDR", "https://b:8200")]).unwrap_err();
        assert_eq!(
            err.to_string(),
            "`VAULT_ADDR` is `https://b:8200`, and the contract's `address` is `https://a:8200`"
        );
        let err = place(
            Some("https://a team"),
            &[("VAULT_ADDR", "https://a"), ("BAO_NAMESPACE", "other/")],
        );
        assert_eq!(
            err.unwrap_err().to_string(),
            "`BAO_NAMESPACE` is `other`, and the contract's `namespace` is `team`"
        );
        let err = place(Some("https://a root"), &[("VAULT_NAMESPACE", "team")]);
        assert!(err.unwrap_err().to_string().contains("is `root`"));
    }

    #[test]
    fn one_address_has_many_forms() {
        for other in ["https://A:443/", "https://a", "https://a:443"] {
            assert!(
                place(Some("https://a:443"), &[("VAULT_ADDR", other)])
                    .unwrap()
                    .trusted
            );
        }
        let same = place(
            Some("https://a/vault/ /team/"),
            &[("VAULT_ADDR", "https://a/vault")],
        );
        let same = same.unwrap();
        assert_eq!(
            same.words(),
            "https://a/vault, namespace team, mount secret"
        );
    }

    #[test]
    fn what_only_the_environment_says_is_known_as_such() {
        let of = |setting, pairs: &[(&str, &str)]| {
            let place = place(setting, pairs).unwrap();
            place.confirm()
        };
        assert_eq!(of(Some("https://a"), &[]), Confirm::BeforeCalls);
        assert_eq!(
            of(None, &[("VAULT_ADDR", "https://a")]),
            Confirm::BeforeWrites
        );
        let both = [("VAULT_ADDR", "https://a"), ("VAULT_NAMESPACE", "team")];
        assert_eq!(of(Some("https://a"), &both), Confirm::BeforeWrites);
        assert_eq!(of(Some("https://a team"), &both), Confirm::Never);
    }

    #[test]
    fn what_goes_to_another_machine_without_tls_is_in_the_clear() {
        let clear = |address| place(Some(address), &[]).unwrap().is_in_the_clear();
        assert!(clear("http://vault.vault.svc:8200"));
        for address in [
            "https://a",
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
            "http://localhost",
        ] {
            assert!(!clear(address), "{address}");
        }
    }
}
