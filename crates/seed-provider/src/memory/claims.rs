//! Which of several versions stands, by the claims of those who wrote them.

use std::sync::Arc;

use seed_core::inventory::Version;

use super::kept::Kept;

/// How long after its look a run still sends its write, in seconds.
pub(super) const FRESH: i64 = 2;

/// How far a version may be from its writer's look, in seconds: later, it is nobody's who still runs.
const APART: i64 = 4;

/// How long after the last write everybody who looked before it has written too, in seconds.
pub(super) const PAUSE: i64 = 6;

/// How long a claim lives, in seconds.
pub(super) const LIFE: i64 = 60;

/// One version.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) version: Version,
    /// When it was written, in whole seconds.
    pub(super) second: i64,
    /// None of a person's.
    pub(super) claim: Option<Claim>,
    pub(super) kept: Arc<Kept>,
}

/// What a run says of a version that it writes.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) run: u64,
    pub(super) looked: i64,
    pub(super) purpose: Purpose,
}

#[derive(Clone, Eq, PartialEq)]
pub(super) enum Purpose {
    /// It adds to that version, and keeps all that it has.
    Added(Version),
    /// It puts that version back.
    Copy(Version),
    /// It is the first, as far as its writer saw.
    First,
    /// It stands in that version's place.
    Replaced(Version),
}

/// What is to be done about a name.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Decision {
    Ours { contested: bool },
    PutBack(Version),
    Theirs,
    Unclear(&'static str),
    Wait,
}

/// Decides what `run` does about the version `ours` at `now`.
///
/// The first version since its writer looked wins, by seconds, and within one second by what nobody can change later.
pub(super) fn decide(rows: &[Row], ours: &Version, run: u64, now: i64) -> Decision {
    let me = find(rows, ours).and_then(|row| Some((row, row.claim.as_ref()?)));
    let (Some((me, claim)), Some(newest)) = (me, rows.last()) else {
        return Decision::Unclear("the version that this run wrote is gone");
    };
    if !is_live(me, now) {
        return Decision::Unclear("this run was held up for longer than its claim lives");
    }
    if now - me.second <= FRESH {
        return Decision::Wait;
    }
    let episode = episode(rows, &claim.purpose);
    let Some((first, later)) = episode.split_first() else {
        return Decision::Unclear("the version that this run wrote is gone");
    };
    if !later.iter().all(|row| is_live(row, now)) {
        return Decision::Unclear(
            "somebody who is no running `seed` wrote it too; what stands was left as it is",
        );
    }
    let mine = |row: &Row| row.claim.as_ref().is_some_and(|claim| claim.run == run);
    if root(rows, &episode, newest).version == first.version {
        if mine(first) {
            let contested = !later.iter().all(|row| mine(row));
            return Decision::Ours { contested };
        }
        return Decision::Theirs;
    }
    if mine(newest) {
        return Decision::PutBack(first.version.clone());
    }
    Decision::Wait
}

/// Whether what stands under a name will stand, as far as runs are concerned: nothing is made from it before.
pub(super) fn stands(rows: &[Row], now: i64) -> bool {
    let Some(newest) = rows.last() else {
        return true;
    };
    let Some(claim) = newest.claim.as_ref().filter(|_| is_live(newest, now)) else {
        return true;
    };
    if let Purpose::Copy(_) = claim.purpose {
        return true;
    }
    let episode = episode(rows, &claim.purpose);
    let is_first = episode
        .first()
        .is_some_and(|row| row.version == root(rows, &episode, newest).version);
    is_first && now - newest.second > APART
}

/// All versions since the writer of one of them looked, in the order in which they count.
fn episode<'a>(rows: &'a [Row], purpose: &Purpose) -> Vec<&'a Row> {
    let begin = match purpose {
        Purpose::Added(base) | Purpose::Replaced(base) => {
            find(rows, base).map_or(i64::MIN, |row| row.second)
        }
        Purpose::Copy(_) | Purpose::First => i64::MIN,
    };
    let mut episode: Vec<&Row> = rows.iter().filter(|row| row.second > begin).collect();
    episode.sort_by_key(|row| place(row));
    episode
}

fn place(row: &Row) -> (i64, u8, u64) {
    let class = |claim: &Claim| match claim.purpose {
        Purpose::First | Purpose::Replaced(_) => 1,
        Purpose::Added(_) => 2,
        Purpose::Copy(_) => 3,
    };
    let claim = row.claim.as_ref();
    (
        row.second,
        claim.map_or(0, class),
        claim.map_or(0, |claim| claim.run),
    )
}

/// The version of an episode whose value it has.
fn root<'a>(rows: &'a [Row], episode: &[&'a Row], row: &'a Row) -> &'a Row {
    let mut row = row;
    // A version is made from an earlier one, so this ends.
    while let Some(Purpose::Copy(of) | Purpose::Added(of)) =
        row.claim.as_ref().map(|claim| &claim.purpose)
    {
        match find(rows, of) {
            Some(of) if episode.iter().any(|row| row.version == of.version) => row = of,
            Some(_) | None => break,
        }
    }
    row
}

fn is_live(row: &Row, now: i64) -> bool {
    let in_time = |claim: &Claim| row.second - claim.looked <= APART;
    row.claim.as_ref().is_some_and(in_time) && now - row.second <= LIFE
}

fn find<'a>(rows: &'a [Row], version: &Version) -> Option<&'a Row> {
    rows.iter().find(|row| row.version == *version)
}
