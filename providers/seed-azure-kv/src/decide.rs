//! Which of several values stands: the protocol, as a function of what was seen.
//!
//! The service has no conditional write, and gives times in whole seconds. So all that was written since the writers
//! looked is one *episode*, and its first version wins. What makes this the same answer for all:
//!
//! * Versions never change places. The order is by the second of their making, and within one second by what nobody
//!   can change later: versions of people before those of runs, runs by their claims, copies last.
//! * Nobody decides before the second of its own version is over. So every version that could come before it in this
//!   order is there, and the first one stays the first for ever: who has won may make other values from its value.
//! * Nobody writes later than [`FRESH`] after it looked, and everybody waits longer than that after its own write. So
//!   whoever is going to write over a winner has done so before the winner looks again.
//!
//! The value of the first version is put back by the run that wrote the newest one, and by nobody else; the others wait
//! until it stands. It is put back only while each later version has a live claim: a version without one, or whose tags
//! or attributes somebody has changed, or of a run that was paused for longer than its claim lives, is somebody's who
//! meant it. Then nothing is changed any more, and every run says so.

use std::time::Duration;

use crate::claim::{Claim, Purpose};

/// One version, as a list of versions shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// Whole seconds since 1970, by the service's clock.
    pub(crate) created: i64,
    /// Whether it is enabled and as it was written.
    pub(crate) untouched: bool,
    pub(crate) claim: Option<Claim>,
}

/// What a run does next about a name that it has written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Decision {
    /// The run's own value stands, whoever else wrote.
    Ours { contested: bool },
    /// Put that version's value back, and look again.
    PutBack(String),
    /// That version's value stands, and it is not the run's.
    Theirs(String),
    /// Leave everything as it is, and say why.
    Unclear(Why),
    /// Look again later.
    Wait,
}

/// What makes a name unclear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// A version that no running `seed` wrote stands among those of runs.
    Foreign(String),
    /// The run's own version is not there any more.
    Gone,
    /// The run's own claim has run out, or was written too long after its look.
    Paused,
    /// Somebody has changed tags or attributes of a version.
    Touched(String),
}

/// How long after its look a run may still send its write.
pub(crate) const FRESH: Duration = Duration::from_secs(3);

/// How far a version's time may be from its writer's look: [`FRESH`], and the time that a request may take.
const APART: i64 = 90;

/// How long a claim lives. A run of many thousand keys at a slow pace looks at its first version this much later.
const LIFE: i64 = 30 * 60;

/// Decides what `run` does about the version `ours`, when `current` is the current one, at `now`.
pub(crate) fn decide(versions: &[Seen], current: &str, ours: &str, run: u64, now: i64) -> Decision {
    let by_id = |id: &str| versions.iter().find(|seen| seen.id == id);
    let mine = |seen: &Seen| seen.claim.as_ref().is_some_and(|claim| claim.run == run);
    let Some((me, claim)) = by_id(ours).and_then(|seen| Some((seen, seen.claim.as_ref()?))) else {
        return Decision::Unclear(Why::Gone);
    };
    if !me.untouched {
        return Decision::Unclear(Why::Touched(me.id.clone()));
    }
    if !is_live(me, now) {
        return Decision::Unclear(Why::Paused);
    }
    if now <= me.created {
        return Decision::Wait;
    }
    let begin = match &claim.purpose {
        Purpose::After(base) => match by_id(base) {
            // The writer waited until the second of this version was over.
            Some(base) => base.created,
            None => return Decision::Unclear(Why::Gone),
        },
        Purpose::Copy(_) | Purpose::First => i64::MIN,
    };
    let mut episode: Vec<&Seen> = versions.iter().collect();
    episode.retain(|seen| seen.created > begin);
    episode.sort_by_key(|seen| place(seen));
    let Some((first, later)) = episode.split_first() else {
        return Decision::Unclear(Why::Gone);
    };
    if let Some(touched) = episode.iter().find(|seen| !seen.untouched) {
        return Decision::Unclear(Why::Touched(touched.id.clone()));
    }
    if let Some(foreign) = later.iter().find(|seen| !is_live(seen, now)) {
        return Decision::Unclear(Why::Foreign(foreign.id.clone()));
    }
    let Some(stands) = by_id(current) else {
        // Newer than the list.
        return Decision::Wait;
    };
    match (root(stands) == first.id, mine(first), mine(stands)) {
        (true, true, _) => Decision::Ours {
            contested: !later.iter().all(|seen| mine(seen)),
        },
        (true, false, _) => Decision::Theirs(first.id.clone()),
        (false, _, true) => Decision::PutBack(first.id.clone()),
        (false, _, false) => Decision::Wait,
    }
}

/// Whether the value that a reader got is known to stand: no older one of its episode is still to be put back.
pub(crate) fn stands(versions: &[Seen], current: &str, now: i64) -> bool {
    let by_id = |id: &str| versions.iter().find(|seen| seen.id == id);
    let Some(read) = by_id(current) else {
        return false;
    };
    if !is_live(read, now) {
        // A person's, or one whose writers are long done.
        return true;
    }
    let first = by_id(root(read)).unwrap_or(read);
    let begin = first.claim.as_ref().map(|claim| &claim.purpose);
    let begin = match begin {
        Some(Purpose::After(base)) => by_id(base).map_or(i64::MIN, |base| base.created),
        Some(Purpose::Copy(_) | Purpose::First) | None => i64::MIN,
    };
    let episode = versions.iter().filter(|seen| seen.created > begin);
    let oldest = episode.min_by_key(|seen| place(seen));
    now > first.created && oldest.is_some_and(|oldest| oldest.id == first.id)
}

/// Whether a running `seed` wrote it, and it is as it was written.
fn is_live(seen: &Seen, now: i64) -> bool {
    let claim = seen.claim.as_ref();
    seen.untouched
        && claim.is_some_and(|claim| {
            // A tag that somebody copied to a version of their own tells another time.
            (seen.created - claim.looked).abs() <= APART && now - seen.created <= LIFE
        })
}

/// The version whose value it has.
fn root(seen: &Seen) -> &str {
    match seen.claim.as_ref().map(|claim| &claim.purpose) {
        Some(Purpose::Copy(of)) => of,
        Some(Purpose::After(_) | Purpose::First) | None => &seen.id,
    }
}

/// Where a version stands in its episode. Nothing of it changes with time.
fn place(seen: &Seen) -> (i64, u8, u64, u64, String) {
    let (class, run, step) = match &seen.claim {
        None => (0, 0, 0),
        Some(claim) => match claim.purpose {
            Purpose::After(_) | Purpose::First => (1, claim.run, claim.step),
            Purpose::Copy(_) => (2, claim.run, claim.step),
        },
    };
    (seen.created, class, run, step, seen.id.clone())
}
