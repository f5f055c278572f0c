//! Which vault, in which cloud.

use std::net::IpAddr;

use azure_core::http::Url;

use crate::config::{Config, ConfigError};

/// What is known of a vault without a call.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) url: Url,
    /// Where to log in.
    pub(crate) authority: String,
    /// Which resources a challenge may name: tokens for nothing else are ever asked for.
    resources: &'static [&'static str],
    /// Whether it is on this machine, for tests.
    pub(crate) is_here: bool,
}

/// The ends of the vaults' names, what tokens are asked for, and where to log in.
const CLOUDS: [(&str, &str, &str); 3] = [
    (
        "vault.azure.net",
        "https://vault.azure.net",
        "https://login.microsoftonline.com",
    ),
    (
        "vault.azure.cn",
        "https://vault.azure.cn",
        "https://login.chinacloudapi.cn",
    ),
    (
        "vault.usgovcloudapi.net",
        "https://vault.usgovcloudapi.net",
        "https://login.microsoftonline.us",
    ),
];

const HINT: &str = "write it as `vault: https://NAME.vault.azure.net`";

impl Place {
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let Some(vault) = given(&config.vault) else {
            return Err(ConfigError::new("it has no `vault`", HINT));
        };
        let refused = |why: &str| Err(ConfigError::new(format!("its `vault` {why}"), HINT));
        let Ok(url) = Url::parse(&vault) else {
            return refused("is no address");
        };
        let Some(host) = url.host_str().map(str::to_owned) else {
            return refused("is no address");
        };
        if url.scheme() != "https" {
            return refused("does not begin with `https://`; values are sent with TLS only");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("has a user or a password in it");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return refused("has more than a host");
        }
        let bare = host.trim_matches(['[', ']']);
        let is_here = bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let known = CLOUDS.iter().find(|(end, _, _)| {
            let name = host
                .strip_suffix(end)
                .and_then(|name| name.strip_suffix('.'));
            name.is_some_and(|name| !name.is_empty() && !name.contains('.'))
        });
        let own = given(&config.surroundings.authority);
        let (resources, authority): (&'static [&'static str], &str) = match known {
            Some((_, resource, authority)) => (std::slice::from_ref(resource), authority),
            // A vault on this machine is a stand-in, which may speak for any cloud.
            None if is_here => (
                &["https://vault.azure.net"],
                "https://login.microsoftonline.com",
            ),
            None => {
                return refused(
                    "is no Key Vault of a cloud that is known; its host must end with `.vault.azure.net`, `.vault.azure.cn` or `.vault.usgovcloudapi.net`",
                );
            }
        };
        let authority = own.unwrap_or_else(|| authority.to_owned());
        if !authority.starts_with("https://") {
            return Err(ConfigError::new(
                "`AZURE_AUTHORITY_HOST` does not begin with `https://`",
                "unset it, or write it as `https://login.microsoftonline.com`",
            ));
        }
        Ok(Self {
            url,
            authority,
            resources,
            is_here,
        })
    }

    /// How people say it.
    pub(crate) fn words(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("vault {host}:{port}"),
            None => format!("vault {host}"),
        }
    }

    /// What a token is asked for.
    pub(crate) fn scope(&self) -> String {
        let resource = self.resources.first().copied().unwrap_or_default();
        format!("{resource}/.default")
    }

    /// Whether a challenge asks for a token that this vault may have.
    pub(crate) fn may_ask(&self, challenge: &str) -> bool {
        let quoted = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let asked = quoted("resource").or_else(|| quoted("scope"));
        asked.is_some_and(|asked| {
            let asked = asked.strip_suffix("/.default").unwrap_or(asked);
            self.resources.contains(&asked.trim_end_matches('/'))
        })
    }

    /// Whether that address is the vault's own.
    pub(crate) fn has(&self, url: &Url) -> bool {
        url.origin() == self.url.origin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(vault: &str) -> Result<Place, ConfigError> {
        Place::of(&Config {
            vault: Some(vault.to_owned()),
            ..Config::default()
        })
    }

    #[test]
    fn each_cloud_has_its_own_place_to_log_in() {
        let of = |vault: &str| {
            let place = place(vault).unwrap();
            format!("{}, {}, {}", place.words(), place.scope(), place.authority)
        };
        assert_eq!(
            of("https://llm-dev.vault.azure.net"),
            "vault llm-dev.vault.azure.net, https://vault.azure.net/.default, https://login.microsoftonline.com"
        );
        assert_eq!(
            of("https://llm-dev.vault.azure.cn/"),
            "vault llm-dev.vault.azure.cn, https://vault.azure.cn/.default, https://login.chinacloudapi.cn"
        );
        assert_eq!(
            of("https://llm-dev.vault.usgovcloudapi.net"),
            "vault llm-dev.vault.usgovcloudapi.net, https://vault.usgovcloudapi.net/.default, https://login.microsoftonline.us"
        );
    }

    #[test]
    fn what_is_no_vault_of_azure_gets_no_token() {
        for bad in [
            "",
            "llm-dev",
            "http://llm-dev.vault.azure.net",
            "https://vault.azure.net",
            "https://a.b.vault.azure.net",
            "https://llm-dev.vault.azure.net.example.com",
            "https://evilvault.azure.net",
            "https://user@llm-dev.vault.azure.net",
            "https://llm-dev.vault.azure.net/secrets",
            "https://llm-dev.managedhsm.azure.net",
            "https://example.com",
            "http://127.0.0.1:1",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_challenge_for_something_else_is_not_answered() {
        let place = place("https://llm-dev.vault.azure.net").unwrap();
        let may = |resource: &str| {
            place.may_ask(&format!(
                "Bearer authorization=\"https://login.microsoftonline.com/t\", {resource}"
            ))
        };
        assert!(may("resource=\"https://vault.azure.net\""));
        assert!(may("scope=\"https://vault.azure.net/.default\""));
        for bad in [
            "resource=\"https://vault.azure.cn\"",
            "resource=\"https://management.azure.com\"",
            "resource=\"https://vault.azure.net.example.com\"",
            "",
        ] {
            assert!(!may(bad), "{bad}");
        }
    }
}
