//! Carrying out the protocol, and changing what is there under a claim.

use std::time::Duration;

use google_cloud_secretmanager_v1::model::Secret;
use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result, Turns};

use crate::adapter::GcpSm;
use crate::claim::{self, Claim, Standing, YOUNG, standing};
use crate::protocol::{End, Protocol, Sent, Step};
use crate::requests::Known;

/// What one writer carries through the protocol.
struct Writer<'a> {
    adapter: &'a GcpSm,
    operation: Operation,
    name: &'a SecretName,
    turns: Option<Turns>,
    /// The secret as it was last seen, for its etag.
    known: Option<Known>,
    /// The answer to the last write that was lost.
    lost: Option<Error>,
    /// Why the last write was refused.
    refused: Option<Error>,
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
        let (mut protocol, mut step) = Protocol::begin();
        let mut begun = false;
        loop {
            let next = match step {
                Step::End(end) => return writer.end(end, protocol).await,
                Step::Create => {
                    let created = writer.create(marks).await;
                    created.map(|sent| protocol.created(sent))
                }
                Step::Look => writer.look().await.map(|newest| protocol.looked(newest)),
                Step::Meet => writer.meet(0).await.map(|met| protocol.met(met)),
                Step::Claim => writer.claim(0).await.map(|sent| protocol.claimed(sent)),
                Step::Wait => {
                    writer.wait().await;
                    Ok(Step::Look)
                }
                Step::Add => writer.add(value).await.map(|added| match added {
                    Some(added) => protocol.added(added),
                    None => protocol.aged(),
                }),
            };
            // Only what was never sent leaves nothing behind.
            begun |= step != Step::Create || next.is_ok();
            step = next.map_err(|err| if begun { explained(err) } else { err })?;
        }
    }

    /// Adds a version in place of the expected one, under a claim.
    pub(crate) async fn supersede(
        &self,
        operation: Operation,
        name: &SecretName,
        value: &SecretValue,
        expected: u64,
    ) -> Result<Version> {
        let _alone = self.alone(name).await;
        let mut writer = Writer::new(self, operation, name);
        writer.take_over(expected).await?;
        // Whoever held the claim before may have added a version.
        let newest = writer.look().await;
        if !matches!(newest, Ok(Some(newest)) if newest == expected) {
            writer.give_back().await;
            newest?;
            return Err(changed(operation, name));
        }
        match writer.add(value).await {
            Ok(Some(Ok(number))) => {
                writer.give_back().await;
                if number == expected + 1 {
                    return Ok(Version::new(number.to_string()));
                }
                Err(contested(operation, name, expected + 1, number))
            }
            Ok(Some(Err(Sent::Lost))) => Err(writer.in_doubt()),
            Ok(Some(Err(_))) => {
                writer.give_back().await;
                Err(writer.refused.unwrap_or_else(|| changed(operation, name)))
            }
            Ok(None) => {
                writer.give_back().await;
                Err(changed(operation, name))
            }
            Err(err) => {
                writer.give_back().await;
                Err(err)
            }
        }
    }
}

impl<'a> Writer<'a> {
    fn new(adapter: &'a GcpSm, operation: Operation, name: &'a SecretName) -> Self {
        Self {
            adapter,
            operation,
            name,
            turns: None,
            known: None,
            lost: None,
            refused: None,
            pause: FIRST_PAUSE,
        }
    }

    /// The annotation to send, and from now on the claim ages.
    fn new_claim(&self, after: u64) -> String {
        let held = self.adapter.held(self.name);
        let time = self.adapter.transport.clock.now();
        self.adapter.sends_claim(self.name);
        Claim {
            token: held.token,
            time,
            after,
        }
        .text()
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
        let secret = marked(self.adapter.place.secret(), marks, self.new_claim(0));
        let Some(turns) = &self.turns else {
            return Ok(Sent::Refused);
        };
        let sent = self.adapter.send_create(turns, self.name, &secret).await;
        self.sent(sent.map(drop))
    }

    async fn look(&self) -> Result<Option<u64>> {
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

    async fn meet_there(&mut self, newest: u64) -> Result<(Standing, bool)> {
        let known = self.adapter.secret(self.operation, self.name).await?;
        let held = self.adapter.held(self.name);
        let annotation = known.annotations.get(claim::KEY).map(String::as_str);
        let now = self.adapter.transport.clock.now();
        let standing = standing(annotation, &held.token, newest, now);
        let young = held.sent.is_some_and(|sent| sent.age() < YOUNG);
        self.known = Some(known);
        Ok((standing, young))
    }

    async fn claim(&mut self, after: u64) -> Result<Sent> {
        self.take_turns().await?;
        let Some(mut known) = self.known.take() else {
            return Ok(Sent::Refused);
        };
        let text = self.new_claim(after);
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

    async fn wait(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The number of what was added; `None` where the claim was no longer young.
    async fn add(&mut self, value: &SecretValue) -> Result<Option<Result<u64, Sent>>> {
        let Some(claimed) = self.adapter.held(self.name).sent else {
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

    async fn end(mut self, end: End, protocol: Protocol) -> Result<Version> {
        let (operation, name) = (self.operation, self.name);
        // What is in doubt may still arrive, so that nobody else may begin yet.
        if protocol.has_adopted() && end != End::InDoubt {
            self.give_back().await;
        }
        match end {
            End::First => {
                self.adapter.forget(name);
                Ok(Version::new("1"))
            }
            End::Taken => {
                let message = "it has a version already";
                Err(Error::new(ErrorKind::AlreadyExists, operation, message).about(name))
            }
            End::Second(number) => Err(contested(operation, name, 1, number)),
            End::InDoubt => Err(self.in_doubt()),
            End::Restless => Err(self.restless()),
        }
    }

    /// Nothing that we do lasts, or is taken.
    fn restless(&mut self) -> Error {
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

    fn in_doubt(&mut self) -> Error {
        self.lost.take().unwrap_or_else(|| {
            let message = "the answer to AddSecretVersion was lost";
            Error::new(ErrorKind::Indeterminate, self.operation, message).about(self.name)
        })
    }

    /// Sets our claim on a secret whose newest version is the expected one.
    async fn take_over(&mut self, expected: u64) -> Result<()> {
        for _ in 0..ROUNDS {
            match self.meet_there(expected).await? {
                // The one that was sent before its answer was lost.
                (Standing::Ours, true) if self.lost.take().is_some() => return Ok(()),
                (Standing::Theirs, _) => {
                    self.wait().await;
                    if self.look().await? != Some(expected) {
                        return Err(changed(self.operation, self.name));
                    }
                }
                (Standing::Ours | Standing::Free, _) => match self.claim(expected).await? {
                    Sent::Done => return Ok(()),
                    Sent::Refused | Sent::Gone | Sent::Lost => {}
                },
            }
        }
        Err(self.restless())
    }

    /// Takes our claim away again. What it was for has been done or not by then.
    async fn give_back(&mut self) {
        let token = self.adapter.held(self.name).token;
        let ours = |known: &Known| {
            let claim = known.annotations.get(claim::KEY);
            claim.is_some_and(|claim| claim.starts_with(&format!("{token}.")))
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

fn changed(operation: Operation, name: &SecretName) -> Error {
    Error::new(ErrorKind::Conflict, operation, "it was changed meanwhile").about(name)
}

/// Ours is stored, and is not the version that it was to be.
fn contested(operation: Operation, name: &SecretName, wanted: u64, number: u64) -> Error {
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

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often a change looks again that others come before.
const ROUNDS: usize = 40;
const GIVES: usize = 3;
