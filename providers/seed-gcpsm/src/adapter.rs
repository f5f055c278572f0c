//! The adapter: what it is, where it is, and whose calls it makes.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::TryRng as _;
use rand::rngs::SysRng;
use reqwest::header::HeaderMap;
use seed_core::backend::{Capabilities, Description, Guarantee, Kind, Pace};
use seed_core::name::SecretName;
use seed_provider::{ErrorKind, Identity, Operation, Policy, Requests, Result};
use tokio::sync::{OnceCell, OwnedMutexGuard};
use uuid::Uuid;

use crate::account::Account;
use crate::call::{Call, Purpose};
use crate::clock::Moment;
use crate::config::{Config, ConfigError};
use crate::held::{Doubt, Held};
use crate::place::Place;
use crate::transport::Transport;

/// Google Secret Manager in one project, with global secrets or those of one location.
pub struct GcpSm {
    pub(crate) place: Place,
    pub(crate) account: Account,
    pub(crate) transport: Transport,
    pub(crate) requests: Requests,
    proven: OnceCell<()>,
    /// When we asked for the service's time last.
    asked: tokio::sync::Mutex<Option<Moment>>,
    notes: Mutex<BTreeSet<String>>,
    held: Mutex<HashMap<SecretName, Held>>,
    writers: Mutex<HashMap<SecretName, Arc<tokio::sync::Mutex<()>>>>,
    run: u64,
}

/// What Secret Manager can promise.
///
/// Its quotas are 600 reads and 600 writes a minute for a whole project. A few less leave room for requests that arrive
/// closer together than they were sent.
pub const CAPABILITIES: Capabilities = Capabilities {
    create: Guarantee::Claimed,
    add_fields: Guarantee::Claimed,
    concurrency: CONCURRENCY,
    pace: Pace {
        reads: Some(QUOTA),
        writes: Some(QUOTA),
    },
};

/// How many requests may go at once after a pause: the service counts minutes.
pub const BURST: u32 = 16;

const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);
const QUOTA: NonZeroU32 = NonZeroU32::MIN.saturating_add(594 - 1);

impl GcpSm {
    /// Prepares an adapter. Reads a file of credentials, and calls nobody.
    pub fn new(config: &Config, policy: Policy) -> Result<Self, ConfigError> {
        let place = Place::of(config)?;
        let account = Account::of(config)?;
        let transport = Transport::new(&place)?;
        let run = SysRng.try_next_u64().map_err(|_| {
            ConfigError::new(
                "the system gives no random numbers",
                "run the command again",
            )
        })?;
        let mut notes = BTreeSet::new();
        if place.is_in_the_clear() {
            notes.insert(CLEAR.to_owned());
        }
        Ok(Self {
            place,
            account,
            transport,
            requests: Requests::new(policy),
            proven: OnceCell::new(),
            asked: tokio::sync::Mutex::default(),
            notes: Mutex::new(notes),
            held: Mutex::default(),
            writers: Mutex::default(),
            run,
        })
    }

    pub(crate) fn description(&self) -> Description {
        Description {
            kind: Kind::Gcpsm,
            place: self.place.words(),
            identity: self.account.who(),
            confirm: self.place.confirm,
            capabilities: CAPABILITIES,
        }
    }

    /// Makes sure, once a run, that there are credentials, and that the project is there for them. The answer tells the
    /// service's time, too, by which others see how old our claims are.
    pub(crate) async fn proven(&self) -> Result<Identity> {
        let purpose = Purpose {
            operation: Operation::Identify,
            name: None,
            call: Call::ListSecrets,
        };
        let prove = || async {
            let token = self.requests.read(purpose.operation, None, || async {
                self.headers(purpose).await
            });
            token.await?;
            match self.list_page(purpose.operation, 1, "").await {
                Ok(_) => Ok(()),
                // Who may not list may still be allowed all else.
                Err(err) if err.kind() == ErrorKind::Denied => Ok(()),
                Err(err) => Err(err),
            }
        };
        self.proven.get_or_try_init(prove).await?;
        Ok(Identity {
            who: self.account.who(),
        })
    }

    /// What goes with a request to say whose it is. A write that nobody gave a token for was not sent, so that must be told
    /// before the time for its answer is over.
    pub(crate) async fn headers(&self, purpose: Purpose<'_>) -> Result<HeaderMap> {
        let deadline = self.requests.policy().deadline;
        let longest = if purpose.call.writes() {
            TOKEN.min(deadline / 2)
        } else {
            // The read's own deadline comes first.
            deadline * 2
        };
        self.account.headers(purpose, longest).await
    }

    /// Makes sure that the service's time is known, by which others see how old our claims are. Whoever proved the place
    /// knows it; since then, this machine may have slept.
    pub(crate) async fn dated(&self) {
        let mut asked = self.asked.lock().await;
        if self.transport.clock.is_set() || asked.is_some_and(Moment::is_steady) {
            return;
        }
        // A refusal has a date as well.
        drop(self.list_page(Operation::Inventory, 1, "").await);
        *asked = Some(Moment::now());
        if !self.transport.clock.is_set() {
            self.note(UNDATED.to_owned());
        }
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

    /// Waits until nobody else writes to that secret through this adapter: a claim keeps other runs away, not ourselves.
    pub(crate) async fn alone(&self, name: &SecretName) -> OwnedMutexGuard<()> {
        let lock = {
            let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(writers.entry(name.clone()).or_default())
        };
        lock.lock_owned().await
    }

    /// What we hold of a secret: the same for all that this run does there, until it is over.
    pub(crate) fn held(&self, name: &SecretName) -> Held {
        self.with_held(name, |held| held.clone())
    }

    /// A new claim, which is being sent now.
    pub(crate) fn next_claim(&self, name: &SecretName, time: u64, after: u64) -> String {
        self.with_held(name, |held| held.next_claim(time, after))
    }

    pub(crate) fn is_in_doubt(&self, name: &SecretName, doubt: &Arc<Doubt>) {
        self.with_held(name, |held| held.doubt = Some(Arc::clone(doubt)));
    }

    fn with_held<T>(&self, name: &SecretName, what: impl FnOnce(&mut Held) -> T) -> T {
        let mut all = self.all_held();
        let held = all.entry(name.clone()).or_insert_with(|| {
            // Drawn for each; the run's own number tells runs apart even where the system repeats itself.
            let drawn = SysRng.try_next_u64().unwrap_or_default();
            Held::new(Uuid::from_u64_pair(self.run, drawn).simple().to_string())
        });
        what(held)
    }

    pub(crate) fn forget(&self, name: &SecretName) {
        self.all_held().remove(name);
    }

    fn all_held(&self) -> MutexGuard<'_, HashMap<SecretName, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for GcpSm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpSm")
            .field("place", &self.place.words())
            .finish_non_exhaustive()
    }
}

/// How long a write waits for a token.
const TOKEN: Duration = Duration::from_secs(10);
const CLEAR: &str = "the endpoint is an `http://` address of another machine: the token and all values can be read on the way";
const UNDATED: &str = "the answers of the service have no date; how old claims are goes by the clock of this machine, which must be right";
