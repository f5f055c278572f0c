//! How a first version comes into a secret when the service knows no write that is refused where one is.
//!
//! A secret and its first version are two calls, `CreateSecret` and `AddSecretVersion`. The first is refused where the name
//! is taken; the second never is. `UpdateSecret` is refused where the secret has changed since it was looked at, but adding
//! a version is no such change. So nobody adds a first version without holding a claim:
//!
//! 1. Who creates the secret holds its claim from the beginning: the claim comes with it.
//! 2. Who finds a secret without a version looks at its claim. While that of somebody else is fresh, it waits. Otherwise it
//!    sets its own, under the etag that it looked at, and looks for versions once more before it adds one: in the list,
//!    and then under the number that its own is to have. Lists may lag behind; what is under a number is told as it is.
//! 3. Nobody adds with a claim that is no longer young. What is young is the claim that stands in the secret: one that was
//!    sent later and was refused makes it no younger.
//! 4. An answer that is lost is settled by looking, where looking settles it: the claim itself tells whose the secret is,
//!    and the number of a version tells whether it was ours. A lost `AddSecretVersion` is never sent again: it may still
//!    arrive.
//!
//! Between two that keep to this, one version is added: a claim is only taken over when it is dead, a dead one is never
//! used, and each take-over is seen by the etag. What does not keep to it, a writer that knows no claims or a process
//! that slept between its look at the clock and its request, shows in the number of the version that was added.
//!
//! This module decides and calls nobody. A [`Step`] says what to ask; the method of the same name takes what was answered.

use crate::claim::Standing;

/// What to do next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Step {
    /// Create the secret, with our claim. Told by [`Protocol::created`].
    Create,
    /// Look for the newest version. Told by [`Protocol::looked`].
    Look,
    /// Look at the secret, for its claim and its etag. Told by [`Protocol::met`].
    Meet,
    /// Set our claim under the etag that was met. Told by [`Protocol::claimed`].
    Claim,
    /// Wait a little, for the owner of the claim or for what changes again and again. Told by [`Protocol::waited`].
    Wait,
    /// Look for a version under the number that ours is to have. Told by [`Protocol::proved`].
    Prove,
    /// Add the version if our claim is young. Told by [`Protocol::added`], or by [`Protocol::aged`].
    Add,
    /// Look for the version that was sent without an answer, by its number. Told by [`Protocol::settled`].
    Settle,
    /// There is nothing more to do.
    End(End),
}

/// How it ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum End {
    /// The first version is ours.
    First,
    /// Somebody has a version there. Nothing of ours was stored.
    Taken,
    /// Ours was stored as a later version than the first.
    Second(u64),
    /// Whether ours was stored is not known.
    InDoubt,
    /// Somebody has a version where ours was to be, and whether ours comes after it is not known.
    Beside,
    /// What happens there follows no rule that we know. Nothing of ours was stored.
    Restless,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Sent {
    Done,
    /// It was refused: the name is taken, or the etag is another one.
    Refused,
    /// There is no such secret.
    Gone,
    /// The answer was lost.
    Lost,
}

/// What is found of a version whose answer was lost.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Settled {
    /// It is there, under this number.
    Ours(u64),
    /// Somebody else's is there in its place.
    Theirs,
    /// There is none yet.
    Nothing,
}

/// Where one writer is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Protocol {
    /// Whether the claim in the secret is ours, as far as we know.
    holds: bool,
    /// Whether we set it in a secret that was there.
    adopted: bool,
    /// Whether we have waited since something was last begun anew.
    rested: bool,
    /// How many steps may follow that begin something anew.
    left: u8,
}

impl Protocol {
    /// Begins with [`Step::Create`]; where an earlier version of ours is in doubt, with that.
    pub(crate) fn begin(in_doubt: bool) -> (Self, Step) {
        let protocol = Self {
            holds: false,
            adopted: false,
            // The first time needs no pause.
            rested: true,
            left: ROUNDS,
        };
        let first = if in_doubt { Step::Settle } else { Step::Create };
        (protocol, first)
    }

    /// Whether our claim was set in a secret that somebody else had made.
    pub(crate) fn has_adopted(self) -> bool {
        self.adopted
    }

    pub(crate) fn created(&mut self, sent: Sent) -> Step {
        match sent {
            Sent::Done => {
                self.holds = true;
                Step::Add
            }
            Sent::Refused => {
                // Whatever claim is in there now, it did not come with this request.
                self.holds = false;
                Step::Look
            }
            // Whose it is tells whether it was done.
            Sent::Lost => Step::Meet,
            Sent::Gone => Step::End(End::Restless),
        }
    }

    /// The newest version's number, or that there is none, or no secret.
    pub(crate) fn looked(&mut self, newest: Option<u64>) -> Step {
        match newest {
            None => {
                self.holds = false;
                self.anew(Step::Create)
            }
            Some(0) if self.holds => Step::Prove,
            Some(0) => Step::Meet,
            Some(_) => Step::End(End::Taken),
        }
    }

    /// What the claim says, and whether it is young if it is ours. `None` where there is no secret.
    pub(crate) fn met(&mut self, met: Option<(Standing, bool)>) -> Step {
        match met {
            None => {
                self.holds = false;
                self.anew(Step::Create)
            }
            Some((Standing::Ours, true)) => {
                self.holds = true;
                Step::Look
            }
            Some((Standing::Ours, false) | (Standing::Free, _)) => {
                self.holds = false;
                self.anew(Step::Claim)
            }
            Some((Standing::Theirs, _)) => {
                self.holds = false;
                Step::Wait
            }
        }
    }

    pub(crate) fn claimed(&mut self, sent: Sent) -> Step {
        match sent {
            Sent::Done => {
                self.holds = true;
                self.adopted = true;
                // Whoever held it before may have added a version while it was still young.
                Step::Look
            }
            Sent::Refused => Step::Look,
            Sent::Gone => self.anew(Step::Create),
            Sent::Lost => {
                self.adopted = true;
                Step::Meet
            }
        }
    }

    /// Some time has passed.
    pub(crate) fn waited(&mut self) -> Step {
        self.rested = true;
        Step::Look
    }

    /// Whether no version is there.
    pub(crate) fn proved(free: bool) -> Step {
        if free {
            Step::Add
        } else {
            Step::End(End::Taken)
        }
    }

    /// Our claim is no longer young, so nothing was added.
    pub(crate) fn aged(&mut self) -> Step {
        self.holds = false;
        Step::Meet
    }

    /// The number of the version that was added, or what became of the request otherwise.
    pub(crate) fn added(&mut self, sent: Result<u64, Sent>) -> Step {
        match sent {
            Ok(1) => Step::End(End::First),
            Ok(number) => Step::End(End::Second(number)),
            Err(Sent::Gone) => {
                self.holds = false;
                self.anew(Step::Create)
            }
            Err(Sent::Lost) => Step::Settle,
            Err(Sent::Done | Sent::Refused) => Step::End(End::Restless),
        }
    }

    /// What is there where ours was to be.
    pub(crate) fn settled(settled: Settled) -> Step {
        Step::End(match settled {
            Settled::Ours(1) => End::First,
            Settled::Ours(number) => End::Second(number),
            Settled::Theirs => End::Beside,
            Settled::Nothing => End::InDoubt,
        })
    }

    /// A step that begins something anew, as long as there is a point in it, and not without a pause.
    fn anew(&mut self, step: Step) -> Step {
        if !std::mem::take(&mut self.rested) {
            return Step::Wait;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                step
            }
            None => Step::End(End::Restless),
        }
    }
}

/// A secret that comes and goes, or whose claim changes each time, is left alone at last.
const ROUNDS: u8 = 8;

#[cfg(test)]
#[path = "protocol_model.rs"]
mod model;
