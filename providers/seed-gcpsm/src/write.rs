//! Carrying out the protocol.

use std::time::Duration;

use google_cloud_secretmanager_v1::model::Secret;
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result, Turns};

use crate::adapter::GcpSm;
use crate::claim::{self, Standing, standing};
use crate::protocol::{End, Protocol, Sent, Step};
use crate::requests::Known;
use crate::settle::beside;

/// What one writer carries through the protocol.
pub(crate) struct Writer<'a> {
    pub(crate) adapter: &'a GcpSm,
    pub(crate) operation: Operation,
    pub(crate) name: &'a SecretName,
    turns: Option<Turns>,
    /// The secret as it was last seen, for its etag.
    known: Option<Known>,
    /// The answer to the last write that was lost.
    pub(crate) lost: Option<Error>,
    /// Why the last write was refused.
    pub(crate) refused: Option<Error>,
    /// Whether a claim was sent for a secret that is there.
    pub(crate) has_claimed: bool,
    pause: Duration,
}

impl GcpSm {
    /// Creates the secret with its first version, or fills it if it has none.
    pub(crate) async fn make(
        &self,
        name: &SecretName,
        value: &SecretValue,
        marks: &Marks,
    ) -> Result<Version> {
        let _alone = self.alone(name).await;
        let mut writer = Writer::new(self, Operation::Create, name);
        if let Some(doubt) = self.held(name).doubt
            && !doubt.value.same_as(value)
        {
            return Err(doubt.open(Operation::Create, name));
        }
        match writer.follow(value, marks).await {
            Ok((end, adopted)) => writer.end(end, adopted).await,
            Err(err) => {
                if writer.has_claimed {
                    writer.give_back().await;
                }
                Err(err)
            }
        }
    }
}

impl<'a> Writer<'a> {
    pub(crate) fn new(adapter: &'a GcpSm, operation: Operation, name: &'a SecretName) -> Self {
        Self {
            adapter,
            operation,
            name,
            turns: None,
            known: None,
            lost: None,
            refused: None,
            has_claimed: false,
            pause: adapter.requests.policy().backoff.first,
        }
    }

    /// Follows the protocol to its end, and tells whether our claim was set in a secret that was there.
    async fn follow(&mut self, value: &SecretValue, marks: &Marks) -> Result<(End, bool)> {
        let in_doubt = self.adapter.held(self.name).doubt.is_some();
        let (mut protocol, mut step) = Protocol::begin(in_doubt);
        let mut begun = false;
        loop {
            let next = match step {
                Step::End(end) => return Ok((end, protocol.has_adopted())),
                Step::Create => {
                    let created = self.create(marks).await;
                    created.map(|sent| protocol.created(sent))
                }
                Step::Look => self.look().await.map(|newest| protocol.looked(newest)),
                Step::Meet => self.meet(0).await.map(|met| protocol.met(met)),
                Step::Claim => self.claim(0).await.map(|sent| protocol.claimed(sent)),
                Step::Wait => {
                    self.wait().await;
                    Ok(protocol.waited())
                }
                Step::Prove => {
                    let free = self.adapter.is_free(self.operation, self.name, 1).await;
                    // The list has shown none.
                    free.map(|free| Protocol::proved(free.unwrap_or(true)))
                }
                Step::Add => self.add(value).await.map(|added| match added {
                    Some(added) => protocol.added(added),
                    None => protocol.aged(),
                }),
                Step::Settle => {
                    let adopted = protocol.has_adopted();
                    let (settled, _) = self.settle(value, 1, adopted).await;
                    Ok(Protocol::settled(settled))
                }
            };
            // Only what was never sent leaves nothing behind.
            begun |= step != Step::Create || next.is_ok();
            step = next.map_err(|err| if begun { explained(err) } else { err })?;
        }
    }

    /// The annotation to send. From now on the claim ages.
    async fn new_claim(&self, after: u64) -> String {
        self.adapter.dated().await;
        let time = self.adapter.transport.clock.now();
        self.adapter.next_claim(self.name, time, after)
    }

    /// The claim's write and the version's: neither waits in the queue while the claim ages.
    async fn take_turns(&mut self) -> Result<()> {
        let turns = self
            .adapter
            .requests
            .turns(2, self.operation, Some(self.name));
        self.turns = Some(turns.await?);
        Ok(())
    }

    async fn create(&mut self, marks: &Marks) -> Result<Sent> {
        self.take_turns().await?;
        let claim = self.new_claim(0).await;
        let secret = marked(self.adapter.place.secret(), marks, claim);
        let Some(turns) = &self.turns else {
            return Ok(Sent::Refused);
        };
        let sent = self.adapter.send_create(turns, self.name, &secret).await;
        self.sent(sent.map(drop))
    }

    pub(crate) async fn look(&self) -> Result<Option<u64>> {
        match self.adapter.newest(self.operation, self.name).await {
            Ok(newest) => Ok(Some(newest.map_or(0, |newest| newest.number))),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    }

    async fn meet(&mut self, newest: u64) -> Result<Option<(Standing, bool)>> {
        match self.meet_there(newest).await {
            Ok(met) => Ok(Some(met)),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    }

    pub(crate) async fn meet_there(&mut self, newest: u64) -> Result<(Standing, bool)> {
        let known = self.adapter.secret(self.operation, self.name).await?;
        let held = self.adapter.held(self.name);
        let annotation = known.annotations.get(claim::KEY).map(String::as_str);
        let now = self.adapter.transport.clock.now();
        let standing = standing(annotation, &held.token, newest, now);
        let young = held.is_young(annotation);
        self.known = Some(known);
        Ok((standing, young))
    }

    pub(crate) async fn claim(&mut self, after: u64) -> Result<Sent> {
        self.take_turns().await?;
        let Some(mut known) = self.known.take() else {
            return Ok(Sent::Refused);
        };
        let text = self.new_claim(after).await;
        self.has_claimed = true;
        known.annotations.insert(claim::KEY.to_owned(), text);
        let (turns, name) = (self.turns.as_ref(), self.name);
        let sent = self
            .adapter
            .send_annotations(turns, self.operation, name, &known);
        match sent.await {
            Ok(known) => {
                self.known = Some(known);
                Ok(Sent::Done)
            }
            Err(err) => self.sent(Err(err)),
        }
    }

    pub(crate) async fn wait(&mut self) {
        let policy = self.adapter.requests.policy();
        let half = self.pause / 2;
        tokio::time::sleep(half + (policy.jitter)(half).min(half)).await;
        self.pause = (self.pause * 2).min(policy.backoff.longest);
    }

    /// The number of what was added; `None` where the claim was no longer young.
    pub(crate) async fn add(&mut self, value: &SecretValue) -> Result<Option<Result<u64, Sent>>> {
        let Some((_, claimed)) = self.adapter.held(self.name).last else {
            return Ok(None);
        };
        let (turns, name) = (self.turns.as_ref(), self.name);
        let sent = self
            .adapter
            .send_version(turns, self.operation, name, value, claimed);
        match sent.await {
            Ok(number) => Ok(Some(Ok(number))),
            Err(err) if err.kind() == ErrorKind::Conflict => Ok(None),
            Err(err) => self.sent(Err(err)).map(|sent| Some(Err(sent))),
        }
    }

    /// Sorts what became of a write.
    fn sent(&mut self, sent: Result<()>) -> Result<Sent> {
        let Err(err) = sent else {
            return Ok(Sent::Done);
        };
        match err.kind() {
            ErrorKind::AlreadyExists | ErrorKind::Conflict => {
                self.refused = Some(err);
                Ok(Sent::Refused)
            }
            ErrorKind::NotFound => {
                self.refused = Some(err);
                Ok(Sent::Gone)
            }
            ErrorKind::Indeterminate => {
                self.refused = None;
                self.lost = Some(err);
                Ok(Sent::Lost)
            }
            ErrorKind::Denied
            | ErrorKind::Invalid
            | ErrorKind::Misplaced
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Unauthenticated
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
            | ErrorKind::Unsupported
            | ErrorKind::WrongShape => Err(err),
        }
    }

    async fn end(&mut self, end: End, adopted: bool) -> Result<Version> {
        let (operation, name) = (self.operation, self.name);
        let doubt = self.adapter.held(name).doubt;
        let adopted = adopted || doubt.as_ref().is_some_and(|doubt| doubt.adopted);
        // What is in doubt may still arrive, so that nobody else may begin yet.
        if adopted && !matches!(end, End::Beside | End::InDoubt) {
            self.give_back().await;
        }
        match (end, doubt) {
            (End::First, _) => {
                self.adapter.forget(name);
                Ok(Version::new("1"))
            }
            (End::Taken, _) => {
                let message = "it has a version already";
                Err(Error::new(ErrorKind::AlreadyExists, operation, message).about(name))
            }
            (End::Second(number), _) => {
                self.adapter.forget(name);
                Err(contested(operation, name, 1, number))
            }
            (End::Beside, Some(doubt)) => Err(beside(operation, name, &doubt)),
            (End::InDoubt, Some(doubt)) => Err(doubt.open(operation, name)),
            (End::Beside | End::InDoubt, None) => Err(self.in_doubt()),
            (End::Restless, _) => Err(explained(self.restless())),
        }
    }

    /// Nothing that we do lasts, or is taken.
    pub(crate) fn restless(&mut self) -> Error {
        let (operation, name) = (self.operation, self.name);
        let (kind, last) = match (self.refused.take(), self.lost.take()) {
            (Some(refused), _) => (ErrorKind::Conflict, refused),
            // The value was not sent, so that nothing of it can arrive any more.
            (None, Some(lost)) => (ErrorKind::Unavailable, lost),
            (None, None) => {
                let message = "others change it again and again; run the command again later";
                return Error::new(ErrorKind::Conflict, operation, message).about(name);
            }
        };
        let (what, _) = last
            .message()
            .split_once("; ")
            .unwrap_or((last.message(), ""));
        let message = format!("{what}, again and again; run the command again later");
        let told = Error::new(kind, operation, message).about(name);
        match last.request_id() {
            Some(id) => told.with_request_id(id),
            None => told,
        }
    }

    pub(crate) fn in_doubt(&mut self) -> Error {
        self.lost.take().unwrap_or_else(|| {
            let message = "the answer to AddSecretVersion was lost";
            Error::new(ErrorKind::Indeterminate, self.operation, message).about(self.name)
        })
    }

    /// Takes our claim away again. What it was for has been done or not by then.
    pub(crate) async fn give_back(&mut self) {
        let token = self.adapter.held(self.name).token;
        let ours = |known: &Known| {
            let claim = known.annotations.get(claim::KEY);
            claim.is_some_and(|claim| claim.starts_with(&token))
        };
        for _ in 0..GIVES {
            let known = match self.known.take() {
                Some(known) if ours(&known) => Ok(known),
                Some(_) | None => self.adapter.secret(self.operation, self.name).await,
            };
            let removed = match known {
                Ok(known) if !ours(&known) => return self.adapter.forget(self.name),
                Ok(mut known) => {
                    known.annotations.remove(claim::KEY);
                    let (operation, name) = (self.operation, self.name);
                    let sent = self.adapter.send_annotations(None, operation, name, &known);
                    sent.await.map(drop)
                }
                Err(err) => Err(err),
            };
            match removed {
                Ok(()) => return self.adapter.forget(self.name),
                Err(err)
                    if matches!(err.kind(), ErrorKind::Conflict | ErrorKind::Indeterminate) => {}
                Err(_) => break,
            }
        }
        self.adapter.note(format!(
            "the annotation `{}` was left on `{}`; it does no harm, and counts for two minutes",
            claim::KEY,
            self.name
        ));
    }
}

/// Labels where they are fit for labels, annotations otherwise; and the claim.
fn marked(secret: Secret, marks: &Marks, claim: String) -> Secret {
    let (labels, mut annotations): (Vec<_>, Vec<_>) = marks
        .to_labels()
        .into_iter()
        .partition(|(key, value)| is_label(key, value));
    annotations.push((claim::KEY.to_owned(), claim));
    secret.set_labels(labels).set_annotations(annotations)
}

fn is_label(key: &str, value: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let begins = key.starts_with(|c: char| c.is_ascii_lowercase());
    begins && key.len() <= 63 && value.len() <= 63 && key.chars().chain(value.chars()).all(plain)
}

/// Ours is stored, and is not the version that it was to be.
pub(crate) fn contested(
    operation: Operation,
    name: &SecretName,
    wanted: u64,
    number: u64,
) -> Error {
    let others = if wanted + 1 == number {
        format!("version {wanted} is")
    } else {
        format!("versions {wanted} to {} are", number - 1)
    };
    let message = format!(
        "another writer added a version too: {others} theirs, ours is version {number}, and readers get the newest; \
         find out which one is meant, and make sure that its value is the newest"
    );
    Error::new(ErrorKind::Indeterminate, operation, message)
        .about(name)
        .contested()
}

/// Says of an error in the middle what it may have left behind.
fn explained(err: Error) -> Error {
    if err.is_stopped() || err.is_contested() {
        return err;
    }
    let message = format!(
        "{}; if the secret is there now, it has no version of ours, and the next run fills it",
        err.message()
    );
    let mut told = Error::new(err.kind(), err.operation(), message);
    if let Some(name) = err.name() {
        told = told.about(name);
    }
    match err.request_id() {
        Some(id) => told.with_request_id(id),
        None => told,
    }
}

const GIVES: usize = 3;
