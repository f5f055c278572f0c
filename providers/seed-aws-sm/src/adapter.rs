//! The adapter: what it is, where it is, and whose calls it makes.

use std::collections::BTreeSet;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use rand::TryRng as _;
use rand::rngs::SysRng;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::name::SecretName;
use seed_provider::{Backoff, Error, ErrorKind, Identity, Operation, Policy, Requests, Result};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::call::Call;
use crate::clients::Clients;
use crate::config::{Config, ConfigError};
use crate::error::Purpose;
use crate::place::Place;
use crate::remains::{self, Remains};
use crate::write::again;

/// AWS Secrets Manager in one region of one account.
pub struct AwsSm {
    pub(crate) clients: Clients,
    pub(crate) requests: Requests,
    /// For what is only to be told, and not worth waiting for.
    hasty: Requests,
    pub(crate) remains: Remains,
    pub(crate) kms_key: Option<String>,
    place: Place,
    identity: OnceCell<Identity>,
    notes: Mutex<BTreeSet<String>>,
    run: u64,
    step: AtomicU64,
}

/// What Secrets Manager can promise.
///
/// Its quota of 50 writes a second is for a whole account and region; 49 of them, evenly spread, leave the service no
/// second with more than 50, and cost 2 % more time than the quota itself. Reads have quotas that a run does not reach.
pub const CAPABILITIES: Capabilities = Capabilities {
    create: Guarantee::Atomic,
    add_fields: Guarantee::Atomic,
    concurrency: CONCURRENCY,
    pace: Pace {
        reads: None,
        writes: Some(WRITES),
    },
};

/// The service counts seconds, so nothing is sent in advance.
pub const BURST: u32 = 1;

const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
const WRITES: NonZeroU32 = NonZeroU32::MIN.saturating_add(49 * 60 - 1);

/// What makes one write known again: the id of its version, and a label of its own.
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) stage: String,
}

impl AwsSm {
    /// Prepares an adapter. Reads the files of AWS profiles, and calls nobody.
    pub fn new(config: Config, policy: Policy) -> Result<Self, ConfigError> {
        let place = Place::of(&config)?;
        let clients = Clients::new(&config, &place)?;
        let run = SysRng.try_next_u64().map_err(|_| {
            ConfigError::new(
                "the system gives no random numbers",
                "run the command again",
            )
        })?;
        let notes = place.is_in_the_clear().then(|| CLEAR.to_owned());
        let once = Policy {
            backoff: Backoff {
                attempts: NonZeroU32::MIN,
                ..policy.backoff
            },
            patience: Duration::ZERO,
            ..policy.clone()
        };
        Ok(Self {
            clients,
            requests: Requests::new(policy),
            hasty: Requests::new(once),
            remains: Remains::of(run),
            kms_key: config.kms_key.filter(|key| !key.is_empty()),
            place,
            identity: OnceCell::new(),
            notes: Mutex::new(notes.into_iter().collect()),
            run,
            step: AtomicU64::new(0),
        })
    }

    pub(crate) fn description(&self) -> Description {
        Description {
            kind: Kind::AwsSm,
            place: self.place.words(),
            identity: None,
            // No key is ever sent, only signatures for that very host; so looking needs no confirmation.
            confirm: if self.place.confirm {
                Confirm::BeforeWrites
            } else {
                Confirm::Never
            },
            capabilities: CAPABILITIES,
        }
    }

    /// Makes sure whose account it is, once a run, before any call to the store.
    pub(crate) async fn proven(&self) -> Result<&Identity> {
        self.identity.get_or_try_init(|| self.prove()).await
    }

    async fn prove(&self) -> Result<Identity> {
        let purpose = Purpose {
            operation: Operation::Identify,
            name: None,
            call: Call::GetCallerIdentity,
        };
        let requests = match self.place.account {
            Some(_) => &self.requests,
            None => &self.hasty,
        };
        let asked = requests.read(purpose.operation, None, || async {
            let sent = self.clients.sts.get_caller_identity().send();
            Box::pin(sent).await.map_err(|err| {
                let failed = purpose.failed(&err);
                if self.place.sts_at_endpoint && is_no_sts(&err) {
                    let message = format!("{}; {NO_STS}", failed.message());
                    return again(&failed, failed.kind(), message);
                }
                failed
            })
        });
        let caller = match (asked.await, &self.place.account) {
            (Ok(caller), _) => caller,
            (Err(err), Some(_)) => return Err(err),
            (Err(err), None) => return self.unknown(err),
        };
        let Some(found) = caller.account else {
            let message = "the answer to GetCallerIdentity names no account";
            return Err(purpose.error(ErrorKind::Unexpected, message));
        };
        if let Some(named) = &self.place.account
            && found != *named
        {
            return Err(purpose.error(
                ErrorKind::Misplaced,
                format!(
                    "the contract names account {named}, and the credentials belong to account {found}; \
                     choose other credentials with AWS_PROFILE, or correct `account`"
                ),
            ));
        }
        Ok(Identity { who: caller.arn })
    }

    /// Goes on without knowing whose account it is, where nothing depends on that.
    fn unknown(&self, err: Error) -> Result<Identity> {
        match err.kind() {
            ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected => {
                self.note(format!(
                    "whose account it is could not be learnt: {}",
                    err.message()
                ));
                Ok(Identity::default())
            }
            ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Indeterminate
            | ErrorKind::Misplaced
            | ErrorKind::NotFound
            | ErrorKind::Unauthenticated
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => Err(err),
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

    pub(crate) fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(note);
    }

    pub(crate) fn noted(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().cloned().chain(self.remains.note()).collect()
    }

    /// A token that no other write of any run has. The value has no part in it.
    pub(crate) fn token(&self) -> Token {
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        Token {
            id: Uuid::from_u64_pair(self.run, step).to_string(),
            stage: format!("{}{step}", remains::prefix(self.run)),
        }
    }
}

impl fmt::Debug for AwsSm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSm")
            .field("place", &self.place.words())
            .finish_non_exhaustive()
    }
}

/// Whether what answered is perhaps not STS at all.
fn is_no_sts<E: ProvideErrorMetadata>(err: &SdkError<E, HttpResponse>) -> bool {
    let SdkError::ServiceError(answer) = err else {
        return false;
    };
    matches!(
        answer.err().code(),
        None | Some(
            "InvalidAction"
                | "InvalidSignatureException"
                | "SignatureDoesNotMatch"
                | "UnknownOperationException"
        )
    )
}

const CLEAR: &str = "an endpoint begins with `http://`: anybody on the way can read the values";
const NO_STS: &str = "STS is asked at the contract's `endpoint`; if that is Secrets Manager alone, as a VPC endpoint is, name STS's own in AWS_ENDPOINT_URL_STS";

pub(crate) fn purpose(operation: Operation, name: &SecretName, call: Call) -> Purpose<'_> {
    Purpose {
        operation,
        name: Some(name),
        call,
    }
}
