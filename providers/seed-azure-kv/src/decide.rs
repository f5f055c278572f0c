//! Which of several values stands: the protocol, as a function of what was seen.
//!
//! The service has no conditional write, and gives times in whole seconds. So what stands is told from the history alone,
//! and by all in the same way: of several first versions the oldest counts, of several that follow the same version the
//! oldest, and none that follows one which does not count. What a person sets counts always. What makes this the same
//! answer for all:
//!
//! * Versions never change places. The order is by the second of their making, and within one second by what nobody
//!   can change later: versions of people before those of runs, runs by their claims, copies last.
//! * Nobody decides before the second of its own version is over, and of the one that counts. So every version that could
//!   come before them in this order is there: who has won may make other values from its value, and whoever comes later,
//!   even long after its look, finds that its own does not count.
//! * Nobody writes later than [`FRESH`] after it looked, and everybody waits longer than that after its own write. So
//!   whoever is going to write over a winner has usually done so before the winner looks again.
//!
//! The value that counts is put back by the run that wrote the newest version, and by nobody else; the others wait
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
    /// That version of another run stands, which was made from the run's own.
    Followed(String),
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
const APART: u64 = 90;

/// How long a claim lives. A run of many thousand keys at a slow pace looks at its first version this much later.
pub(crate) const LIFE: i64 = 30 * 60;

/// How far apart the clocks of the service's own machines may be, in seconds.
pub(crate) const SKEW: i64 = 1;

/// Decides what `run` does about the version `ours`, when `current` is the current one. `now` is before the look.
pub(crate) fn decide(versions: &[Seen], current: &str, ours: &str, run: u64, now: i64) -> Decision {
    let history = History::of(versions);
    let mine = |seen: &Seen| seen.claim.as_ref().is_some_and(|claim| claim.run == run);
    let Some(me) = history.by_id(ours) else {
        return Decision::Unclear(Why::Gone);
    };
    if !me.untouched {
        return Decision::Unclear(Why::Touched(me.id.clone()));
    }
    let Some(claim) = &me.claim else {
        return Decision::Unclear(Why::Foreign(me.id.clone()));
    };
    if !is_live(me, now) {
        return Decision::Unclear(Why::Paused);
    }
    let Some(begin) = history.begin(claim) else {
        return Decision::Unclear(Why::Gone);
    };
    if is_young(me, now) {
        return Decision::Wait;
    }
    let mut since = history.0.clone();
    since.retain(|seen| seen.created > begin);
    if let Some(touched) = since.iter().find(|seen| !seen.untouched) {
        return Decision::Unclear(Why::Touched(touched.id.clone()));
    }
    // What came before all others was there between a look and a write: it is put back.
    let mut later = since.iter().skip(1);
    if let Some(foreign) = later.find(|seen| !is_live(seen, now)) {
        return Decision::Unclear(Why::Foreign(foreign.id.clone()));
    }
    let line = history.line();
    let (Some(stands), Some(tip)) = (history.by_id(current), line.last()) else {
        // Newer than the list.
        return Decision::Wait;
    };
    if is_young(tip, now) {
        return Decision::Wait;
    }
    match (root(stands) == root(tip), mine(stands)) {
        (true, _) => {}
        (false, true) => return Decision::PutBack(root(tip).to_owned()),
        (false, false) => return Decision::Wait,
    }
    let contested = !since.iter().all(mine);
    let mut from_ours = line.iter().skip_while(|seen| seen.id != ours).peekable();
    if from_ours.peek().is_none() {
        // The same was sent twice, because an answer was lost.
        let twice = mine(tip)
            && tip
                .claim
                .as_ref()
                .is_some_and(|other| other.purpose == claim.purpose);
        return if twice {
            Decision::Ours { contested }
        } else {
            Decision::Theirs(root(tip).to_owned())
        };
    }
    if from_ours.all(|seen| mine(seen)) {
        Decision::Ours { contested }
    } else {
        Decision::Followed(root(tip).to_owned())
    }
}

/// Whether the value that a reader got is known to stand: no other one is to be put back. `now` is before the look.
pub(crate) fn stands(versions: &[Seen], current: &str, now: i64) -> bool {
    let history = History::of(versions);
    let Some(read) = history.by_id(current) else {
        return false;
    };
    if !is_live(read, now) {
        // A person's, or one whose writers are long done.
        return true;
    }
    let line = history.line();
    line.last()
        .is_some_and(|tip| root(tip) == root(read) && !is_young(tip, now))
}

/// Whether the value that readers get has to give way to one that counts, or may have to.
pub(crate) fn gives_way(versions: &[Seen], current: &str, now: i64) -> bool {
    let history = History::of(versions);
    let line = history.line();
    match (history.by_id(current), line.last()) {
        (Some(read), Some(tip)) => is_live(read, now) && root(tip) != root(read),
        // Newer than the list.
        (None, _) | (_, None) => true,
    }
}

/// All versions, in the order in which they count.
struct History(Vec<Seen>);

impl History {
    fn of(versions: &[Seen]) -> Self {
        let mut history = versions.to_vec();
        for seen in &mut history {
            // Somebody copied the tag of the older one. Of two in one second nobody can tell which that is.
            let is_twin = |other: &Seen| {
                other.id != seen.id && other.claim == seen.claim && other.created <= seen.created
            };
            if seen.claim.is_some() && versions.iter().any(is_twin) {
                seen.claim = None;
            }
        }
        history.sort_by_key(place);
        Self(history)
    }

    fn by_id(&self, id: &str) -> Option<&Seen> {
        self.0.iter().find(|seen| seen.id == id)
    }

    /// The last second of what the writer with this claim knew, if that is there.
    fn begin(&self, claim: &Claim) -> Option<i64> {
        match &claim.purpose {
            // The writer waited until the second of this version was over.
            Purpose::After(base) => Some(self.by_id(base)?.created),
            // Somebody may have recovered older ones since it looked.
            Purpose::Copy(_) | Purpose::First => Some(claim.looked.saturating_sub(SKEW + 1)),
        }
    }

    /// The versions that count, each of which follows the one before: what stands is the value of the last one.
    fn line(&self) -> Vec<&Seen> {
        let mut line: Vec<&Seen> = Vec::new();
        let mut before: Option<&Seen> = None;
        for seen in &self.0 {
            // What stood for so long was meant, whoever wrote it.
            if let Some(before) = before
                && seen.created.saturating_sub(before.created) > LIFE
                && line.last().is_none_or(|tip| root(tip) != root(before))
            {
                line = vec![before];
            }
            before = Some(seen);
            let of_run = seen.claim.as_ref().filter(|claim| is_prompt(seen, claim));
            let Some((claim, tip)) = of_run.zip(line.last()) else {
                line = vec![seen];
                continue;
            };
            match &claim.purpose {
                Purpose::After(base) if self.root_of(base) == root(tip) => line.push(seen),
                Purpose::After(_) | Purpose::Copy(_) | Purpose::First => {}
            }
        }
        line
    }

    fn root_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.by_id(id).map_or(id, root)
    }
}

/// Whether another version may still come before it.
fn is_young(seen: &Seen, now: i64) -> bool {
    now <= seen.created.saturating_add(SKEW)
}

/// Whether a running `seed` wrote it, and it is as it was written.
fn is_live(seen: &Seen, now: i64) -> bool {
    let prompt = seen
        .claim
        .as_ref()
        .is_some_and(|claim| is_prompt(seen, claim));
    seen.untouched && prompt && now.saturating_sub(seen.created) <= LIFE
}

/// Whether it came soon after its writer's look: a tag that somebody copied to a version of their own tells another time.
fn is_prompt(seen: &Seen, claim: &Claim) -> bool {
    seen.created.abs_diff(claim.looked) <= APART
}

/// The version whose value it has.
fn root(seen: &Seen) -> &str {
    match seen.claim.as_ref().map(|claim| &claim.purpose) {
        Some(Purpose::Copy(of)) => of,
        Some(Purpose::After(_) | Purpose::First) | None => &seen.id,
    }
}

/// Where a version stands in the history. Nothing of it changes with time.
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
