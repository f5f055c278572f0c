//! Who we are, in the order of Azure's own tools: environment, workload identity, managed identity, `az`, `azd`.
//!
//! What is set up on purpose is used or fails; only what happens to be there is passed over.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport as SdkTransport};
use azure_core::time::{Duration as Span, OffsetDateTime};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, Executor, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{Config, ConfigError, Credentials, Surroundings};
use crate::place::Place;
use crate::transport::{Lost, Reach, Refusal, Transport, client, find};

/// No token, and why. No text of it is anybody else's.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Keyless {
    message: String,
    /// Whether waiting may help.
    pub(crate) passes: bool,
}

/// The first credential that gives a token, and the token while it lives.
pub(crate) struct Chain {
    sources: Vec<Source>,
    surroundings: Surroundings,
    authority: String,
    scope: String,
    login: reqwest::Client,
    machine: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chosen: Option<(Source, Arc<dyn TokenCredential>)>,
    token: Option<AccessToken>,
    /// When that was given.
    given: Option<Instant>,
}

impl State {
    fn living(&self) -> Option<AccessToken> {
        // Some sources give nothing that lives longer, and each of them may take seconds.
        let is_new = self.given.is_some_and(|given| given.elapsed() < NEW);
        let least = if is_new {
            Span::seconds(30)
        } else {
            Span::minutes(5)
        };
        let token = self.token.as_ref()?;
        (token.expires_on > OffsetDateTime::now_utc() + least).then(|| token.clone())
    }
}

#[derive(Clone)]
enum Source {
    Azd,
    AzureCli,
    ClientSecret {
        tenant: String,
        client: String,
        secret: String,
    },
    Given(String),
    /// Whether the environment names its endpoint, so that it must be there.
    Managed {
        named: bool,
    },
    Workload {
        tenant: String,
        client: String,
        file: PathBuf,
    },
}

impl Chain {
    pub(crate) fn new(config: &Config, place: &Place) -> Result<Self, ConfigError> {
        let authority = azure_core::http::Url::parse(&place.authority).map_err(|_| {
            ConfigError::new(
                "`AZURE_AUTHORITY_HOST` is no address",
                "unset it, or write it as `https://login.microsoftonline.com`",
            )
        })?;
        let authorities = config.surroundings.authorities.as_deref();
        Ok(Self {
            sources: sources(config)?,
            surroundings: config.surroundings.clone(),
            authority: place.authority.clone(),
            scope: place.scope(),
            login: client(Reach::Address(&authority), authorities)?,
            machine: client(Reach::Machine, authorities)?,
            state: Mutex::default(),
        })
    }

    /// A token that is there and lives for a while yet.
    pub(crate) async fn ready(&self) -> Option<AccessToken> {
        self.state.lock().await.living()
    }

    /// A token that lives for a while yet.
    pub(crate) async fn token(&self, scope: &str) -> Result<AccessToken, Keyless> {
        let mut state = self.state.lock().await;
        if let Some(token) = state.living() {
            return Ok(token);
        }
        if let Some((source, chosen)) = state.chosen.clone() {
            let token = ask(&*chosen, scope).await;
            let token = token.map_err(|err| source.failed(&err))?;
            (state.token, state.given) = (Some(token.clone()), Some(Instant::now()));
            return Ok(token);
        }
        let mut missing = Vec::new();
        for source in &self.sources {
            let got = match self.credential(source) {
                Ok(credential) => ask(&*credential, scope)
                    .await
                    .map(|token| (credential, token)),
                Err(err) => Err(err),
            };
            match got {
                Ok((credential, token)) => {
                    state.chosen = Some((source.clone(), credential));
                    (state.token, state.given) = (Some(token.clone()), Some(Instant::now()));
                    return Ok(token);
                }
                Err(err) if source.is_meant() => return Err(source.failed(&err)),
                Err(err) => missing.push(source.why(&err).text),
            }
        }
        Err(Keyless {
            message: format!(
                "no Azure credentials are found ({}); log in with `az login`, or set `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`",
                missing.join(", ")
            ),
            passes: false,
        })
    }

    /// Whether no program and no person is asked, so that an answer may be expected as soon as from any service.
    pub(crate) fn is_prompt(&self) -> bool {
        self.sources.first().is_some_and(Source::is_meant)
    }

    fn credential(&self, source: &Source) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let executor: Arc<dyn Executor> = Arc::new(Child {
            withheld: self.surroundings.withheld.clone(),
        });
        Ok(match source {
            Source::Given(token) => Arc::new(Given(token.clone())),
            Source::ClientSecret {
                tenant,
                client,
                secret,
            } => {
                let options = ClientSecretCredentialOptions {
                    client_options: self.options(&self.login),
                };
                let secret = Secret::new(secret.clone());
                ClientSecretCredential::new(tenant, client.clone(), secret, Some(options))?
            }
            Source::Workload {
                tenant,
                client,
                file,
            } => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions {
                    client_options: self.options(&self.login),
                },
                client_id: Some(client.clone()),
                tenant_id: Some(tenant.clone()),
                token_file_path: Some(file.clone()),
            }))?,
            Source::Managed { .. } => {
                let client = self.surroundings.client.clone();
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client.map(UserAssignedId::ClientId),
                    client_options: self.options(&self.machine),
                };
                ManagedIdentityCredential::new(Some(options))?
            }
            Source::AzureCli => {
                let options = AzureCliCredentialOptions {
                    tenant_id: self.surroundings.tenant.clone(),
                    executor: Some(executor),
                    ..AzureCliCredentialOptions::default()
                };
                AzureCliCredential::new(Some(options))?
            }
            Source::Azd => {
                let options = AzureDeveloperCliCredentialOptions {
                    tenant_id: self.surroundings.tenant.clone(),
                    executor: Some(executor),
                };
                AzureDeveloperCliCredential::new(Some(options))?
            }
        })
    }

    fn options(&self, client: &reqwest::Client) -> ClientOptions {
        let transport: Arc<dyn HttpClient> = Arc::new(Transport::to_identity(client.clone()));
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(SdkTransport::new(transport)),
            cloud: Some(Arc::new(CloudConfiguration::from(cloud))),
            ..ClientOptions::default()
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Chain {
    async fn get_token(
        &self,
        // What a challenge says is read by the library in its own way: a token is for this vault's cloud whatever it names.
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.token(&self.scope).await;
        token.map_err(|err| azure_core::Error::new(azure_core::error::ErrorKind::Credential, err))
    }
}

impl Source {
    fn title(&self) -> &'static str {
        match self {
            Self::Azd => "`azd`",
            Self::AzureCli => "`az`",
            Self::ClientSecret { .. } => "the client secret of the environment",
            Self::Given(_) => "the token",
            Self::Managed { .. } => "managed identity",
            Self::Workload { .. } => "workload identity",
        }
    }

    /// Whether somebody has set it up, so that nothing else is tried in its place.
    fn is_meant(&self) -> bool {
        match self {
            Self::ClientSecret { .. } | Self::Given(_) | Self::Workload { .. } => true,
            Self::Managed { named } => *named,
            Self::Azd | Self::AzureCli => false,
        }
    }

    fn failed(&self, err: &azure_core::Error) -> Keyless {
        let Why { text, step, passes } = self.why(err);
        Keyless {
            message: match step {
                Some(step) => format!("{text}; {step}"),
                None => text,
            },
            passes,
        }
    }

    fn why(&self, err: &azure_core::Error) -> Why {
        let mut passes = false;
        let mut step = Some(self.step(None));
        let why = if let Some(refusal) = find::<Refusal>(err) {
            passes = refusal.status >= 500 || refusal.status == 429;
            let code = refusal.inner.as_deref();
            let code = code.filter(|code| code.starts_with("AADSTS"));
            step = (!passes).then(|| self.step(code));
            match code {
                Some(code) => format!("it was refused with `{code}`"),
                None => format!("it was refused with status {}", refusal.status),
            }
        } else if let Some(lost) = find::<Lost>(err) {
            passes = !matches!(lost, Lost::Tls(_));
            step = None;
            lost.to_string()
        } else if find::<Late>(err).is_some() {
            Late.to_string()
        } else if find::<NotInstalled>(err).is_some() {
            "not installed".to_owned()
        } else {
            match self {
                Self::Azd | Self::AzureCli => "installed, but nobody is logged in".to_owned(),
                Self::ClientSecret { .. }
                | Self::Given(_)
                | Self::Managed { .. }
                | Self::Workload { .. } => "it gives no token".to_owned(),
            }
        };
        let text = format!("{}: {why}", self.title());
        Why { text, step, passes }
    }

    /// What a person can do when it is refused with this code.
    fn step(&self, code: Option<&str>) -> &'static str {
        let tenant = ["AADSTS700016", "AADSTS90002", "AADSTS900023"];
        match (self, code) {
            (Self::ClientSecret { .. } | Self::Workload { .. }, Some(code))
                if tenant.contains(&code) =>
            {
                "check `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`: that tenant knows no such application"
            }
            (Self::ClientSecret { .. }, Some("AADSTS7000215")) => {
                "put the secret's value, not its id, into `AZURE_CLIENT_SECRET`, or unset it to log in in another way"
            }
            (Self::ClientSecret { .. }, Some("AADSTS7000222")) => {
                "the secret has expired: make a new one for the application, and put it into `AZURE_CLIENT_SECRET`"
            }
            (Self::ClientSecret { .. }, _) => {
                "check `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, or unset them to log in in another way"
            }
            (
                Self::Workload { .. },
                Some("AADSTS70021" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213"),
            ) => "give the application a federated credential for the token's issuer and subject",
            (Self::Workload { .. }, _) => {
                "check `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and the token in `AZURE_FEDERATED_TOKEN_FILE`"
            }
            (Self::Managed { .. }, _) => {
                "assign an identity to this machine, or name one of several in `AZURE_CLIENT_ID`"
            }
            (Self::AzureCli, _) => "log in with `az login`",
            (Self::Azd, _) => "log in with `azd auth login`",
            (Self::Given(_), _) => "give another one",
        }
    }
}

fn sources(config: &Config) -> Result<Vec<Source>, ConfigError> {
    if let Credentials::Token(token) = &config.credentials {
        return Ok(vec![Source::Given(token.clone())]);
    }
    let Surroundings {
        tenant,
        client,
        client_secret,
        client_certificate,
        federated_token,
        identity_endpoint,
        ..
    } = &config.surroundings;
    let mut sources = Vec::new();
    if let (Some(tenant), Some(client)) = (tenant, client) {
        let (tenant, client) = (tenant.clone(), client.clone());
        if let Some(secret) = client_secret.clone() {
            sources.push(Source::ClientSecret {
                tenant,
                client,
                secret,
            });
        } else if *client_certificate {
            return Err(ConfigError::new(
                "`AZURE_CLIENT_CERTIFICATE_PATH` is set, and logging in with a certificate is not supported",
                "log in with `az login --service-principal --certificate …` and unset it, or use a federated token or a client secret",
            ));
        } else if let Some(file) = federated_token.clone() {
            sources.push(Source::Workload {
                tenant,
                client,
                file,
            });
        }
    }
    sources.extend([
        Source::Managed {
            named: *identity_endpoint,
        },
        Source::AzureCli,
        Source::Azd,
    ]);
    Ok(sources)
}

async fn ask(credential: &dyn TokenCredential, scope: &str) -> azure_core::Result<AccessToken> {
    let scopes = [scope];
    let asked = credential.get_token(&scopes, None);
    tokio::time::timeout(LOGIN, asked)
        .await
        .unwrap_or_else(|_| {
            let kind = azure_core::error::ErrorKind::Credential;
            Err(azure_core::Error::new(kind, Late))
        })
}

/// For how long a token is taken for a new one.
const NEW: Duration = Duration::from_mins(1);

/// As long as `az` needs to start on a slow machine.
const LOGIN: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
#[error("it was not answered in time")]
struct Late;

/// Why one credential gave nothing. Of the libraries' texts nothing is shown: they repeat what was answered.
struct Why {
    text: String,
    step: Option<&'static str>,
    /// Whether waiting may help.
    passes: bool,
}

/// A token that a test gives.
struct Given(String);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Given {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires = OffsetDateTime::now_utc() + Span::hours(1);
        Ok(AccessToken::new(Secret::new(self.0.clone()), expires))
    }
}

/// Runs `az` and `azd` without the variables that hold values.
#[derive(Debug)]
struct Child {
    withheld: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("not installed")]
struct NotInstalled;

#[async_trait]
impl Executor for Child {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = tokio::process::Command::new(program);
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        for variable in &self.withheld {
            command.env_remove(variable);
        }
        let output = command.output().await?;
        if output.status.code() == Some(127) {
            // What the shell says of a program that it does not find.
            return Err(io::Error::other(NotInstalled));
        }
        Ok(output)
    }
}
