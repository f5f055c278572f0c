//! Requests that store something, and what settles them when their answer is lost.

use aws_sdk_secretsmanager::types::Tag;
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result};

use crate::adapter::{AwsSm, Token, purpose};
use crate::call::Call;
use crate::content::Content;
use crate::inventory::CURRENT;

/// How often a write is sent whose answers are lost. Its token makes the service do it once.
const SENDS: usize = 3;

impl AwsSm {
    /// Creates the secret, or fills it if it has no version yet.
    pub(crate) async fn make(
        &self,
        name: &SecretName,
        content: &Content,
        marks: &Marks,
    ) -> Result<Version> {
        let token = self.token();
        let err = match self.send_create(name, content, marks, &token).await {
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
        let Ok(facts) = self.facts(Operation::Create, name).await else {
            return Err(err);
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
                self.fill(name, content).await
            }
            None if facts.stages.is_empty() => Err(err),
            None => refused(
                ErrorKind::Conflict,
                "none of its versions has the label `AWSCURRENT`",
            ),
        }
    }

    async fn send_create(
        &self,
        name: &SecretName,
        content: &Content,
        marks: &Marks,
        token: &Token,
    ) -> Result<Version> {
        let tags: Vec<Tag> = marks
            .to_labels()
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let purpose = purpose(Operation::Create, name, Call::CreateSecret);
        let version = self.settled(|| {
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
        match version.await?.version_id {
            Some(id) => Ok(Version::new(id)),
            None => Err(purpose.error(
                ErrorKind::Indeterminate,
                "the answer to CreateSecret names no version",
            )),
        }
    }

    /// Gives a secret its first version. The service makes that the current one; a second stays behind.
    async fn fill(&self, name: &SecretName, content: &Content) -> Result<Version> {
        let operation = Operation::Create;
        let token = self.token();
        let stages = self.put(operation, name, content, &token).await?;
        self.tidy(operation, name, &token).await;
        if stages.iter().any(|stage| stage == CURRENT) {
            return Ok(Version::new(token.id));
        }
        let message = "somebody else filled the secret first";
        Err(Error::new(ErrorKind::AlreadyExists, operation, message).about(name))
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
        let stored = stored.await?;
        if stored.version_id.as_ref() != Some(&token.id) {
            let message = "the answer to PutSecretValue does not name our version";
            return Err(purpose.error(ErrorKind::Indeterminate, message));
        }
        Ok(stored.version_stages.unwrap_or_default())
    }

    async fn make_current(
        &self,
        operation: Operation,
        name: &SecretName,
        token: &Token,
        expected: &Version,
    ) -> Result<()> {
        let moved = self.move_stage(operation, name, CURRENT, expected.as_str(), Some(&token.id));
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
        match self.facts(operation, name).await {
            Ok(facts) if facts.deleted.is_some() => {
                conflict("it was scheduled for deletion meanwhile")
            }
            Ok(facts) => match facts.current() {
                Some(version) if version.as_str() == token.id => Ok(()),
                Some(version) if version == *expected => Err(err),
                Some(_) | None => conflict("it was changed meanwhile"),
            },
            Err(_) => Err(err),
        }
    }

    /// Takes the label of our own away again. What it was for has been done or not by then.
    async fn tidy(&self, operation: Operation, name: &SecretName, token: &Token) {
        let moved = self.move_stage(operation, name, &token.stage, &token.id, None);
        if let Err(err) = moved.await {
            let stage = &token.stage;
            self.note(format!(
                "the label `{stage}` was left on a version of `{name}`: {}",
                err.message()
            ));
        }
    }

    async fn move_stage(
        &self,
        operation: Operation,
        name: &SecretName,
        stage: &str,
        from: &str,
        to: Option<&str>,
    ) -> Result<()> {
        let purpose = purpose(operation, name, Call::UpdateSecretVersionStage);
        let moved = self.requests.write(purpose.operation, purpose.name, || {
            let request = self.clients.secrets.update_secret_version_stage();
            let request = request
                .secret_id(name.as_str())
                .version_stage(stage)
                .remove_from_version_id(from)
                .set_move_to_version_id(to.map(str::to_owned));
            async move {
                let sent = Box::pin(request.send()).await;
                sent.map_err(|err| purpose.failed(&err))
            }
        });
        moved.await.map(drop)
    }

    /// Sends a write again whose answer was lost. Only for one that is done once when it is sent twice.
    ///
    /// A refusal of what was sent again tells nothing about what was sent first, unless it says that something is there.
    pub(crate) async fn settled<T, F: Future<Output = Result<T>>>(
        &self,
        send: impl Fn() -> F,
    ) -> Result<T> {
        let lost = match send().await {
            Err(err) if err.kind() == ErrorKind::Indeterminate => err,
            sent => return sent,
        };
        for _ in 1..SENDS {
            match send().await {
                Err(err) if err.kind() == ErrorKind::Indeterminate => {}
                Err(err)
                    if matches!(err.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict) =>
                {
                    return Err(err);
                }
                Err(_) => break,
                sent => return sent,
            }
        }
        Err(lost)
    }
}
