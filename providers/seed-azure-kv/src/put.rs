//! Sending a version with a claim, and finding out what became of it when its answer is lost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use azure_core::http::RequestContent;
use azure_security_keyvault_secrets::models::SetSecretParameters;
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result, Turns};
use tokio::time::Instant;

use crate::adapter::{AzureKv, Look, Moment};
use crate::claim::{Claim, Purpose as ClaimPurpose, TAG};
use crate::decide::{FRESH, Seen};
use crate::error::{Call, Purpose, is_busy, is_returning};
use crate::transport::until;
use crate::write::{Kept, Stored, taken};

/// A version to be.
pub(crate) struct Draft<'a> {
    pub(crate) value: &'a SecretValue,
    pub(crate) kept: Kept,
    pub(crate) claim: Claim,
}

/// What became of a write.
pub(crate) enum Sent {
    /// Nothing was stored: by now the look before it is too long ago. Says why the service did not take it before, if it
    /// was asked.
    Late(Option<Error>),
    /// Nothing was stored: something of that name is just being recovered.
    Returning(Error),
    Stored(Version),
}

/// How a write was answered.
enum Answer {
    Busy(Error),
    Returning(Error),
    Stored(Stored),
}

impl AzureKv {
    /// Sends a version, unless the look that began at `moment` is too long ago.
    pub(crate) async fn put(
        &self,
        turn: &Turns,
        operation: Operation,
        name: &SecretName,
        draft: Draft<'_>,
        moment: Moment,
    ) -> Result<Sent> {
        let purpose = Purpose::of(operation, name, Call::SetSecret);
        let Draft { value, kept, claim } = draft;
        let mut tags = kept.tags;
        tags.insert(TAG.to_owned(), claim.to_string());
        if tags.len() > TAGS {
            let message = format!(
                "it would have {} tags, with those of `seed`; Key Vault takes {TAGS}",
                tags.len()
            );
            return Err(purpose.error(ErrorKind::Invalid, message));
        }
        let (tags, kind, attributes) = (&tags, &kept.content_type, &kept.attributes);
        let throttled = Mutex::new(None);
        let sent = self
            .requests
            .write_in_turn(turn, operation, Some(name), || async {
                let parameters = SetSecretParameters {
                    value: value.expose_text().map(str::to_owned),
                    tags: Some(tags.clone().into_iter().collect()),
                    content_type: kind.clone(),
                    secret_attributes: attributes.clone(),
                };
                let answer = self.send(purpose, parameters, moment).await;
                if let Err(err) = &answer
                    && matches!(err.kind(), ErrorKind::RateLimited { .. })
                {
                    *throttled.lock().unwrap_or_else(PoisonError::into_inner) = Some(err.clone());
                }
                answer
            });
        let err = match sent.await {
            Ok(Answer::Busy(err)) => return Ok(Sent::Late(Some(err))),
            Ok(Answer::Returning(err)) => return Ok(Sent::Returning(err)),
            Ok(Answer::Stored(stored)) if stored.look.claim == Some(claim.to_string()) => {
                self.remember(name, stored.known());
                return Ok(Sent::Stored(Version::new(stored.version)));
            }
            Ok(Answer::Stored(_)) => purpose.not_understood(),
            Err(err) if err.is_unsent() => {
                let throttled = throttled.into_inner();
                return Ok(Sent::Late(
                    throttled.unwrap_or_else(PoisonError::into_inner),
                ));
            }
            Err(err) => err,
        };
        if err.kind() != ErrorKind::Indeterminate {
            return Err(err);
        }
        self.look_for(operation, name, &claim, err).await
    }

    async fn send(
        &self,
        purpose: Purpose<'_>,
        parameters: SetSecretParameters,
        moment: Moment,
    ) -> Result<Answer> {
        let body: RequestContent<SetSecretParameters> = parameters
            .try_into()
            .map_err(|_| purpose.not_understood())?;
        let name = purpose.name.map(SecretName::as_str).unwrap_or_default();
        let sent = self.client.set_secret(name, body, None);
        let answer = match until(moment.at + FRESH, sent).await {
            Err(err) if is_busy(&err) => return Ok(Answer::Busy(purpose.failed(&err))),
            Err(err) if is_returning(&err) => return Ok(Answer::Returning(purpose.failed(&err))),
            sent => sent.map_err(|err| purpose.failed(&err))?,
        };
        let secret = answer.into_model().map_err(|_| purpose.not_understood())?;
        taken(purpose, secret).map(Answer::Stored)
    }

    /// The claim tells whether a write was done whose answer was `lost`. That it is not there does not tell that it never
    /// will be, so it is looked for until the pause is over.
    async fn look_for(
        &self,
        operation: Operation,
        name: &SecretName,
        claim: &Claim,
        lost: Error,
    ) -> Result<Sent> {
        let begin = Instant::now();
        let versions = loop {
            let versions = self.versions_of(operation, name).await;
            let ours = |seen: &&Seen| seen.claim.as_ref() == Some(claim);
            let found = versions.as_ref().map(|versions| versions.iter().find(ours));
            if let Ok(Some(seen)) = found {
                return Ok(Sent::Stored(Version::new(seen.id.clone())));
            }
            if begin.elapsed() >= self.pause {
                break versions;
            }
            tokio::time::sleep(BETWEEN.min(self.pause)).await;
        };
        let others = versions.is_ok_and(|versions| match &claim.purpose {
            ClaimPurpose::After(base) => {
                let base = versions.iter().find(|seen| seen.id == *base);
                let later = |seen: &Seen| base.is_none_or(|base| seen.created > base.created);
                versions.iter().any(later)
            }
            ClaimPurpose::First => !versions.is_empty(),
            // Whoever puts a value back looks again anyway.
            ClaimPurpose::Copy(_) => false,
        });
        if !others {
            return Err(lost);
        }
        // It would come on top of theirs, and nobody would look any more.
        let message = format!(
            "{}; somebody else's value is there now, and ours may still come and take its place: look at its versions in a minute",
            lost.message()
        );
        let told = Error::new(ErrorKind::Indeterminate, operation, message);
        let told = told.about(name).contested();
        Err(match lost.request_id() {
            Some(id) => told.with_request_id(id),
            None => told,
        })
    }

    /// All versions, as a list shows them.
    pub(crate) async fn versions_of(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<Vec<Seen>> {
        let purpose = Purpose::of(operation, name, Call::GetSecretVersions);
        let listed = self.list(purpose).await?;
        let versions = listed.into_iter().map(|listed| {
            let Look {
                created,
                updated,
                claim,
            } = listed.look;
            Some(Seen {
                id: listed.version?,
                created,
                untouched: listed.enabled && created == updated,
                claim: claim.and_then(|text| text.parse().ok()),
            })
        });
        let versions: Option<Vec<Seen>> = versions.collect();
        versions.ok_or_else(|| purpose.not_understood())
    }
}

const BETWEEN: Duration = Duration::from_millis(500);
const TAGS: usize = 15;
