//! Whose calls they are: application default credentials, as Google's own tools find them.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use google_cloud_auth::credentials::{
    AccessToken, AccessTokenCredentials, external_account, impersonated, mds, service_account,
    user_account,
};
use google_cloud_gax::error::CredentialsError;
use google_cloud_gax::retry_policy::NeverRetry;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use seed_provider::{ErrorKind, Result};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::addresses;
use crate::call::Purpose;
use crate::config::{Config, ConfigError, Credentials};
use crate::place::{check, given};
use crate::programs;
use crate::transport::{is_distrust, is_unconnected};

/// Credentials that are found, and made into tokens when the first request needs one.
pub(crate) struct Account {
    found: Found,
    quota_project: Option<HeaderValue>,
    credentials: Mutex<Option<Arc<AccessTokenCredentials>>>,
    /// Whether there ever was a token.
    had_one: AtomicBool,
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
                    understood(named, &read, config)?
                }
                (None, Some(usual)) => match read(usual) {
                    Ok(read) => understood(usual, &read, config)?,
                    Err(err) if err.kind() == io::ErrorKind::NotFound => Found::Machine,
                    Err(err) => return Err(unreadable(usual, &err)),
                },
                (None, None) => Found::Machine,
            },
        };
        Ok(Self {
            quota_project: quota_project(config, &found)?,
            found,
            credentials: Mutex::default(),
            had_one: AtomicBool::default(),
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

    /// What goes with a request to say whose it is. May call those who give tokens, and waits for them so long.
    pub(crate) async fn headers(
        &self,
        purpose: Purpose<'_>,
        longest: Duration,
    ) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let authorization = match &self.found {
            Found::Token(token) => token.clone(),
            Found::File { .. } | Found::Machine => {
                let token = self.token(purpose, longest).await?;
                let value = HeaderValue::from_str(&format!("Bearer {}", token.token));
                let Ok(mut value) = value else {
                    return Err(purpose.error(ErrorKind::Unauthenticated, UNUSABLE));
                };
                value.set_sensitive(true);
                value
            }
        };
        headers.insert(reqwest::header::AUTHORIZATION, authorization);
        if let Some(project) = &self.quota_project {
            let name = HeaderName::from_static("x-goog-user-project");
            headers.insert(name, project.clone());
        }
        Ok(headers)
    }

    async fn token(&self, purpose: Purpose<'_>, longest: Duration) -> Result<AccessToken> {
        let Some(credentials) = self.credentials() else {
            return Err(purpose.error(ErrorKind::Unauthenticated, UNUSABLE));
        };
        let mut attempt = Attempt {
            account: self,
            with: Arc::clone(&credentials),
            went_well: false,
        };
        // The library panics where it did not expect an answer: that ends a task of its own, and not the run.
        let mut asking = JoinSet::new();
        asking.spawn(async move { credentials.access_token().await });
        match tokio::time::timeout(longest, asking.join_next()).await {
            Ok(Some(Ok(Ok(token)))) => {
                attempt.went_well = true;
                self.had_one.store(true, Ordering::Relaxed);
                Ok(token)
            }
            // Its text may hold what the other side answered.
            Ok(Some(Ok(Err(err)))) => {
                let (kind, message) = self.failed(&err);
                Err(purpose.error(kind, message))
            }
            Ok(Some(Err(_)) | None) => Err(purpose.error(ErrorKind::Unauthenticated, UNUSABLE)),
            Err(_) => Err(purpose.error(ErrorKind::Unavailable, LATE)),
        }
    }

    /// What it means that no token could be had.
    fn failed(&self, err: &CredentialsError) -> (ErrorKind, &'static str) {
        let of_machine = match &self.found {
            Found::Machine | Found::Token(_) => true,
            Found::File { .. } => false,
        };
        let had_one = self.had_one.load(Ordering::Relaxed);
        if is_distrust(err) {
            // No waiting makes a certificate trusted.
            (ErrorKind::Unexpected, DISTRUSTED)
        } else if of_machine && !had_one && is_unconnected(err) {
            // Most machines have no such server, and none comes by waiting.
            (ErrorKind::Unauthenticated, NOBODY)
        } else if err.is_transient() {
            (ErrorKind::Unavailable, NOT_NOW)
        } else if of_machine {
            (ErrorKind::Unauthenticated, NOBODY)
        } else {
            (ErrorKind::Unauthenticated, EXPIRED)
        }
    }

    fn credentials(&self) -> Option<Arc<AccessTokenCredentials>> {
        let mut made = self.made();
        if made.is_none() {
            *made = self.make().ok().map(Arc::new);
        }
        made.clone()
    }

    fn made(&self) -> MutexGuard<'_, Option<Arc<AccessTokenCredentials>>> {
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
}

/// One attempt to get a token. After one that failed, or that nobody waited for any longer, the library would give the
/// same error, or wait for the same answer, ever after.
struct Attempt<'a> {
    account: &'a Account,
    with: Arc<AccessTokenCredentials>,
    went_well: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.went_well {
            return;
        }
        // Others may have made new ones meanwhile, which are good.
        let mut made = self.account.made();
        if made
            .as_ref()
            .is_some_and(|made| Arc::ptr_eq(made, &self.with))
        {
            *made = None;
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

/// The project that was named, or that `gcloud` wrote down beside the credentials.
fn quota_project(config: &Config, found: &Found) -> Result<Option<HeaderValue>, ConfigError> {
    let around = given(config.surroundings.quota_project.as_ref());
    let of_file = || match found {
        Found::File { json, .. } => json.get("quota_project_id").and_then(Value::as_str),
        Found::Machine | Found::Token(_) => None,
    };
    let named = given(config.quota_project.as_ref()).or(around);
    let named = named.or_else(|| of_file().filter(|text| !text.is_empty()).map(str::to_owned));
    let Some(project) = named else {
        return Ok(None);
    };
    check(&project, "quota-project", "`my-project`", &[':', '.'])?;
    let header = HeaderValue::from_str(&project);
    header.map(Some).map_err(|_| {
        ConfigError::new(
            "the quota project is no project of Google Cloud",
            "write `quota-project` like `my-project`",
        )
    })
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
fn understood(path: &Path, text: &str, config: &Config) -> Result<Found, ConfigError> {
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
    if let Some(member) = addresses::in_the_clear(&json) {
        return Err(refused(&format!(
            "name a `{member}` that is no `https://` address"
        )));
    }
    let around = &config.surroundings;
    let named = given(config.endpoint.as_ref()).or_else(|| given(around.endpoint.as_ref()));
    let universe = json.get("universe_domain").and_then(Value::as_str);
    if named.is_none() && universe.is_some_and(|universe| universe != GOOGLES) {
        return Err(ConfigError::new(
            format!(
                "the credentials in `{}` are not for `{GOOGLES}`",
                path.display()
            ),
            "name the endpoint of Secret Manager in the universe that they are for, or use others",
        ));
    }
    programs::withhold(&mut json, &around.withheld);
    Ok(Found::File { kind, json })
}

/// Whether a text is fit to be shown: an address of an account, and nothing that moves a terminal.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic();
    (1..=512).contains(&text.len()) && text.chars().all(plain)
}

/// The universe whose services have Google's usual addresses.
const GOOGLES: &str = "googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const UNUSABLE: &str = "the credentials of Google Cloud cannot be used; log in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name another file";
const DISTRUSTED: &str = "no token for Google Cloud could be had: the certificate of the server that gives it is not trusted; name its authority with SSL_CERT_FILE";
const NOT_NOW: &str =
    "no token for Google Cloud could be had: whoever gives it did not answer as expected";
const LATE: &str =
    "no token for Google Cloud could be had: whoever gives it did not answer in time";
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

    #[test]
    fn credentials_that_would_go_astray_are_refused() {
        for (json, words) in [
            (
                r#"{"type": "authorized_user", "token_uri": "http://oauth2.example.com/token"}"#,
                "name a `token_uri` that is no `https://` address",
            ),
            (
                r#"{"type": "authorized_user", "universe_domain": "canary.example.com"}"#,
                "are not for `googleapis.com`",
            ),
            (
                r#"{"type": "authorized_user", "quota_project_id": "no project"}"#,
                "`no project` is no quota-project of Google Cloud",
            ),
        ] {
            let err = account(json).unwrap_err();
            assert!(err.to_string().ends_with(words), "{err}");
            assert!(!err.to_string().contains("canary"), "{err}");
        }
        let usual = r#"{"type": "authorized_user", "universe_domain": "googleapis.com", "quota_project_id": ""}"#;
        assert!(account(usual).unwrap().quota_project.is_none());
    }

    #[tokio::test]
    async fn what_was_made_anew_meanwhile_is_kept() {
        let user = r#"{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": "http://127.0.0.1:1/"}"#;
        let account = account(user).unwrap();
        let attempt = |with: &Arc<AccessTokenCredentials>| Attempt {
            account: &account,
            with: Arc::clone(with),
            went_well: false,
        };
        let old = account.credentials().unwrap();
        drop(attempt(&old));
        let new = account.credentials().unwrap();
        assert!(!Arc::ptr_eq(&old, &new));
        drop(attempt(&old));
        assert!(Arc::ptr_eq(&new, &account.credentials().unwrap()));
    }
}
