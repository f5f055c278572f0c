//! Where a run writes: from the contract first, then from variables, then from the profile.

use std::borrow::Cow;
use std::net::IpAddr;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env, Fs};
use futures::FutureExt as _;
use http::Uri;

use crate::config::{Config, ConfigError, Surroundings};
use crate::credentials;

/// What is known without a call.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) sts_endpoint: Option<String>,
    /// Whether STS is called at the contract's endpoint because nothing else is known of it.
    pub(crate) sts_at_endpoint: bool,
    pub(crate) account: Option<String>,
    /// The profile that is chosen by name, in the contract or a variable.
    pub(crate) profile: Option<String>,
    /// The files of profiles, with each `credential_process` made safe.
    pub(crate) files: EnvConfigFiles,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
    /// Whether part of it comes from the environment.
    pub(crate) confirm: bool,
}

impl Place {
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let named = given(config.profile.as_ref());
        let profile = named.or_else(|| given(config.surroundings.profile.as_ref()));
        let files = files(&config.surroundings)?;
        let profiles = profiles(&files, profile.clone())?;
        if let Some(profile) = &profile
            && profiles.get_profile(profile).is_none()
        {
            return Err(ConfigError::new(
                format!("there is no AWS profile `{profile}`"),
                "`aws configure list-profiles` shows those that exist",
            ));
        }
        let contract_region = given(config.region.as_ref());
        let region = contract_region
            .clone()
            .or_else(|| given(config.surroundings.region.as_ref()))
            .or_else(|| profiles.get("region").map(str::to_owned))
            .ok_or_else(|| {
                ConfigError::new(
                    "no region is known for aws-sm",
                    "write `region` into the contract's backend, or set AWS_REGION",
                )
            })?;
        check_region(&region)?;
        let Endpoints { own, around, sts } = Endpoints::of(config, &profiles)?;
        let account = given(config.account.as_ref());
        // The account is known from STS alone, so where it is called counts as much.
        let sts_elsewhere = sts.is_some() && !same(sts.as_ref(), own.as_ref());
        let confirm = contract_region.is_none()
            || account.is_none()
            || (own.is_none() && around.is_some())
            || sts_elsewhere;
        let switch = |name: &str| profiles.get(name) == Some("true");
        Ok(Self {
            region,
            sts_at_endpoint: sts.is_none() && own.is_some(),
            endpoint: checked(
                own.clone().or(around),
                "aws-sm",
                "`endpoint` in the contract, or AWS_ENDPOINT_URL",
            )?,
            sts_endpoint: checked(sts.or(own), "STS", "AWS_ENDPOINT_URL_STS")?,
            account,
            fips: config.surroundings.fips || switch("use_fips_endpoint"),
            dual_stack: config.surroundings.dual_stack || switch("use_dualstack_endpoint"),
            profile,
            files,
            confirm,
        })
    }

    /// As people say it.
    pub(crate) fn words(&self) -> String {
        let Self {
            region,
            account,
            profile,
            endpoint,
            sts_endpoint,
            ..
        } = self;
        let mut words = match (account, profile) {
            (Some(account), _) => format!("account {account}"),
            (None, Some(profile)) => format!("the account of profile `{profile}`"),
            (None, None) => "the account of the credentials in use".to_owned(),
        };
        words += &format!(", region {region}");
        if let Some(endpoint) = endpoint {
            words += &format!(", at {endpoint}");
        }
        if let Some(sts) = sts_endpoint
            && !same(Some(sts), endpoint.as_ref())
        {
            words += &format!(", STS at {sts}");
        }
        words
    }

    /// Whether anybody on the way to one of the services can read what is sent.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        let clear = |endpoint: &Option<String>| {
            endpoint
                .as_ref()
                .and_then(|endpoint| endpoint.parse::<Uri>().ok())
                .is_some_and(|uri| {
                    uri.scheme_str() == Some("http") && !uri.host().is_some_and(is_near)
                })
        };
        clear(&self.endpoint) || clear(&self.sts_endpoint)
    }
}

/// Addresses that are called instead of the region's own.
struct Endpoints {
    /// The contract's.
    own: Option<String>,
    /// The environment's.
    around: Option<String>,
    /// The environment's for STS.
    sts: Option<String>,
}

impl Endpoints {
    fn of(config: &Config, profiles: &ProfileSet) -> Result<Self, ConfigError> {
        let surroundings = &config.surroundings;
        let ignored = surroundings.ignore_endpoints;
        let by_profile = |service: &str| of_profile(profiles, service).filter(|_| !ignored);
        let own = given(config.endpoint.as_ref());
        let around =
            given(surroundings.endpoint.as_ref()).or_else(|| by_profile("secrets_manager"));
        if let (Some(own), Some(around)) = (&own, &around)
            && !same(Some(own), Some(around))
        {
            return Err(ConfigError::new(
                format!(
                    "the contract's endpoint `{own}` is not that of the environment, `{around}`"
                ),
                "unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SECRETS_MANAGER, or correct `endpoint` in the contract",
            ));
        }
        let sts = given(surroundings.sts_endpoint.as_ref()).or_else(|| by_profile("sts"));
        Ok(Self { own, around, sts })
    }
}

pub(crate) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn check_region(region: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.len() <= 32 && region.contains('-') && region.chars().all(plain) {
        return Ok(());
    }
    Err(ConfigError::new(
        format!("`{region}` is no AWS region"),
        "regions are written like `eu-central-1`",
    ))
}

fn same(one: Option<&String>, other: Option<&String>) -> bool {
    let bare = |address: &String| address.trim_end_matches('/').to_owned();
    one.map(bare) == other.map(bare)
}

fn checked(
    endpoint: Option<String>,
    whose: &str,
    where_from: &str,
) -> Result<Option<String>, ConfigError> {
    let Some(endpoint) = endpoint else {
        return Ok(None);
    };
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| endpoint.strip_prefix(scheme));
    match rest {
        // A name and a password in it would be shown.
        Some(rest) if !rest.is_empty() && !rest.contains(['@', ' ', '?', '#']) => {
            Ok(Some(endpoint))
        }
        Some(_) | None => Err(ConfigError::new(
            format!("the endpoint of {whose} is no address of the form `https://host`"),
            format!("correct {where_from}"),
        )),
    }
}

/// Whether a host is this machine, or what every instance and container has beside it. No proxy stands before these.
pub(crate) fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            let instance = address.segments().starts_with(&[0xfd00, 0xec2]);
            address.is_loopback() || address.is_unicast_link_local() || instance
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The endpoint that a profile names, for one service or for all.
fn of_profile(profiles: &ProfileSet, service: &str) -> Option<String> {
    let section = profiles.get("services");
    let one = section.and_then(|section| {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(section)
            .property_name(service)
            .sub_property_name("endpoint_url")
            .build()
            .ok()?;
        profiles.other_sections().get(&key)
    });
    one.map(String::as_str)
        .or_else(|| profiles.get("endpoint_url"))
        .map(str::to_owned)
}

fn files(surroundings: &Surroundings) -> Result<EnvConfigFiles, ConfigError> {
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(false)
        .include_default_credentials_file(false);
    for (kind, path) in [
        (EnvConfigFileKind::Config, &surroundings.config_file),
        (
            EnvConfigFileKind::Credentials,
            &surroundings.credentials_file,
        ),
    ] {
        let read = path
            .as_ref()
            .map(|path| (path, std::fs::read_to_string(path)));
        let text = match read {
            None => String::new(),
            Some((_, Ok(text))) => text,
            Some((_, Err(err))) if err.kind() == std::io::ErrorKind::NotFound => String::new(),
            Some((path, Err(err))) => {
                return Err(ConfigError::new(
                    format!(
                        "cannot read the AWS profiles in `{}`: {err}",
                        path.display()
                    ),
                    "make the file readable, or name another in AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE",
                ));
            }
        };
        let text = credentials::withhold(&text, &surroundings.withheld);
        files = files.with_contents(kind, text);
    }
    Ok(files.build())
}

fn profiles(files: &EnvConfigFiles, profile: Option<String>) -> Result<ProfileSet, ConfigError> {
    let (fs, env) = (Fs::from_slice(&[]), Env::from_slice(&[]));
    let load = aws_config::profile::load(&fs, &env, files, profile.map(Cow::Owned));
    // The text is there already, so there is nothing to wait for.
    match load.now_or_never() {
        Some(Ok(profiles)) => Ok(profiles),
        // The parser's own words could show a line of the credentials.
        Some(Err(_)) | None => Err(ConfigError::new(
            "the files of AWS profiles cannot be understood",
            "`aws configure list-profiles` shows where",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(region: &str) -> Config {
        Config {
            region: Some(region.to_owned()),
            account: Some("123456789012".to_owned()),
            ..Config::default()
        }
    }

    #[test]
    fn what_the_contract_leaves_out_has_to_be_confirmed() {
        let complete = config("eu-central-1");
        assert!(!Place::of(&complete).unwrap().confirm);
        let mut without_account = complete.clone();
        without_account.account = None;
        let mut without_region = complete.clone();
        without_region.region = Some(String::new());
        without_region.surroundings.region = Some("eu-west-1".to_owned());
        let mut elsewhere = complete.clone();
        elsewhere.surroundings.endpoint = Some("http://127.0.0.1:1".to_owned());
        let mut judge = complete.clone();
        judge.endpoint = Some("https://vpce.example".to_owned());
        judge.surroundings.sts_endpoint = Some("https://sts.example".to_owned());
        let mut together = complete;
        together.endpoint = Some("https://all.example/".to_owned());
        together.surroundings.sts_endpoint = Some("https://all.example".to_owned());
        let together = Place::of(&together).unwrap();
        assert!(!together.confirm);
        assert_eq!(
            together.words(),
            "account 123456789012, region eu-central-1, at https://all.example/"
        );
        for (config, words) in [
            (
                without_account,
                "the account of the credentials in use, region eu-central-1",
            ),
            (without_region, "account 123456789012, region eu-west-1"),
            (
                elsewhere,
                "account 123456789012, region eu-central-1, at http://127.0.0.1:1",
            ),
            (
                judge,
                "account 123456789012, region eu-central-1, at https://vpce.example, STS at https://sts.example",
            ),
        ] {
            let place = Place::of(&config).unwrap();
            assert!(place.confirm, "{words}");
            assert_eq!(place.words(), words);
        }
    }

    #[test]
    fn a_place_that_cannot_be_meant_is_refused_without_a_call() {
        let mut two = config("eu-central-1");
        two.endpoint = Some("https://a.example".to_owned());
        two.surroundings.endpoint = Some("https://b.example".to_owned());
        let mut password = config("eu-central-1");
        password.endpoint = Some("https://me:pass@a.example".to_owned());
        let mut sts = config("eu-central-1");
        sts.surroundings.sts_endpoint = Some("https://me:pass@a.example".to_owned());
        let nowhere = Config::default();
        let errors = [two, password, sts, nowhere, config("evil.example/")]
            .map(|config| Place::of(&config).unwrap_err().to_string());
        assert_eq!(
            errors,
            [
                "the contract's endpoint `https://a.example` is not that of the environment, `https://b.example`",
                "the endpoint of aws-sm is no address of the form `https://host`",
                "the endpoint of STS is no address of the form `https://host`",
                "no region is known for aws-sm",
                "`evil.example/` is no AWS region",
            ]
        );
    }

    #[test]
    fn what_goes_to_another_machine_without_tls_is_in_the_clear() {
        let clear = |endpoint: &str| {
            let mut config = config("eu-central-1");
            config.endpoint = Some(endpoint.to_owned());
            Place::of(&config).unwrap().is_in_the_clear()
        };
        assert!(clear("http://secrets.example:5000"));
        assert!(clear("http://10.0.0.1"));
        for address in [
            "https://secrets.example",
            "http://127.0.0.1:5000",
            "http://localhost:5000/",
            "http://[::1]:5000",
        ] {
            assert!(!clear(address), "{address}");
        }
        let mut sts = config("eu-central-1");
        sts.surroundings.sts_endpoint = Some("http://sts.example".to_owned());
        assert!(Place::of(&sts).unwrap().is_in_the_clear());
    }

    #[test]
    fn this_machine_and_what_is_beside_it_are_near() {
        for near in [
            "127.8.0.1",
            "localhost",
            "[::1]",
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "10.0.0.1",
            "localhost.example",
            "secretsmanager.eu-central-1.amazonaws.com",
            "fd00:ec3::1",
        ] {
            assert!(!is_near(far), "{far}");
        }
    }

    #[test]
    fn a_profile_names_region_and_endpoint() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        let text = "[profile lab]\nregion = eu-north-1\nservices = local\n[services local]\nsecrets_manager =\n  endpoint_url = http://127.0.0.1:5000\n";
        std::fs::write(&file, text).unwrap();
        let config = Config {
            profile: Some("lab".to_owned()),
            surroundings: Surroundings {
                config_file: Some(file),
                ..Surroundings::default()
            },
            ..Config::default()
        };
        assert_eq!(
            Place::of(&config).unwrap().words(),
            "the account of profile `lab`, region eu-north-1, at http://127.0.0.1:5000"
        );
    }
}
