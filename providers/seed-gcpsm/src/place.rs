//! Where a run writes: from the contract first, then from variables.

use std::net::IpAddr;

use google_cloud_secretmanager_v1::model::replication::user_managed::Replica;
use google_cloud_secretmanager_v1::model::replication::{Automatic, UserManaged};
use google_cloud_secretmanager_v1::model::{CustomerManagedEncryption, Replication, Secret};
use reqwest::Url;
use seed_core::backend::Confirm;

use crate::config::{Config, ConfigError};

/// What is known without a call.
#[derive(Debug)]
pub(crate) struct Place {
    /// `projects/P`, or `projects/P/locations/L`.
    pub(crate) parent: String,
    pub(crate) address: Url,
    pub(crate) confirm: Confirm,
    words: String,
    copies: Copies,
    keys: Vec<String>,
}

#[derive(Debug)]
enum Copies {
    Automatic,
    In(Vec<String>),
    /// A regional secret is where it is.
    None,
}

impl Place {
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let own = given(config.project.as_ref());
        let around = given(config.surroundings.project.as_ref());
        let project = own.clone().or(around).ok_or_else(|| {
            ConfigError::new(
                "no project is known for gcpsm",
                "write `project` into the contract's backend, or set GOOGLE_CLOUD_PROJECT",
            )
        })?;
        check(&project, "project", "`my-project`", &[':', '.'])?;
        let location = given(config.location.as_ref());
        if let Some(location) = &location {
            check(location, "location", "`europe-west3`", &[])?;
        }
        let copies = copies(config, location.is_some())?;
        let keys = keys(config, &copies)?;
        let usual = usual(location.as_ref());
        let (endpoint, only_of_contract) = endpoint(config)?;
        let address = address(endpoint.as_deref().unwrap_or(&usual))?;
        let unnamed = endpoint.is_some() && given(config.endpoint.as_ref()).is_none();
        let confirm = if only_of_contract && !config.meant && !is_googles(&address) {
            // Whoever wrote the contract would get a token of the environment's.
            Confirm::BeforeCalls
        } else if own.is_none() || unnamed {
            Confirm::BeforeWrites
        } else {
            Confirm::Never
        };
        let mut words = format!("project {project}");
        let mut parent = format!("projects/{project}");
        if let Some(location) = &location {
            words += &format!(", location {location}");
            parent += &format!("/locations/{location}");
        }
        if endpoint.is_some() {
            words += &format!(", at {}", address.as_str().trim_end_matches('/'));
        }
        Ok(Self {
            parent,
            address,
            confirm,
            words,
            copies,
            keys,
        })
    }

    /// As people say it.
    pub(crate) fn words(&self) -> String {
        self.words.clone()
    }

    /// Whether it is this machine, so that no proxy has any business in between.
    pub(crate) fn is_here(&self) -> bool {
        is_here(&self.address)
    }

    /// Whether a token and values go over the network as they are.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        self.address.scheme() == "http" && !self.is_here()
    }

    /// A secret to be created, with its copies and keys.
    pub(crate) fn secret(&self) -> Secret {
        let key = |place: usize| {
            let key = self.keys.get(place).or_else(|| self.keys.first());
            key.map(|key| CustomerManagedEncryption::new().set_kms_key_name(key))
        };
        match &self.copies {
            Copies::None => Secret::new().set_or_clear_customer_managed_encryption(key(0)),
            Copies::Automatic => {
                let automatic = Automatic::new().set_or_clear_customer_managed_encryption(key(0));
                Secret::new().set_replication(Replication::new().set_automatic(automatic))
            }
            Copies::In(locations) => {
                let copies = locations.iter().enumerate().map(|(place, location)| {
                    Replica::new()
                        .set_location(location)
                        .set_or_clear_customer_managed_encryption(key(place))
                });
                let copies = UserManaged::new().set_replicas(copies);
                Secret::new().set_replication(Replication::new().set_user_managed(copies))
            }
        }
    }
}

pub(crate) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn usual(location: Option<&String>) -> String {
    match location {
        Some(location) => format!("https://secretmanager.{location}.rep.googleapis.com"),
        None => "https://secretmanager.googleapis.com".to_owned(),
    }
}

pub(crate) fn check(
    text: &str,
    what: &str,
    example: &str,
    more: &[char],
) -> Result<(), ConfigError> {
    let plain =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || more.contains(&c);
    if text.len() <= 128 && text.chars().all(plain) && !text.contains("..") && text != "." {
        return Ok(());
    }
    Err(ConfigError::new(
        format!("`{}` is no {what} of Google Cloud", text.escape_debug()),
        format!("write `{what}` like {example}"),
    ))
}

/// The endpoint that was named, and whether only the contract names it.
fn endpoint(config: &Config) -> Result<(Option<String>, bool), ConfigError> {
    let own = given(config.endpoint.as_ref());
    let around = given(config.surroundings.endpoint.as_ref());
    if let (Some(own), Some(around)) = (&own, &around) {
        // Nothing of what is no address is shown: it may hold a password.
        let (own, around) = (address(own)?, address(around)?);
        if own != around {
            let shown = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
            return Err(ConfigError::new(
                format!(
                    "the contract's endpoint `{}` is not that of the environment, `{}`",
                    shown(&own),
                    shown(&around)
                ),
                "unset CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER, or correct `endpoint` in the contract",
            ));
        }
    }
    let only_of_contract = own.is_some() && around.is_none();
    Ok((own.or(around), only_of_contract))
}

fn address(endpoint: &str) -> Result<Url, ConfigError> {
    let refused = || {
        ConfigError::new(
            "the endpoint of gcpsm is no address of the form `https://host`",
            "correct `endpoint` in the contract, or CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
        )
    };
    let url = Url::parse(endpoint).map_err(|_| refused())?;
    let plain = url.username().is_empty() && url.password().is_none();
    let ends = url.query().is_none() && url.fragment().is_none() && url.path() == "/";
    let known = matches!(url.scheme(), "https" | "http") && url.host_str().is_some();
    if plain && ends && known {
        Ok(url)
    } else {
        Err(refused())
    }
}

pub(crate) fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    local || host == "localhost"
}

fn is_googles(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && host.ends_with(".googleapis.com")
}

/// Words with commas in between.
fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn copies(config: &Config, regional: bool) -> Result<Copies, ConfigError> {
    let asked = given(config.replication.as_ref());
    match (asked.as_deref(), regional) {
        (Some(_), true) => Err(ConfigError::new(
            "regional secrets have no replication",
            "leave out `location` for global secrets, or `replication` for regional ones",
        )),
        (None, true) => Ok(Copies::None),
        (None | Some("automatic"), false) => Ok(Copies::Automatic),
        (Some(list), false) => {
            let locations = words(list);
            for location in &locations {
                check(
                    location,
                    "replication",
                    "`automatic` or `europe-west1,europe-west3`",
                    &[],
                )?;
            }
            if locations.is_empty() {
                return Err(ConfigError::new(
                    "`replication` names no location",
                    "write `automatic`, or locations with commas in between",
                ));
            }
            Ok(Copies::In(locations))
        }
    }
}

/// The keys, in the order of the copies.
fn keys(config: &Config, copies: &Copies) -> Result<Vec<String>, ConfigError> {
    let keys = words(&given(config.kms_key.as_ref()).unwrap_or_default());
    let form = |key: &String| {
        let parts: Vec<&str> = key.split('/').collect();
        matches!(
            parts.as_slice(),
            [
                "projects",
                _,
                "locations",
                _,
                "keyRings",
                _,
                "cryptoKeys",
                _
            ]
        )
    };
    if let Some(key) = keys.iter().find(|key| !form(key)) {
        return Err(ConfigError::new(
            format!("`{key}` is no key of Cloud KMS"),
            "write it like `projects/P/locations/L/keyRings/R/cryptoKeys/K`",
        ));
    }
    let Copies::In(locations) = copies else {
        return match keys.len() {
            0 | 1 => Ok(keys),
            _ => Err(ConfigError::new(
                "`kms-key` names several keys, and there is one place to use them",
                "name one key, or the locations of copies in `replication`",
            )),
        };
    };
    if keys.is_empty() {
        return Ok(keys);
    }
    let of = |location: &String| {
        let at = format!("/locations/{location}/");
        keys.iter().find(|key| key.contains(&at)).cloned()
    };
    let sorted: Option<Vec<String>> = locations.iter().map(of).collect();
    match sorted {
        Some(sorted) if keys.len() == locations.len() => Ok(sorted),
        Some(_) | None => Err(ConfigError::new(
            "`kms-key` does not name one key for each location of `replication`",
            "a copy is encrypted with a key of its own location",
        )),
    }
}
