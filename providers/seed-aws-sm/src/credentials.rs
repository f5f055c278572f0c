//! Where credentials come from.

use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_secretsmanager::config::{Region, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::{Config, Credentials};
use crate::place::Place;

/// The chain of the AWS command line; only the profile, if the contract names one.
pub(crate) fn provider(
    config: &Config,
    place: &Place,
    http: SharedHttpClient,
) -> SharedCredentialsProvider {
    if let Credentials::Key { id, secret } = &config.credentials {
        let key = aws_sdk_secretsmanager::config::Credentials::new(id, secret, None, None, "given");
        return SharedCredentialsProvider::new(key);
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    let surroundings = ProviderConfig::without_region()
        .with_region(Some(Region::new(place.region.clone())))
        .with_http_client(http)
        .with_retry_config(RetryConfig::standard().with_max_attempts(2))
        .with_timeout_config(timeouts);
    let mut profile = ProfileFileCredentialsProvider::builder()
        .configure(&surroundings)
        .profile_files(place.files.clone());
    if let Some(name) = &place.profile {
        profile = profile.profile_name(name);
    }
    if config.profile.as_ref().is_some_and(|name| !name.is_empty()) {
        return SharedCredentialsProvider::new(profile.build());
    }
    // Where there is no instance, nobody answers, and that has to be noticed soon.
    let instance = imds::Client::builder()
        .configure(&surroundings)
        .max_attempts(2)
        .connect_timeout(INSTANCE)
        .read_timeout(INSTANCE)
        .build();
    let instance = imds::credentials::ImdsCredentialsProvider::builder()
        .configure(&surroundings)
        .imds_client(instance)
        .build();
    let web = WebIdentityTokenCredentialsProvider::builder()
        .configure(&surroundings)
        .build();
    let container = EcsCredentialsProvider::builder()
        .configure(&surroundings)
        .build();
    let chain = CredentialsProviderChain::first_try(
        "Environment",
        EnvironmentVariableCredentialsProvider::new(),
    )
    .or_else("Profile", profile.build())
    .or_else("WebIdentityToken", web)
    .or_else("EcsContainer", container)
    .or_else("Ec2InstanceMetadata", Instance(instance));
    SharedCredentialsProvider::new(chain)
}

/// The credentials of an instance. Where none answers there is none:
/// most machines are no instance.
#[derive(Debug)]
struct Instance(imds::credentials::ImdsCredentialsProvider);

impl ProvideCredentials for Instance {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let answer = self.0.provide_credentials().await;
            answer.map_err(CredentialsError::not_loaded)
        })
    }

    fn fallback_on_interrupt(&self) -> Option<aws_sdk_secretsmanager::config::Credentials> {
        self.0.fallback_on_interrupt()
    }
}

const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(10);
const INSTANCE: Duration = Duration::from_secs(1);

/// Puts `unset` before each `credential_process`: its shell would hand all of our variables on, and some may hold values.
pub(crate) fn withhold(profiles: &str, variables: &[String]) -> String {
    let names: Vec<&str> = variables
        .iter()
        .map(String::as_str)
        .filter(|name| is_name(name))
        .collect();
    if names.is_empty() {
        return profiles.to_owned();
    }
    let mut text = String::with_capacity(profiles.len() + 64);
    for line in profiles.split_inclusive('\n') {
        match line.split_once('=') {
            Some((key, command)) if key.trim_end().eq_ignore_ascii_case("credential_process") => {
                let command = command.trim_start();
                text += &format!("{key}= unset -v {} && {command}", names.join(" "));
            }
            Some(_) | None => text += line,
        }
    }
    text
}

/// Whether a shell can have a variable of that name.
fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_loses_the_variables_first_and_nothing_else_changes() {
        let profiles = "[default]\nregion = eu-central-1\ncredential_process = /bin/tool --a \"b\"\n\
                        [profile x]\nCredential_Process=tool\naws_secret_access_key = a=b\n  credential_process = not one";
        let withheld = [
            "SEED_VALUE_A".to_owned(),
            "odd.name".to_owned(),
            "B".to_owned(),
        ];
        assert_eq!(
            withhold(profiles, &withheld),
            "[default]\nregion = eu-central-1\ncredential_process = unset -v SEED_VALUE_A B && /bin/tool --a \"b\"\n\
             [profile x]\nCredential_Process= unset -v SEED_VALUE_A B && tool\naws_secret_access_key = a=b\n  credential_process = not one"
        );
        assert_eq!(withhold(profiles, &[]), profiles);
    }
}
