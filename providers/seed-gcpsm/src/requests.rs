//! The calls, one by one: what is sent, and what is taken from the answer.

use std::collections::HashMap;

use google_cloud_secretmanager_v1::model::{
    AccessSecretVersionResponse, AddSecretVersionRequest, ListSecretVersionsResponse,
    ListSecretsResponse, Secret, SecretPayload, SecretVersion, secret_version,
};
use reqwest::Method;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{ErrorKind, Operation, Result, Turns};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::adapter::GcpSm;
use crate::call::{Call, Purpose};
use crate::claim::{LIFE, YOUNG};
use crate::clock::Moment;
use crate::fault::is_its_own;
use crate::transport::{Answer, Ask, Lost};

/// What is known of a secret without its versions.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) etag: String,
    pub(crate) annotations: HashMap<String, String>,
}

/// The newest version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Newest {
    pub(crate) number: u64,
    pub(crate) state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Enabled,
    Disabled,
    Destroyed,
    Unknown,
}

/// A page of a list of secrets.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) ids: Vec<String>,
    pub(crate) next: String,
    pub(crate) total: usize,
}

impl GcpSm {
    pub(crate) async fn list_page(
        &self,
        operation: Operation,
        size: u32,
        token: &str,
    ) -> Result<Page> {
        let purpose = Purpose {
            operation,
            name: None,
            call: Call::ListSecrets,
        };
        let mut query = vec![("pageSize", size.to_string())];
        if !token.is_empty() {
            query.push(("pageToken", token.to_owned()));
        }
        let ask = Ask {
            method: Method::GET,
            path: format!("{}/secrets", self.place.parent),
            query,
            body: None,
            claimed: None,
        };
        let answer = self.ask(purpose, None, &ask).await?;
        let page: ListSecretsResponse = listed(purpose, &answer, "secrets")?;
        let total = usize::try_from(page.total_size).unwrap_or_default();
        let mut ids = Vec::with_capacity(page.secrets.len());
        for secret in page.secrets {
            match secret.name.rsplit_once("/secrets/") {
                Some((_, id)) if !id.is_empty() => ids.push(id.to_owned()),
                Some(_) | None => return Err(purpose.garbled(&answer)),
            }
        }
        Ok(Page {
            ids,
            next: page.next_page_token,
            total,
        })
    }

    pub(crate) async fn secret(&self, operation: Operation, name: &SecretName) -> Result<Known> {
        let purpose = Purpose::of(operation, name, Call::GetSecret);
        let ask = self.about(name, "", Method::GET);
        let answer = self.ask(purpose, None, &ask).await?;
        let secret: Secret = parsed(purpose, &answer)?;
        if !secret.name.ends_with(&format!("/secrets/{name}")) || secret.etag.is_empty() {
            return Err(purpose.garbled(&answer));
        }
        Ok(Known {
            etag: secret.etag,
            annotations: secret.annotations,
        })
    }

    /// The newest version, whatever its state. `None` where there is none yet.
    pub(crate) async fn newest(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<Option<Newest>> {
        let purpose = Purpose::of(operation, name, Call::ListSecretVersions);
        let mut ask = self.about(name, "/versions", Method::GET);
        ask.query = vec![("pageSize", "1".to_owned())];
        let answer = self.ask(purpose, None, &ask).await?;
        let page: ListSecretVersionsResponse = listed(purpose, &answer, "versions")?;
        let Some(version) = page.versions.first() else {
            // An empty page is not yet the end of a list.
            let ends = page.next_page_token.is_empty() && page.total_size == 0;
            return if ends {
                Ok(None)
            } else {
                Err(purpose.garbled(&answer))
            };
        };
        let Some(number) = number(&version.name, name) else {
            return Err(purpose.garbled(&answer));
        };
        // Numbers never come again, so the newest is as high as there are versions.
        if u64::try_from(page.total_size).is_ok_and(|total| total > number) {
            let message = "ListSecretVersions does not begin with the newest version";
            return Err(purpose.error(ErrorKind::Unexpected, message));
        }
        let state = match version.state {
            secret_version::State::Enabled => State::Enabled,
            secret_version::State::Disabled => State::Disabled,
            secret_version::State::Destroyed => State::Destroyed,
            secret_version::State::Unspecified | secret_version::State::UnknownValue(_) | _ => {
                State::Unknown
            }
        };
        Ok(Some(Newest { number, state }))
    }

    /// A version's value and number; the newest, unless one is named.
    pub(crate) async fn access(
        &self,
        operation: Operation,
        name: &SecretName,
        version: Option<u64>,
    ) -> Result<(SecretValue, u64)> {
        let purpose = Purpose::of(operation, name, Call::AccessSecretVersion);
        let which = version.map_or_else(|| "latest".to_owned(), |version| version.to_string());
        let ask = self.about(name, &format!("/versions/{which}:access"), Method::GET);
        let sent = self.requests.read(operation, Some(name), || async {
            let answer = self.once(purpose, &ask).await?;
            let got: AccessSecretVersionResponse = parsed(purpose, &answer)?;
            let Some(payload) = got.payload.filter(|payload| !payload.data.is_empty()) else {
                return Err(purpose.garbled(&answer));
            };
            let sum = i64::from(crc32c::crc32c(&payload.data));
            if payload.data_crc32c.is_some_and(|told| told != sum) {
                // It was damaged on the way, or there; the first may pass.
                let message =
                    "the value that was read does not have the checksum that came with it";
                return Err(purpose.error(ErrorKind::Unavailable, message));
            }
            match number(&got.name, name) {
                Some(number) if version.is_none_or(|asked| asked == number) => {
                    Ok((SecretValue::new(payload.data.to_vec()), number))
                }
                Some(_) | None => Err(purpose.garbled(&answer)),
            }
        });
        sent.await
    }

    pub(crate) async fn send_create(
        &self,
        turns: &Turns,
        name: &SecretName,
        secret: &Secret,
    ) -> Result<()> {
        let purpose = Purpose::of(Operation::Create, name, Call::CreateSecret);
        let ask = Ask {
            method: Method::POST,
            path: format!("{}/secrets", self.place.parent),
            query: vec![("secretId", name.to_string())],
            body: Some(written(purpose, secret)?),
            claimed: None,
        };
        let answer = self.ask(purpose, Some(turns), &ask).await?;
        let made: Secret = parsed(purpose, &answer)?;
        if made.name.ends_with(&format!("/secrets/{name}")) {
            Ok(())
        } else {
            Err(purpose.garbled(&answer))
        }
    }

    /// Sets the annotations, if the secret is still the one that was met.
    pub(crate) async fn send_annotations(
        &self,
        turns: Option<&Turns>,
        operation: Operation,
        name: &SecretName,
        known: &Known,
    ) -> Result<Known> {
        let purpose = Purpose::of(operation, name, Call::UpdateSecret);
        let mut ask = self.about(name, "", Method::PATCH);
        ask.query = vec![("updateMask", "annotations".to_owned())];
        let secret = Secret::new()
            .set_etag(&known.etag)
            .set_annotations(known.annotations.clone());
        ask.body = Some(written(purpose, &secret)?);
        let answer = self.ask(purpose, turns, &ask).await?;
        let made: Secret = parsed(purpose, &answer)?;
        let same = made.annotations == known.annotations && !made.etag.is_empty();
        if made.name.ends_with(&format!("/secrets/{name}")) && same {
            Ok(Known {
                etag: made.etag,
                annotations: made.annotations,
            })
        } else {
            Err(purpose.garbled(&answer))
        }
    }

    /// Adds a version under a claim that was sent at that moment, and tells its number. Fails with `Conflict`, and has sent
    /// nothing, when the claim is no longer young.
    pub(crate) async fn send_version(
        &self,
        turns: Option<&Turns>,
        operation: Operation,
        name: &SecretName,
        value: &SecretValue,
        claimed: Moment,
    ) -> Result<u64> {
        let purpose = Purpose::of(operation, name, Call::AddSecretVersion);
        let mut ask = self.about(name, ":addVersion", Method::POST);
        let payload = SecretPayload::new()
            .set_data(bytes::Bytes::copy_from_slice(value.expose()))
            .set_data_crc32c(i64::from(crc32c::crc32c(value.expose())));
        let request = AddSecretVersionRequest::new().set_payload(payload);
        ask.body = Some(written(purpose, &request)?);
        ask.claimed = Some(claimed);
        let answer = self.ask(purpose, turns, &ask).await?;
        let made: SecretVersion = parsed(purpose, &answer)?;
        number(&made.name, name).ok_or_else(|| purpose.garbled(&answer))
    }

    fn about(&self, name: &SecretName, what: &str, method: Method) -> Ask {
        Ask {
            method,
            path: format!("{}/secrets/{name}{what}", self.place.parent),
            query: Vec::new(),
            body: None,
            claimed: None,
        }
    }

    async fn ask(&self, purpose: Purpose<'_>, turns: Option<&Turns>, ask: &Ask) -> Result<Answer> {
        let Purpose {
            operation,
            name,
            call,
        } = purpose;
        let attempt = || self.once(purpose, ask);
        match (call.writes(), turns) {
            (false, _) => self.requests.read(operation, name, attempt).await,
            (true, None) => self.requests.write(operation, name, attempt).await,
            (true, Some(turns)) => {
                let sent = self.requests.write_in_turn(turns, operation, name, attempt);
                sent.await
            }
        }
    }

    async fn once(&self, purpose: Purpose<'_>, ask: &Ask) -> Result<Answer> {
        let headers = self.headers(purpose).await?;
        let sent = self.transport.send(ask, headers);
        let answer = match ask.claimed {
            None => sent.await,
            Some(claimed) if claimed.age() >= YOUNG => {
                let message = "our claim on the secret was no longer young";
                return Err(purpose.error(ErrorKind::Conflict, message));
            }
            // Whoever takes over must not be overtaken.
            Some(claimed) => tokio::time::timeout(LIFE.saturating_sub(claimed.age()) / 2, sent)
                .await
                .unwrap_or(Err(Lost::Cut)),
        };
        let answer = answer.map_err(|lost| purpose.unanswered(&lost))?;
        if let Some(date) = answer.date.as_deref().filter(|_| is_its_own(&answer)) {
            self.transport.clock.set(date);
        }
        if (200..300).contains(&answer.status) {
            Ok(answer)
        } else {
            Err(purpose.refused(&answer))
        }
    }
}

/// The number in the name of a version of that secret.
fn number(of_version: &str, name: &SecretName) -> Option<u64> {
    let (secret, number) = of_version.rsplit_once("/versions/")?;
    if !secret.ends_with(&format!("/secrets/{name}")) {
        return None;
    }
    number.parse().ok().filter(|number| *number > 0)
}

fn written<T: serde::Serialize>(purpose: Purpose<'_>, message: &T) -> Result<Zeroizing<Vec<u8>>> {
    // Room for the largest value as base64: a buffer that grows leaves copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(ROOM));
    if serde_json::to_writer(&mut *body, message).is_ok() {
        return Ok(body);
    }
    let message = format!("the request for {} cannot be made", purpose.call.as_str());
    Err(purpose.error(ErrorKind::Unexpected, message))
}

fn parsed<T: serde::de::DeserializeOwned>(purpose: Purpose<'_>, answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).map_err(|_| purpose.garbled(answer))
}

/// A list. What has no list must be empty: anything else is some other message.
fn listed<T: serde::de::DeserializeOwned>(
    purpose: Purpose<'_>,
    answer: &Answer,
    what: &str,
) -> Result<T> {
    let value: Value = parsed(purpose, answer)?;
    let known = |member: &String| [what, "nextPageToken", "totalSize"].contains(&member.as_str());
    match value.as_object() {
        Some(members) if members.contains_key(what) || members.keys().all(known) => {}
        Some(_) | None => return Err(purpose.garbled(answer)),
    }
    serde_json::from_value(value).map_err(|_| purpose.garbled(answer))
}

const ROOM: usize = 96 * 1024;
