//! The annotation that says who is about to add a version.
//!
//! Its text is `token-count.time.after`: whose it is and the how many-th of theirs, when it was set by the service's own time, and after which version it is to
//! add one, 0 before the first. A claim is over when a later version is there, and dead when it is older than it may get.
//! What remains of it is harmless: it is no label, no reader looks at it, and the next writer sets its own.

use std::time::Duration;

/// The annotation's key.
pub(crate) const KEY: &str = "seed-claim";

/// How long others leave a claim alone.
pub(crate) const LIFE: Duration = Duration::from_mins(2);

/// How old a claim may be when its owner still adds a version: the rest is for the request to arrive.
pub(crate) const YOUNG: Duration = Duration::from_secs(50);

/// One claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Claim {
    pub(crate) token: String,
    /// Seconds since 1970, of the service.
    pub(crate) time: u64,
    /// The newest version when it was set.
    pub(crate) after: u64,
}

/// What an annotation means to somebody who wants to write.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Standing {
    /// Nobody is about to write: no claim, or one that is over, dead or unreadable.
    Free,
    /// It is our own.
    Ours,
    /// Somebody else is about to write.
    Theirs,
}

impl Claim {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (token, time, after) = (parts.next()?, parts.next()?, parts.next()?);
        if token.is_empty() || parts.next().is_some() {
            return None;
        }
        Some(Self {
            token: token.to_owned(),
            time: time.parse().ok()?,
            after: after.parse().ok()?,
        })
    }

    /// The annotation's text.
    pub(crate) fn text(&self) -> String {
        let Self { token, time, after } = self;
        format!("{token}.{time}.{after}")
    }
}

/// What the annotation of a secret means whose newest version is `newest`, to whom `token` is.
pub(crate) fn standing(annotation: Option<&str>, token: &str, newest: u64, now: u64) -> Standing {
    let Some(claim) = annotation.and_then(Claim::read) else {
        return Standing::Free;
    };
    let (owner, _) = claim.token.split_once('-').unwrap_or((&claim.token, ""));
    if owner == token {
        return Standing::Ours;
    }
    // One from a time to come is not believed for longer than one of now.
    let age = now.abs_diff(claim.time);
    if claim.after < newest || age >= LIFE.as_secs() {
        Standing::Free
    } else {
        Standing::Theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_counts_while_it_is_fresh_and_no_later_version_is_there() {
        for (annotation, newest, now, expected) in [
            (None, 0, 1_000, Standing::Free),
            (Some("me-1.1.0"), 0, 1_000_000, Standing::Ours),
            (Some("me-2.1.0"), 0, 1_000_000, Standing::Ours),
            (Some("they.1000.0"), 0, 1_000, Standing::Theirs),
            (Some("they.1000.0"), 0, 1_119, Standing::Theirs),
            (Some("they.1000.0"), 0, 1_120, Standing::Free),
            (Some("they.1000.0"), 1, 1_000, Standing::Free),
            (Some("they.1000.3"), 3, 1_000, Standing::Theirs),
            // A clock that is ahead, and one that is nonsense.
            (Some("they.1030.0"), 0, 1_000, Standing::Theirs),
            (Some("they.999999999.0"), 0, 1_000, Standing::Free),
            (Some("they.1000"), 0, 1_000, Standing::Free),
            (Some("they.1000.0.x"), 0, 1_000, Standing::Free),
            (Some("by hand"), 0, 1_000, Standing::Free),
        ] {
            let found = standing(annotation, "me", newest, now);
            assert_eq!(found, expected, "{annotation:?} {newest} {now}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let claim = Claim {
            token: "0a".to_owned(),
            time: 7,
            after: 2,
        };
        assert_eq!(Claim::read(&claim.text()), Some(claim));
    }

    #[test]
    fn an_owner_stops_well_before_others_may_take_over() {
        assert!(YOUNG < LIFE / 2);
    }
}
