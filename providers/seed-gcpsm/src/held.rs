//! What this run holds of one secret: its claim, and what it sent there without an answer.

use std::sync::Arc;

use seed_core::secret::SecretValue;
use seed_provider::Error;

use crate::claim::{Claim, YOUNG};
use crate::clock::Moment;

/// Our claim on one secret.
#[derive(Clone)]
pub(crate) struct Held {
    /// What all our claims on it begin with.
    pub(crate) token: String,
    /// The claim that was sent last, and when. It need not have arrived.
    pub(crate) last: Option<(String, Moment)>,
    /// A version that was sent, and may still arrive.
    pub(crate) doubt: Option<Arc<Doubt>>,
    sent: u32,
}

/// A version whose answer was lost.
pub(crate) struct Doubt {
    pub(crate) value: SecretValue,
    /// The number that it has if nobody came in between.
    pub(crate) number: u64,
    /// Whether our claim is to be taken out of the secret afterwards.
    pub(crate) adopted: bool,
    /// How the answer was lost.
    pub(crate) lost: Error,
}

impl Held {
    pub(crate) fn new(token: String) -> Self {
        Self {
            token,
            last: None,
            doubt: None,
            sent: 0,
        }
    }

    /// The annotation to send. From now on the claim ages.
    pub(crate) fn next_claim(&mut self, time: u64, after: u64) -> String {
        self.sent += 1;
        let claim = Claim {
            token: format!("{}-{}", self.token, self.sent),
            time,
            after,
        };
        let text = claim.text();
        self.last = Some((text.clone(), Moment::now()));
        text
    }

    /// Whether the claim that stands in the secret is the one that was sent last, not long ago. Of an earlier one, nobody
    /// knows any more how old it is: a later one that was refused, or has not arrived, makes it no younger.
    pub(crate) fn is_young(&self, annotation: Option<&str>) -> bool {
        match (&self.last, annotation) {
            (Some((last, sent)), Some(annotation)) => last == annotation && sent.age() < YOUNG,
            (None, _) | (_, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_claim_that_was_sent_last_is_young() {
        let mut held = Held::new("me".to_owned());
        assert!(!held.is_young(None));
        let first = held.next_claim(7, 0);
        assert!(held.is_young(Some(&first)));
        // At the same moment, and still another one.
        let second = held.next_claim(7, 0);
        assert!(!held.is_young(Some(&first)));
        assert!(held.is_young(Some(&second)));
    }
}
