//! Changing what is there, under a claim.

use seed_core::inventory::Version;
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result};

use crate::adapter::GcpSm;
use crate::claim::Standing;
use crate::protocol::{Sent, Settled};
use crate::settle::beside;
use crate::write::{Writer, contested};

impl GcpSm {
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
        if self.held(name).doubt.is_some() {
            return writer.settled_change(value, expected + 1).await;
        }
        let changed = writer.change(value, expected).await;
        // What is in doubt may still arrive, so that nobody else may begin yet.
        if writer.has_claimed && self.held(name).doubt.is_none() {
            writer.give_back().await;
        }
        changed
    }
}

impl Writer<'_> {
    async fn change(&mut self, value: &SecretValue, expected: u64) -> Result<Version> {
        let (operation, name) = (self.operation, self.name);
        self.take_over(expected).await?;
        // Whoever held the claim before may have added a version.
        let number = expected + 1;
        let free = match self.adapter.is_free(operation, name, number).await? {
            Some(free) => free,
            None => self.look().await? == Some(expected),
        };
        if !free {
            return Err(changed(operation, name));
        }
        match self.add(value).await? {
            Some(Ok(added)) if added == number => Ok(Version::new(added.to_string())),
            Some(Ok(added)) => Err(contested(operation, name, number, added)),
            Some(Err(Sent::Lost)) => self.settled_change(value, number).await,
            Some(Err(_)) => {
                let refused = self.refused.take();
                Err(refused.unwrap_or_else(|| changed(operation, name)))
            }
            None => Err(changed(operation, name)),
        }
    }

    /// What becomes of a change whose answer was lost, now or before.
    async fn settled_change(&mut self, value: &SecretValue, number: u64) -> Result<Version> {
        let (operation, name) = (self.operation, self.name);
        let (settled, doubt) = self.settle(value, number, true).await;
        match settled {
            Settled::Ours(found) => {
                self.is_settled(&doubt).await;
                if found != doubt.number {
                    return Err(contested(operation, name, doubt.number, found));
                }
                if !value.same_as(&doubt.value) {
                    return Err(changed(operation, name));
                }
                Ok(Version::new(found.to_string()))
            }
            Settled::Theirs => Err(beside(operation, name, &doubt)),
            Settled::Nothing => Err(doubt.open(operation, name)),
        }
    }

    /// Sets our claim on a secret whose newest version is the expected one.
    async fn take_over(&mut self, expected: u64) -> Result<()> {
        let mut claims = CLAIMS;
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
                    Sent::Refused | Sent::Gone | Sent::Lost => {
                        claims -= 1;
                        if claims == 0 {
                            break;
                        }
                        self.wait().await;
                    }
                },
            }
        }
        Err(self.restless())
    }
}

pub(crate) fn changed(operation: Operation, name: &SecretName) -> Error {
    Error::new(ErrorKind::Conflict, operation, "it was changed meanwhile").about(name)
}

/// How often a change looks again that others come before: for longer than a claim counts.
const ROUNDS: usize = 40;

/// How often a claim may be refused or lost. Whoever else changes a secret that often does so without end.
const CLAIMS: usize = 8;
