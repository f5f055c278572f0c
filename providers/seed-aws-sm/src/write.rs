//! Requests that store something, and what settles them when their answer is lost.

use std::time::Duration;

use aws_sdk_secretsmanager::types::Tag;
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result};

use crate::adapter::{AwsSm, Token, purpose};
use crate::call::Call;
use crate::content::Content;
use crate::inventory::{CURRENT, Facts};

/// How often a write is sent whose answers are lost. Its token makes the service do it once.
const SENDS: usize = 3;

/// How often the service is looked at that may not show yet what it has done, and the pauses in between.
const LOOKS: usize = 3;
const BETWEEN: Duration = Duration::from_millis(250);

const LOOKS_AT_TAKEN: usize = 8;

const GONE: &str = ", and nothing is shown of it: it was deleted meanwhile, or is not shown yet; run the command again";

/// What became of a write that may be sent several times.
pub(crate) struct Settled<T> {
    pub(crate) last: Result<T>,
    /// The first answer that was lost. What came after it may be about our own doing.
    pub(crate) lost: Option<Error>,
}

impl AwsSm {
    /// Creates the secret, or fills it if it has no version yet.
    pub(crate) async fn make(
        &self,
        name: &SecretName,
        content: &Content,
        marks: &Marks,
    ) -> Result<Version> {
        let token = self.token();
        let Settled { last, lost } = self.send_create(name, content, marks, &token).await;
        let err = match last {
            Ok(version) => return Ok(version),
            Err(err) => err,
        };
        match err.kind() {
            ErrorKind::AlreadyExists | ErrorKind::Conflict => {}
            ErrorKind::Denied
            | ErrorKind::Indeterminate
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::NotFound
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Unauthenticated
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => return Err(err),
        }
        // The name is taken: by a live secret, an empty one, one that is being deleted, or by ourselves.
        let facts = match self.facts_of_taken(name).await {
            Ok(facts) => facts,
            Err(unseen) => return Err(self.taken_unseen(name, lost, err, unseen)),
        };
        let refused = |kind, message: &'static str| {
            Err(purpose(Operation::Create, name, Call::CreateSecret).error(kind, message))
        };
        if facts.deleted.is_some() {
            return refused(
                ErrorKind::Conflict,
                "the name is held by a secret that is scheduled for deletion",
            );
        }
        match facts.current() {
            Some(version) if version.as_str() == token.id => Ok(version),
            Some(_) => refused(ErrorKind::AlreadyExists, "a secret of that name exists"),
            None if facts.stages.is_empty() && err.kind() == ErrorKind::AlreadyExists => {
                self.fill(name, content, &token).await
            }
            None if facts.stages.is_empty() => Err(err),
            None => refused(
                ErrorKind::Conflict,
                "none of its versions has the label `AWSCURRENT`",
            ),
        }
    }

    /// What is told of a taken name when it cannot be seen by what.
    fn taken_unseen(
        &self,
        name: &SecretName,
        lost: Option<Error>,
        err: Error,
        unseen: Error,
    ) -> Error {
        if let Some(lost) = lost {
            return in_doubt(&lost, &unseen);
        }
        match (err.kind(), unseen.kind()) {
            (ErrorKind::AlreadyExists, ErrorKind::Denied) => {
                self.note(format!(
                    "`{name}` exists; whether it has a value could not be seen: {}",
                    unseen.message()
                ));
                err
            }
            (ErrorKind::AlreadyExists, ErrorKind::NotFound) => {
                let gone = purpose(Operation::Create, name, Call::CreateSecret);
                let gone = gone.error(ErrorKind::Conflict, format!("{}{GONE}", err.message()));
                match err.request_id() {
                    Some(id) => gone.with_request_id(id.to_owned()),
                    None => gone,
                }
            }
            (ErrorKind::Conflict, _) => err,
            (_, _) => unseen,
        }
    }

    /// What holds a name that could not be created. The service may take a moment to show it.
    async fn facts_of_taken(&self, name: &SecretName) -> Result<Facts> {
        let mut facts = self.facts(Operation::Create, name).await;
        for _ in 1..LOOKS_AT_TAKEN {
            match &facts {
                Err(err) if err.kind() == ErrorKind::NotFound => {}
                Err(_) | Ok(_) => break,
            }
            tokio::time::sleep(BETWEEN).await;
            facts = self.facts(Operation::Create, name).await;
        }
        facts
    }

    async fn send_create(
        &self,
        name: &SecretName,
        content: &Content,
        marks: &Marks,
        token: &Token,
    ) -> Settled<Version> {
        let tags: Vec<Tag> = marks
            .to_labels()
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let purpose = purpose(Operation::Create, name, Call::CreateSecret);
        let sent = self.settled(|| {
            self.requests.write(purpose.operation, purpose.name, || {
                let request = self.clients.secrets.create_secret();
                let request = request
                    .name(name.as_str())
                    .client_request_token(&token.id)
                    .set_kms_key_id(self.kms_key.clone())
                    .set_tags(Some(tags.clone()))
                    .set_secret_string(content.text())
                    .set_secret_binary(content.bytes());
                async move {
                    let sent = Box::pin(request.send()).await;
                    sent.map_err(|err| purpose.failed(&err))
                }
            })
        });
        let Settled { last, lost } = sent.await;
        let last = last.and_then(|created| match created.version_id {
            Some(id) => Ok(Version::new(id)),
            None => Err(purpose.error(
                ErrorKind::Indeterminate,
                "the answer to CreateSecret names no version",
            )),
        });
        Settled { last, lost }
    }

    /// Gives a secret its first version. The service makes that the current one; a second stays behind.
    ///
    /// The token is that of the create before: should that have been done after all, this is a repetition of it.
    async fn fill(&self, name: &SecretName, content: &Content, token: &Token) -> Result<Version> {
        let operation = Operation::Create;
        let stages = self.put(operation, name, content, token).await?;
        self.tidy(operation, name, token).await;
        if stages.iter().any(|stage| stage == CURRENT) {
            return Ok(Version::new(&token.id));
        }
        // An answer may be short of labels, and a look may lag behind.
        let purpose = purpose(operation, name, Call::PutSecretValue);
        for _ in 0..LOOKS {
            match self
                .facts(operation, name)
                .await
                .map(|facts| facts.current())
            {
                Ok(Some(version)) if version.as_str() == token.id => return Ok(version),
                Ok(Some(_)) => {
                    let message = "somebody else filled the secret first";
                    return Err(purpose.error(ErrorKind::AlreadyExists, message));
                }
                Ok(None) => tokio::time::sleep(BETWEEN).await,
                Err(unseen) => {
                    let message = format!(
                        "a version was stored, and whether it is the current one cannot be seen: {}",
                        unseen.message()
                    );
                    return Err(purpose.error(ErrorKind::Indeterminate, message));
                }
            }
        }
        let message =
            "a version was stored, and none is shown as the current one yet; run the command again";
        Err(purpose.error(ErrorKind::Indeterminate, message))
    }

    /// Stores a version, and makes it the current one in place of the expected one.
    pub(crate) async fn supersede(
        &self,
        operation: Operation,
        name: &SecretName,
        content: &Content,
        expected: &Version,
    ) -> Result<Version> {
        let token = self.token();
        self.put(operation, name, content, &token).await?;
        let moved = self.make_current(operation, name, &token, expected).await;
        self.tidy(operation, name, &token).await;
        self.sweep(operation, name).await;
        moved.map(|()| Version::new(token.id))
    }

    /// Stores a version under a label of its own, and tells its labels.
    async fn put(
        &self,
        operation: Operation,
        name: &SecretName,
        content: &Content,
        token: &Token,
    ) -> Result<Vec<String>> {
        let purpose = purpose(operation, name, Call::PutSecretValue);
        let stored = self.settled(|| {
            self.requests.write(purpose.operation, purpose.name, || {
                let request = self.clients.secrets.put_secret_value();
                let request = request
                    .secret_id(name.as_str())
                    .client_request_token(&token.id)
                    .version_stages(&token.stage)
                    .set_secret_string(content.text())
                    .set_secret_binary(content.bytes());
                async move {
                    let sent = Box::pin(request.send()).await;
                    sent.map_err(|err| purpose.failed(&err))
                }
            })
        });
        let Settled { last, lost } = stored.await;
        let err = match last {
            Ok(stored) if stored.version_id.as_ref() == Some(&token.id) => {
                return Ok(stored.version_stages.unwrap_or_default());
            }
            Ok(_) => {
                let message = "the answer to PutSecretValue does not name our version";
                purpose.error(ErrorKind::Indeterminate, message)
            }
            // What was refused may have been stored before, when the answer was lost.
            Err(err) => lost.unwrap_or(err),
        };
        if err.kind() == ErrorKind::Indeterminate {
            self.tidy(operation, name, token).await;
        }
        Err(err)
    }

    async fn make_current(
        &self,
        operation: Operation,
        name: &SecretName,
        token: &Token,
        expected: &Version,
    ) -> Result<()> {
        let moved = self.move_stage(operation, name, CURRENT, expected.as_str(), &token.id);
        let Err(err) = moved.await else {
            return Ok(());
        };
        match err.kind() {
            ErrorKind::Conflict | ErrorKind::Indeterminate | ErrorKind::NotFound => {}
            ErrorKind::AlreadyExists
            | ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Unauthenticated
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => return Err(err),
        }
        // Whether it moved, and to whom, is a matter of looking.
        let conflict = |message: &'static str| {
            Err(Error::new(ErrorKind::Conflict, operation, message).about(name))
        };
        for _ in 0..LOOKS {
            let Ok(facts) = self.facts(operation, name).await else {
                return Err(err);
            };
            if facts.deleted.is_some() {
                return conflict("it was scheduled for deletion meanwhile");
            }
            match facts.current() {
                Some(version) if version.as_str() == token.id => return Ok(()),
                Some(version) if version == *expected => {}
                Some(_) | None => return conflict("it was changed meanwhile"),
            }
            if err.kind() == ErrorKind::Indeterminate {
                return Err(err);
            }
            // A look may lag behind what was refused because of it.
            tokio::time::sleep(BETWEEN).await;
        }
        // Another version would be refused in the same way, and stay behind.
        let message = format!("{}, although nothing has changed", err.message());
        Err(again(&err, ErrorKind::Unexpected, message))
    }

    /// Sends a write again whose answer was lost. Only for one that is done once when it is sent twice.
    ///
    /// A refusal of what was sent again tells nothing about what was sent first, unless it says that something is there.
    pub(crate) async fn settled<T, F: Future<Output = Result<T>>>(
        &self,
        send: impl Fn() -> F,
    ) -> Settled<T> {
        let first = match send().await {
            Err(err) if err.kind() == ErrorKind::Indeterminate => err,
            last => return Settled { last, lost: None },
        };
        for _ in 1..SENDS {
            let last = send().await;
            let tells = match &last {
                Ok(_) => true,
                Err(err) if err.kind() == ErrorKind::Indeterminate => continue,
                Err(err) => matches!(err.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict),
            };
            if tells {
                return Settled {
                    last,
                    lost: Some(first),
                };
            }
            break;
        }
        Settled {
            last: Err(first.clone()),
            lost: Some(first),
        }
    }
}

/// The same failure, of another kind and with other words.
pub(crate) fn again(err: &Error, kind: ErrorKind, message: String) -> Error {
    let same = Error::new(kind, err.operation(), message);
    let same = match err.name() {
        Some(name) => same.about(name),
        None => same,
    };
    match err.request_id() {
        Some(id) => same.with_request_id(id),
        None => same,
    }
}

/// A lost answer of which looking tells nothing either.
pub(crate) fn in_doubt(lost: &Error, unseen: &Error) -> Error {
    let message = format!(
        "{}; it cannot be looked at: {}",
        lost.message(),
        unseen.message()
    );
    again(lost, ErrorKind::Indeterminate, message)
}
