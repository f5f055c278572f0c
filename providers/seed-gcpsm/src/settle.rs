//! Looking at versions by their numbers: the one read of which the service says that it is strongly consistent. Lists and
//! `latest` may show what was there before, for minutes.

use std::sync::Arc;

use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result};

use crate::adapter::GcpSm;
use crate::held::Doubt;
use crate::protocol::Settled;
use crate::write::{Writer, contested};

/// What is under one number.
enum Numbered {
    Nothing,
    Value(SecretValue),
    /// A version that is disabled or destroyed.
    SwitchedOff,
}

impl GcpSm {
    /// Whether there is no version of that number. `None` where we may not ask.
    pub(crate) async fn is_free(
        &self,
        operation: Operation,
        name: &SecretName,
        number: u64,
    ) -> Result<Option<bool>> {
        match self.numbered(operation, name, number).await {
            Ok(numbered) => Ok(Some(matches!(numbered, Numbered::Nothing))),
            Err(err) if err.kind() == ErrorKind::Denied => {
                self.note(UNPROVEN.to_owned());
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    /// What has become of a version whose answer was lost.
    pub(crate) async fn what_became(
        &self,
        operation: Operation,
        name: &SecretName,
        doubt: &Doubt,
    ) -> Result<Settled> {
        let mut settled = Settled::Nothing;
        for number in doubt.number..doubt.number.saturating_add(REACH) {
            match self.numbered(operation, name, number).await? {
                Numbered::Value(value) if value.same_as(&doubt.value) => {
                    return Ok(Settled::Ours(number));
                }
                Numbered::Value(_) | Numbered::SwitchedOff => settled = Settled::Theirs,
                Numbered::Nothing => break,
            }
        }
        Ok(settled)
    }

    async fn numbered(
        &self,
        operation: Operation,
        name: &SecretName,
        number: u64,
    ) -> Result<Numbered> {
        match self.access(operation, name, Some(number)).await {
            Ok((value, _)) => Ok(Numbered::Value(value)),
            Err(err) => match err.kind() {
                ErrorKind::NotFound => Ok(Numbered::Nothing),
                ErrorKind::Conflict => Ok(Numbered::SwitchedOff),
                ErrorKind::AlreadyExists
                | ErrorKind::Denied
                | ErrorKind::Indeterminate
                | ErrorKind::Invalid
                | ErrorKind::Misplaced
                | ErrorKind::RateLimited { .. }
                | ErrorKind::Unauthenticated
                | ErrorKind::Unavailable
                | ErrorKind::Unexpected
                | ErrorKind::Unsupported
                | ErrorKind::WrongShape => Err(err),
            },
        }
    }

    /// Which version to read where one of ours is in doubt: by content alone nobody could tell whether it came first.
    pub(crate) async fn version_to_read(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<Option<u64>> {
        let Some(doubt) = self.held(name).doubt else {
            return Ok(None);
        };
        match self.what_became(operation, name, &doubt).await? {
            Settled::Ours(number) if number == doubt.number => {
                Writer::new(self, operation, name).is_settled(&doubt).await;
                Ok(Some(number))
            }
            Settled::Ours(number) => {
                Writer::new(self, operation, name).is_settled(&doubt).await;
                Err(contested(operation, name, doubt.number, number))
            }
            Settled::Theirs => Err(beside(operation, name, &doubt)),
            Settled::Nothing if doubt.number == 1 => {
                let message = "it has no version";
                Err(Error::new(ErrorKind::NotFound, operation, message).about(name))
            }
            Settled::Nothing => Ok(Some(doubt.number - 1)),
        }
    }
}

impl Writer<'_> {
    /// Finds out about a version whose answer was just lost, and remembers it where that cannot be found out.
    pub(crate) async fn settle(
        &mut self,
        value: &SecretValue,
        number: u64,
        adopted: bool,
    ) -> (Settled, Arc<Doubt>) {
        let (operation, name) = (self.operation, self.name);
        let doubt = match self.adapter.held(name).doubt {
            Some(doubt) => doubt,
            None => Arc::new(Doubt {
                value: value.duplicate(),
                number,
                adopted,
                lost: self.in_doubt(),
            }),
        };
        self.adapter.is_in_doubt(name, &doubt);
        for look in 0..LOOKS {
            if look > 0 {
                self.wait().await;
            }
            match self.adapter.what_became(operation, name, &doubt).await {
                Ok(Settled::Nothing) => {}
                Ok(settled) => return (settled, doubt),
                // Whoever called will ask again.
                Err(_) => break,
            }
        }
        (Settled::Nothing, doubt)
    }

    /// It is known what became of it.
    pub(crate) async fn is_settled(&mut self, doubt: &Doubt) {
        if doubt.adopted {
            self.give_back().await;
        }
        self.adapter.forget(self.name);
    }
}

impl Doubt {
    /// It may still arrive, so that it is not sent again.
    pub(crate) fn open(&self, operation: Operation, name: &SecretName) -> Error {
        let message = format!(
            "{}; it may still arrive, and is not sent again; until it does, it has no version of ours; run the command again in two minutes",
            self.lost_what()
        );
        self.told(operation, name, message)
    }

    /// What became of it, without what to do: that is another thing here.
    fn lost_what(&self) -> &str {
        let message = self.lost.message();
        message.split_once("; ").map_or(message, |(what, _)| what)
    }

    fn told(&self, operation: Operation, name: &SecretName, message: String) -> Error {
        let told = Error::new(ErrorKind::Indeterminate, operation, message).about(name);
        match self.lost.request_id() {
            Some(id) => told.with_request_id(id),
            None => told,
        }
    }
}

/// Somebody else's is there in the place of one of ours that is not there yet.
pub(crate) fn beside(operation: Operation, name: &SecretName, doubt: &Doubt) -> Error {
    let message = format!(
        "{}, and version {} is another writer's; ours is not there, and may still come after it: \
         look at its versions in two minutes, and make sure that the value that is meant is the newest",
        doubt.lost_what(),
        doubt.number
    );
    doubt.told(operation, name, message).contested()
}

/// How many versions others may have added before ours.
const REACH: u64 = 8;
/// How often it is looked for before whoever called is told.
const LOOKS: usize = 3;
const UNPROVEN: &str = "AccessSecretVersion is denied: a version that somebody else has added a moment ago may not be seen before ours is added";
