//! The adapter, and how it asks.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustify::endpoint::Endpoint;
use seed_core::backend::{Capabilities, Guarantee, Pace};
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Operation, Policy, Requests, Result};
use tokio::sync::{Mutex, OnceCell};

use crate::answer::Answer;
use crate::config::{Config, ConfigError};
use crate::fault::Ask;
use crate::login::Login;
use crate::notes::Notes;
use crate::place::Place;
use crate::session::Session;
use crate::tls::Tls;
use crate::transport::{Head, Transport};

/// What Vault promises: `cas` is checked by the server itself.
pub const CAPABILITIES: Capabilities = Capabilities {
    create: Guarantee::Atomic,
    add_fields: Guarantee::Atomic,
    concurrency: NonZeroUsize::MIN.saturating_add(31),
    // Vault has no quota unless its operators set one, and then it says so with 429.
    pace: Pace {
        reads: None,
        writes: None,
    },
};

/// One mount of KV version 2.
pub struct Vault {
    pub(crate) place: Place,
    pub(crate) login: Login,
    pub(crate) requests: Requests,
    pub(crate) notes: Notes,
    /// The server has no `subkeys`.
    pub(crate) without_subkeys: AtomicBool,
    /// The server has no merge patch.
    pub(crate) without_patch: AtomicBool,
    /// Logged in and proved once, or failed once and for all.
    session: OnceCell<Result<Session>>,
    /// The last failure to begin a session that may pass, and when it was.
    failed: Mutex<Option<(Instant, Error)>>,
    /// When the token was last looked at after something was denied, and whether it was over.
    looked_at: Mutex<Option<(Instant, bool)>>,
    transport: Transport,
}

impl Vault {
    /// Opens a mount. Makes no call.
    pub fn new(mut config: Config, policy: Policy) -> Result<Self, ConfigError> {
        let place = Place::of(&config)?;
        let login = config.login()?;
        let tls = Tls::new(&place, &config.variables, policy.deadline)?;
        let notes = Notes::default();
        if !tls.verifies {
            notes.tell("certificates are not verified, because `VAULT_SKIP_VERIFY` says so: anybody on the way can read and change what is sent");
        }
        if place.is_in_the_clear() {
            notes.tell("the address begins with `http://`: anybody on the way can read the token and the values");
        }
        Ok(Self {
            transport: Transport::new(&place, tls),
            place,
            login,
            requests: Requests::new(policy),
            notes,
            without_subkeys: AtomicBool::new(false),
            without_patch: AtomicBool::new(false),
            session: OnceCell::new(),
            failed: Mutex::default(),
            looked_at: Mutex::default(),
        })
    }

    /// Sends one request, again while it had no effect and may help. What is neither is an answer, whatever its status.
    pub(crate) async fn ask<E: Endpoint>(
        &self,
        ask: Ask<'_>,
        head: &Head<'_>,
        endpoint: impl Fn() -> E + Send + Sync,
    ) -> Result<Answer> {
        let Ask {
            operation, name, ..
        } = ask;
        let attempt = || async {
            let answer = self.transport.send_once(endpoint(), head).await;
            let answer = answer.map_err(|lost| ask.lost(&lost))?;
            if answer.is_success() {
                return Ok(answer);
            }
            let refused = ask.refused(&answer);
            if refused.is_retryable() {
                Err(refused)
            } else {
                Ok(answer)
            }
        };
        if ask.writes {
            self.requests.write(operation, name, attempt).await
        } else {
            self.requests.read(operation, name, attempt).await
        }
    }

    /// Sends one request of the session, about one entry or a folder.
    pub(crate) async fn ask_as<E: Endpoint>(
        &self,
        ask: Ask<'_>,
        endpoint: impl Fn() -> E + Send + Sync,
    ) -> Result<Answer> {
        let session = self.session(ask.operation).await?;
        let head = self.head(Some(session));
        let answer = self.ask(ask, &head, endpoint).await?;
        if answer.status == 403
            && ask.refused(&answer).kind() == ErrorKind::Denied
            && self.is_over(session, ask.operation).await
        {
            return Err(ask.of(&answer, ErrorKind::Unauthenticated, OVER));
        }
        Ok(answer)
    }

    /// Whether a denial means that the token has come to its end. Not asked for each of many names.
    async fn is_over(&self, session: &Session, operation: Operation) -> bool {
        let mut looked_at = self.looked_at.lock().await;
        match *looked_at {
            Some((_, true)) => return true,
            Some((when, false)) if when.elapsed() < LATELY => return false,
            Some((_, false)) | None => {}
        }
        let over = session.is_over(self, operation).await;
        *looked_at = Some((Instant::now(), over));
        over
    }

    /// What was proved and learnt, which is done once. What may pass is tried again, but not by all who wait for it.
    pub(crate) async fn session(&self, operation: Operation) -> Result<&Session> {
        let begin = || async {
            let mut failed = self.failed.lock().await;
            if let Some((when, err)) = failed.as_ref()
                && when.elapsed() < PAUSE
            {
                return Err(err.clone());
            }
            match Session::begin(self, operation).await {
                Err(err) if err.is_retryable() && !self.login.is_for_once() => {
                    *failed = Some((Instant::now(), err.clone()));
                    Err(err)
                }
                begun => Ok(begun),
            }
        };
        let begun = self.session.get_or_try_init(begin).await;
        let begun = begun.and_then(|begun| begun.as_ref().map_err(Error::clone));
        begun.map_err(|err| renamed(&err, operation))
    }

    pub(crate) fn head<'a>(&'a self, session: Option<&'a Session>) -> Head<'a> {
        Head {
            token: session.map(|session| &session.token),
            namespace: self.place.namespace.as_deref(),
        }
    }

    /// The path of an entry, below `data`, `subkeys` or `undelete`.
    pub(crate) fn path(&self, kind: &str, name: &SecretName) -> String {
        format!("{}/{kind}/{name}", self.place.mount)
    }
}

/// An allow-list: there are credentials inside.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("place", &self.place.words())
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

const OVER: &str = "the token is unknown, expired or revoked: it may not even look at itself any more; log in again with `vault login`, or set `VAULT_TOKEN`";

/// For how long a token that was good counts as good.
const LATELY: Duration = Duration::from_secs(30);

/// For how long a server that could not be reached is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The same failure, of the verb that meets it now.
fn renamed(err: &Error, operation: Operation) -> Error {
    let renamed = Error::new(err.kind(), operation, err.message().to_owned());
    match err.request_id() {
        Some(id) => renamed.with_request_id(id),
        None => renamed,
    }
}
