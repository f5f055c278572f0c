//! Whose calls they are: application default credentials, as Google's own tools find them.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use google_cloud_auth::credentials::{
    AccessToken, AccessTokenCredentials, external_account, impersonated, mds, service_account,
    user_account,
};
use google_cloud_gax::retry_policy::NeverRetry;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use seed_provider::{ErrorKind, Result};
use serde_json::Value;

use crate::call::Purpose;
use crate::config::{Config, ConfigError, Credentials};
use crate::place::given;
use crate::programs;
use crate::transport::is_distrust;

/// Credentials that are found, and made into tokens when the first request needs one.
pub(crate) struct Account {
    found: Found,
    quota_project: Option<String>,
    credentials: Mutex<Option<AccessTokenCredentials>>,
}

enum Found {
    /// A file of credentials, which says what kind it is of.
    File {
        kind: FileKind,
        json: Value,
    },
    /// The machine's own account.
    Machine,
    Token(HeaderValue),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FileKind {
    ExternalAccount,
    Impersonated,
    ServiceAccount,
    User,
}

impl Account {
    /// Finds credentials. Reads a file, and calls nobody.
    pub(crate) fn of(config: &Config) -> Result<Self, ConfigError> {
        let around = &config.surroundings;
        let found = match &config.credentials {
            Credentials::Token(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                    .map_err(|_| ConfigError::new("the token is no token", "give another"))?;
                value.set_sensitive(true);
                Found::Token(value)
            }
            Credentials::Usual => match (&around.named_credentials, &around.usual_credentials) {
                (Some(named), _) => {
                    let read = read(named).map_err(|err| unreadable(named, &err))?;
                    understood(named, &read, &around.withheld)?
                }
                (None, Some(usual)) => match read(usual) {
                    Ok(read) => understood(usual, &read, &around.withheld)?,
                    Err(err) if err.kind() == io::ErrorKind::NotFound => Found::Machine,
                    Err(err) => return Err(unreadable(usual, &err)),
                },
                (None, None) => Found::Machine,
            },
        };
        let own = given(config.quota_project.as_ref());
        Ok(Self {
            found,
            quota_project: own.or_else(|| given(around.quota_project.as_ref())),
            credentials: Mutex::default(),
        })
    }

    /// The name that can be told without a call, or of what kind it is.
    pub(crate) fn who(&self) -> Option<String> {
        let (kind, json) = match &self.found {
            Found::File { kind, json } => (kind, json),
            Found::Machine => return Some("the account of this machine".to_owned()),
            Found::Token(_) => return None,
        };
        let text = |member: &str| {
            json.get(member)
                .and_then(Value::as_str)
                .filter(|t| is_plain(t))
        };
        let impersonated = || {
            let url = text("service_account_impersonation_url")?;
            let (_, rest) = url.split_once("/serviceAccounts/")?;
            rest.split_once(':').map(|(email, _)| email.to_owned())
        };
        Some(match kind {
            FileKind::ServiceAccount => {
                let email = text("client_email");
                email.unwrap_or("a service account").to_owned()
            }
            FileKind::Impersonated => {
                impersonated().unwrap_or_else(|| "an impersonated service account".to_owned())
            }
            FileKind::ExternalAccount => impersonated()
                .unwrap_or_else(|| "an identity of a workload identity pool".to_owned()),
            FileKind::User => {
                let account = text("account");
                account
                    .unwrap_or("the user of `gcloud auth application-default login`")
                    .to_owned()
            }
        })
    }

    /// What goes with a request to say whose it is. May call those who give tokens.
    pub(crate) async fn headers(&self, purpose: Purpose<'_>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let authorization = match &self.found {
            Found::Token(token) => token.clone(),
            Found::File { .. } | Found::Machine => {
                let token = self.token(purpose).await?;
                let value = HeaderValue::from_str(&format!("Bearer {}", token.token));
                let Ok(mut value) = value else {
                    return Err(purpose.error(ErrorKind::Unauthenticated, UNUSABLE));
                };
                value.set_sensitive(true);
                value
            }
        };
        headers.insert(reqwest::header::AUTHORIZATION, authorization);
        let named = self.named_quota_project();
        if let Some(Ok(project)) = named.map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static("x-goog-user-project"), project);
        }
        Ok(headers)
    }

    async fn token(&self, purpose: Purpose<'_>) -> Result<AccessToken> {
        let Some(credentials) = self.credentials() else {
            return Err(purpose.error(ErrorKind::Unauthenticated, UNUSABLE));
        };
        let mut attempt = Attempt {
            account: self,
            went_well: false,
        };
        match credentials.access_token().await {
            Ok(token) => {
                attempt.went_well = true;
                Ok(token)
            }
            // No waiting makes a certificate trusted.
            Err(err) if is_distrust(&err) => Err(purpose.error(ErrorKind::Unexpected, DISTRUSTED)),
            // Its text may hold what the other side answered.
            Err(err) if err.is_transient() => Err(purpose.error(ErrorKind::Unavailable, NOT_NOW)),
            Err(_) => Err(purpose.error(ErrorKind::Unauthenticated, self.refused())),
        }
    }

    fn credentials(&self) -> Option<AccessTokenCredentials> {
        let mut made = self.made();
        if made.is_none() {
            *made = self.make().ok();
        }
        made.clone()
    }

    fn made(&self) -> MutexGuard<'_, Option<AccessTokenCredentials>> {
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The project that was named, or that `gcloud` wrote down beside the credentials.
    fn named_quota_project(&self) -> Option<&str> {
        let of_file = || match &self.found {
            Found::File { json, .. } => json.get("quota_project_id").and_then(Value::as_str),
            Found::Machine | Found::Token(_) => None,
        };
        self.quota_project.as_deref().or_else(of_file)
    }

    /// Needs a runtime: the library keeps its tokens fresh in the background.
    fn make(
        &self,
    ) -> std::result::Result<AccessTokenCredentials, google_cloud_auth::build_errors::Error> {
        let scopes = [SCOPE];
        match &self.found {
            Found::File { kind, json } => {
                let json = json.clone();
                match kind {
                    FileKind::ServiceAccount => {
                        let scopes = service_account::AccessSpecifier::from_scopes(scopes);
                        service_account::Builder::new(json)
                            .with_access_specifier(scopes)
                            .build_access_token_credentials()
                    }
                    FileKind::User => user_account::Builder::new(json)
                        .with_scopes(scopes)
                        .with_retry_policy(NeverRetry)
                        .build_access_token_credentials(),
                    FileKind::Impersonated => impersonated::Builder::new(json)
                        .with_scopes(scopes)
                        .with_retry_policy(NeverRetry)
                        .build_access_token_credentials(),
                    FileKind::ExternalAccount => external_account::Builder::new(json)
                        .with_scopes(scopes)
                        .with_retry_policy(NeverRetry)
                        .build_access_token_credentials(),
                }
            }
            Found::Machine | Found::Token(_) => mds::Builder::default()
                .with_scopes(scopes)
                .with_retry_policy(NeverRetry)
                .build_access_token_credentials(),
        }
    }

    fn refused(&self) -> &'static str {
        match &self.found {
            Found::Machine | Found::Token(_) => NOBODY,
            Found::File { .. } => EXPIRED,
        }
    }
}

/// One attempt to get a token. After one that failed, or that nobody waited for any longer, the library would give the
/// same error, or wait for the same answer, ever after.
struct Attempt<'a> {
    account: &'a Account,
    went_well: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.went_well {
            *self.account.made() = None;
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

fn unreadable(path: &Path, err: &io::Error) -> ConfigError {
    ConfigError::new(
        format!("cannot read the credentials in `{}`: {err}", path.display()),
        "let GOOGLE_APPLICATION_CREDENTIALS name a file of credentials, or unset it and log in with `gcloud auth application-default login`",
    )
}

/// Of what is in the file, nothing is shown but its place.
fn understood(path: &Path, text: &str, withheld: &[String]) -> Result<Found, ConfigError> {
    let refused = |why: &str| {
        ConfigError::new(
            format!("the credentials in `{}` {why}", path.display()),
            "use a key of a service account, a configuration of workload identity federation, or what `gcloud auth application-default login` writes",
        )
    };
    let mut json: Value = serde_json::from_str(text).map_err(|_| refused("are no JSON"))?;
    let kind = match json.get("type").and_then(Value::as_str) {
        Some("service_account") => FileKind::ServiceAccount,
        Some("authorized_user") => FileKind::User,
        Some("impersonated_service_account") => FileKind::Impersonated,
        Some("external_account") => FileKind::ExternalAccount,
        Some(_) | None => return Err(refused("are of no kind that can be used here")),
    };
    programs::withhold(&mut json, withheld);
    Ok(Found::File { kind, json })
}

/// Whether a text is fit to be shown: an address of an account, and nothing that moves a terminal.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic();
    (1..=512).contains(&text.len()) && text.chars().all(plain)
}

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const UNUSABLE: &str = "the credentials of Google Cloud cannot be used; log in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name another file";
const DISTRUSTED: &str = "no token for Google Cloud could be had: the certificate of the server that gives it is not trusted; name its authority with SSL_CERT_FILE";
const NOT_NOW: &str =
    "no token for Google Cloud could be had: whoever gives it did not answer as expected";
const EXPIRED: &str = "the credentials of Google Cloud are refused, or have expired; log in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name another file";
const NOBODY: &str = "no credentials of Google Cloud are found, and this machine has no account of its own; log in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a file";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Surroundings;

    fn account(json: &str) -> Result<Account, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("adc.json");
        std::fs::write(&path, json).unwrap();
        let surroundings = Surroundings {
            named_credentials: Some(path),
            ..Surroundings::default()
        };
        Account::of(&Config {
            surroundings,
            ..Config::default()
        })
    }

    #[test]
    fn whose_calls_they_are_is_told_where_it_can_be() {
        for (json, who) in [
            (
                r#"{"type": "service_account", "client_email": "ci@ai-lab.iam.gserviceaccount.com", "private_key": "canary"}"#,
                "ci@ai-lab.iam.gserviceaccount.com",
            ),
            (
                r#"{"type": "impersonated_service_account", "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/dev@x.iam.gserviceaccount.com:generateAccessToken"}"#,
                "dev@x.iam.gserviceaccount.com",
            ),
            (
                r#"{"type": "external_account"}"#,
                "an identity of a workload identity pool",
            ),
            (
                r#"{"type": "authorized_user", "account": ""}"#,
                "the user of `gcloud auth application-default login`",
            ),
        ] {
            let account = account(json).unwrap();
            assert_eq!(account.who().as_deref(), Some(who));
            assert_eq!(format!("{account:?}"), "Account { .. }");
        }
    }

    #[test]
    fn of_a_file_that_cannot_be_used_nothing_is_shown() {
        for json in ["canary", r#"{"type": "canary"}"#, "{}"] {
            let err = account(json).unwrap_err();
            assert!(!format!("{err} {err:?}").contains("canary"), "{err}");
        }
    }

    #[test]
    fn a_file_that_is_named_must_be_there_and_the_usual_one_need_not() {
        let nowhere = Some(std::path::PathBuf::from("/nonexistent/adc.json"));
        let surroundings = Surroundings {
            usual_credentials: nowhere.clone(),
            ..Surroundings::default()
        };
        let config = Config {
            surroundings,
            ..Config::default()
        };
        let machine = Account::of(&config).unwrap();
        assert_eq!(
            machine.who().as_deref(),
            Some("the account of this machine")
        );
        let mut named = config;
        named.surroundings.named_credentials = nowhere;
        assert!(Account::of(&named).is_err());
    }
}
