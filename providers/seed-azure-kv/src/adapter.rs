//! The adapter: what it is, where it is, and whose calls it makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::base64::decode_url_safe;
use azure_core::credentials::AccessToken;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport as SdkTransport};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use rand::TryRng as _;
use rand::rngs::SysRng;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::name::SecretName;
use seed_provider::{ErrorKind, Identity, Operation, Policy, Requests, Result};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use crate::claim::{Claim, Purpose as ClaimPurpose};
use crate::clock::{Clock, LEAP};
use crate::config::{Config, ConfigError};
use crate::credentials::Chain;
use crate::decide::FRESH;
use crate::error::{Call, Purpose};
use crate::place::Place;
use crate::transport::{Owner, Reach, Transport, client};

/// One vault of Azure Key Vault.
pub struct AzureKv {
    pub(crate) client: SecretClient,
    pub(crate) requests: Requests,
    pub(crate) clock: Clock,
    pub(crate) pause: Duration,
    pub(crate) run: u64,
    /// How many writes may be prepared: one that has its turn must not wait for others while its look ages.
    pub(crate) writers: Semaphore,
    /// What versions look like in a list, by lowered name: a list does not name them.
    pub(crate) known: Mutex<BTreeMap<String, Known>>,
    place: Arc<Place>,
    chain: Arc<Chain>,
    owner: Owner,
    identity: OnceCell<Identity>,
    notes: Mutex<BTreeSet<String>>,
    step: AtomicU64,
}

/// The moment before a look: what comes later is not in its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    /// By the service's clock.
    pub(crate) time: i64,
}

/// A version that this adapter wrote or read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) look: Look,
}

/// What a list shows of the current version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Look {
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) claim: Option<String>,
}

/// What Key Vault can promise.
///
/// It takes 4,000 calls in 10 seconds for each vault, and 300 creates of secrets among them.
pub const CAPABILITIES: Capabilities = Capabilities {
    create: Guarantee::Converging,
    add_fields: Guarantee::Converging,
    concurrency: CONCURRENCY,
    pace: Pace {
        reads: Some(READS),
        writes: Some(WRITES),
    },
};

/// The service counts ten seconds, so a few may go at once.
pub const BURST: u32 = 16;

const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
const READS: NonZeroU32 = NonZeroU32::MIN.saturating_add(20_000 - 1);
const WRITES: NonZeroU32 = NonZeroU32::MIN.saturating_add(25 * 60 - 1);

/// Longer than a run may take from its look to its write, and than a request usually takes.
const PAUSE: Duration = Duration::from_secs(5);

impl AzureKv {
    /// Prepares an adapter. Calls nobody.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as every adapter takes its settings"
    )]
    pub fn new(config: Config, policy: Policy) -> Result<Self, ConfigError> {
        let place = Arc::new(Place::of(&config)?);
        let pause = config.pause.unwrap_or(PAUSE);
        // A vault on this machine is a stand-in, whose tests need not wait.
        if pause <= FRESH && !place.is_here {
            return Err(ConfigError::new(
                format!(
                    "its `pause` is no longer than the {} s that other runs may take from their look to their write",
                    FRESH.as_secs()
                ),
                "write it as `pause: 5s`, or leave it out",
            ));
        }
        let chain = Arc::new(Chain::new(&config, &place)?);
        let (clock, owner) = (Clock::default(), Owner::default());
        let authorities = config.surroundings.authorities.as_deref();
        let http = client(Reach::Address(&place.url), authorities)?;
        let transport = Transport::to_vault(http, Arc::clone(&place), clock.clone(), owner.clone());
        let transport: Arc<dyn HttpClient> = Arc::new(transport);
        let options = SecretClientOptions {
            client_options: ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(SdkTransport::new(transport)),
                ..ClientOptions::default()
            },
            // The transport checks every challenge; this one cannot be met by an address.
            verify_challenge_resource: Some(!place.is_here),
            ..SecretClientOptions::default()
        };
        let credential = Arc::clone(&chain) as Arc<dyn azure_core::credentials::TokenCredential>;
        let client = SecretClient::new(place.url.as_str(), credential, Some(options));
        let client = client.map_err(|_| {
            ConfigError::new(
                "its `vault` is no address",
                "write it as `vault: https://NAME.vault.azure.net`",
            )
        })?;
        let run = SysRng.try_next_u64().map_err(|_| {
            ConfigError::new(
                "the system gives no random numbers",
                "run the command again",
            )
        })?;
        let writers = policy.concurrency.get().min(Semaphore::MAX_PERMITS);
        Ok(Self {
            client,
            writers: Semaphore::new(writers),
            requests: Requests::new(policy),
            clock,
            pause,
            run,
            known: Mutex::default(),
            place,
            chain,
            owner,
            identity: OnceCell::new(),
            notes: Mutex::default(),
            step: AtomicU64::new(0),
        })
    }

    pub(crate) fn description(&self) -> Description {
        Description {
            kind: Kind::AzureKv,
            place: self.place.words(),
            identity: None,
            // The contract names the whole place, and a token goes to the service's own names only.
            confirm: Confirm::Never,
            capabilities: CAPABILITIES,
        }
    }

    /// Logs in and makes the one call that all others need before them, once a run.
    pub(crate) async fn proven(&self) -> Result<&Identity> {
        self.identity.get_or_try_init(|| self.prove()).await
    }

    async fn prove(&self) -> Result<Identity> {
        let purpose = Purpose {
            operation: Operation::Identify,
            name: None,
            call: Call::GetSecrets,
        };
        let token = self.token(purpose).await?;
        let claims = Claims::of(token.token.secret());
        let who = claims.as_ref().and_then(Claims::who);
        // The client sends its first request without a token, to be told for what it needs one. So would all that are
        // sent beside it.
        match self.page(purpose, None, Some(1)).await {
            Ok(_) => {}
            // It is the first call that tells what may be done; this one only had to be answered.
            Err(err) if err.kind() == ErrorKind::Denied => {}
            Err(err) if err.kind() == ErrorKind::Unauthenticated => {
                let ours = claims.and_then(|claims| claims.text("tid"));
                return Err(match (ours, self.owner.tenant()) {
                    (Some(ours), Some(theirs)) if ours != theirs => purpose.error(
                        ErrorKind::Misplaced,
                        format!(
                            "the vault belongs to tenant `{theirs}`, and the credential is of tenant `{ours}`; log in with `az login --tenant {theirs}`, or set `AZURE_TENANT_ID` and what goes with it"
                        ),
                    ),
                    _ => err,
                });
            }
            Err(err) => return Err(err),
        }
        if self.clock.now() == 0 {
            let message = "the answers do not tell the vault's time, without which nobody can say who wrote first; is there a proxy in between that removes `Date`?";
            return Err(purpose.error(ErrorKind::Unexpected, message));
        }
        Ok(Identity { who })
    }

    /// Gets a token ready that lives for a while, so that no request has to wait for one.
    pub(crate) async fn token(&self, purpose: Purpose<'_>) -> Result<AccessToken> {
        if let Some(token) = self.chain.ready().await {
            return Ok(token);
        }
        let scope = self.place.scope();
        let scope = scope.as_str();
        let ask = || async move {
            let token = self.chain.token(scope).await;
            token.map_err(|keyless| purpose.keyless(&keyless))
        };
        if self.chain.is_prompt() {
            self.look(purpose, ask).await
        } else {
            // A person may have to wait for `az`, so this is no part of a request and its deadline.
            ask().await
        }
    }

    /// Sends a request that changes nothing.
    pub(crate) async fn look<T: Send, F: Future<Output = Result<T>> + Send>(
        &self,
        purpose: Purpose<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T> {
        self.requests
            .read(purpose.operation, purpose.name, attempt)
            .await
    }

    pub(crate) fn at_once(&self) -> usize {
        self.requests.policy().concurrency.get()
    }

    pub(crate) fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(note);
    }

    pub(crate) fn noted(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().cloned().collect()
    }

    /// Whether the time of a look that began at `moment` is not known: the vault's clock has leapt since, or seems to.
    pub(crate) fn doubts(&self, moment: Moment) -> bool {
        let passed = i64::try_from(moment.at.elapsed().as_secs()).unwrap_or(i64::MAX);
        let explained = moment.time.saturating_add(passed).saturating_add(LEAP + 1);
        self.clock.is_in_doubt() || self.clock.now() > explained
    }

    /// Call it right before a look.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            at: Instant::now(),
            time: self.clock.now(),
        }
    }

    /// A claim that no other write of any run has.
    pub(crate) fn claim(&self, looked: Moment, purpose: ClaimPurpose) -> Claim {
        Claim {
            run: self.run,
            step: self.step.fetch_add(1, Ordering::Relaxed),
            looked: looked.time,
            purpose,
        }
    }

    pub(crate) fn remember(&self, name: &SecretName, known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.as_str().to_ascii_lowercase(), known);
    }

    /// What the current version looked like when it was last read.
    pub(crate) fn last_look(&self, name: &SecretName) -> Option<Look> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&name.as_str().to_ascii_lowercase());
        known.map(|known| known.look.clone())
    }

    /// The version that a list shows, if this adapter has met it.
    pub(crate) fn recall(&self, name: &SecretName, look: &Look) -> Option<String> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&name.as_str().to_ascii_lowercase())?;
        (known.look == *look).then(|| known.id.clone())
    }
}

impl fmt::Debug for AzureKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureKv")
            .field("place", &self.place.words())
            .finish_non_exhaustive()
    }
}

/// What a token says of itself. That is not verified: the vault does it.
struct Claims(serde_json::Value);

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let claims = decode_url_safe(token.split('.').nth(1)?).ok()?;
        Some(Self(serde_json::from_slice(&claims).ok()?))
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.as_str()?;
        let plain = |c: char| c.is_ascii_graphic();
        ((1..=128).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
    }

    /// Whose token it is.
    fn who(&self) -> Option<String> {
        let mut users = ["upn", "unique_name", "preferred_username"].into_iter();
        let user = users.find_map(|name| self.text(name));
        let application = || Some(format!("application {}", self.text("appid")?));
        let object = || Some(format!("object {}", self.text("oid")?));
        user.or_else(application).or_else(object)
    }
}
