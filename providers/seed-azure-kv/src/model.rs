//! Every interleaving of a few runs, and of a person, over the service's semantics.

use std::collections::HashSet;

use crate::claim::{Claim, Purpose};
use crate::decide::{Decision, SKEW, Seen, Why, decide, stands};

/// What a run is about to do. Times are ticks of a second.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Step {
    Look,
    Put {
        looked: i64,
        what: What,
    },
    /// It waits for an answer: to its first write, or to a value that it puts back.
    Sent {
        settles: Option<(usize, i64)>,
    },
    /// The answer is lost, and it looks whether the write was done.
    Lost {
        since: i64,
        looked: i64,
    },
    Settle {
        version: usize,
        wrote: i64,
    },
    PutBack {
        version: usize,
        wrote: i64,
        of: usize,
        decided: i64,
    },
    Done(End),
    Killed,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum End {
    /// Somebody was there before it wrote.
    Existed,
    /// Its version counts.
    Ours(usize),
    Theirs(usize),
    Unclear(&'static str),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum What {
    After(usize),
    Copy(usize),
    First,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Version {
    created: i64,
    /// The run, or nobody's.
    by: Option<usize>,
    looked: i64,
    what: What,
    /// The run's own count of its writes.
    step: u64,
}

/// A write that was sent and is not there yet.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Flight {
    by: usize,
    looked: i64,
    what: What,
    /// Whether nobody waits for its answer any more.
    lost: bool,
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct World {
    now: i64,
    end: i64,
    versions: Vec<Version>,
    flights: Vec<Flight>,
    runs: Vec<Step>,
    /// The run that adds fields to what stands, if one does; the others create.
    adder: Option<usize>,
    /// Whether somebody may still set a value.
    person: bool,
    /// Whether a run may still be killed.
    kill: bool,
    /// How many writes may still take their time.
    slow: usize,
    /// How many answers to those may still be lost.
    lose: usize,
}

const FRESH: i64 = 1;
const PAUSE: i64 = 2;

impl World {
    fn of(runs: usize) -> Self {
        Self {
            end: 7,
            runs: vec![Step::Look; runs],
            ..Self::default()
        }
    }

    fn seen(&self) -> Vec<Seen> {
        let versions = self.versions.iter().enumerate();
        versions
            .map(|(id, version)| Seen {
                id: id.to_string(),
                created: version.created,
                untouched: true,
                claim: version.by.map(|run| Claim {
                    run: run as u64,
                    step: version.step,
                    looked: version.looked,
                    purpose: match version.what {
                        What::After(base) => Purpose::After(base.to_string()),
                        What::Copy(of) => Purpose::Copy(of.to_string()),
                        What::First => Purpose::First,
                    },
                }),
            })
            .collect()
    }

    fn put(&mut self, by: Option<usize>, looked: i64, what: What) -> usize {
        let step = self.versions.iter().filter(|known| known.by == by).count() as u64;
        self.versions.push(Version {
            created: self.now,
            by,
            looked,
            what,
            step,
        });
        self.versions.len() - 1
    }

    fn root_of(&self, id: usize) -> usize {
        match self.versions[id].what {
            What::Copy(of) => of,
            What::After(_) | What::First => id,
        }
    }

    /// The version whose value readers get.
    fn root(&self) -> Option<usize> {
        Some(self.root_of(self.versions.len().checked_sub(1)?))
    }

    /// Whether readers get that version's value, or one that was made from it.
    fn has(&self, version: usize) -> bool {
        let mut next = self.root();
        while let Some(id) = next {
            if id == version {
                return true;
            }
            next = match self.versions[id].what {
                What::After(base) => Some(self.root_of(base)),
                What::Copy(_) | What::First => None,
            };
        }
        false
    }

    /// What may happen next.
    fn next(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for run in 0..self.runs.len() {
            if matches!(self.runs[run], Step::Done(_) | Step::Killed) {
                continue;
            }
            if self.kill {
                let mut world = self.clone();
                world.runs[run] = Step::Killed;
                world.kill = false;
                next.push(world);
            }
            for world in self.steps(run) {
                if world != *self {
                    next.push(world);
                }
            }
        }
        for flight in 0..self.flights.len() {
            let mut world = self.clone();
            world.land(flight);
            next.push(world);
            if self.lose > 0 && !self.flights[flight].lost {
                let mut world = self.clone();
                world.lose(flight);
                next.push(world);
            }
        }
        if self.person {
            let mut world = self.clone();
            world.person = false;
            world.put(None, 0, What::First);
            next.push(world);
        }
        if self.now < self.end {
            let mut world = self.clone();
            world.now += 1;
            next.push(world);
        }
        next
    }

    /// The write is done at once, or takes its time.
    fn sends(&self, run: usize, looked: i64, what: What) -> Vec<Self> {
        let mut world = self.clone();
        let lost = matches!(world.runs[run], Step::Killed);
        let flight = Flight {
            by: run,
            looked,
            what,
            lost,
        };
        world.flights.push(flight);
        let mut next = Vec::new();
        if self.slow > 0 {
            let mut world = world.clone();
            world.slow -= 1;
            next.push(world);
        }
        world.land(world.flights.len() - 1);
        next.push(world);
        next
    }

    fn land(&mut self, flight: usize) {
        let flight = self.flights.remove(flight);
        let version = self.put(Some(flight.by), flight.looked, flight.what);
        let step = &mut self.runs[flight.by];
        if let (Step::Sent { settles }, false) = (&*step, flight.lost) {
            let (version, wrote) = settles.unwrap_or((version, self.now));
            *step = Step::Settle { version, wrote };
        }
    }

    fn lose(&mut self, flight: usize) {
        self.lose -= 1;
        self.flights[flight].lost = true;
        let Flight { by, looked, .. } = self.flights[flight];
        let since = self.now;
        if let Step::Sent { settles } = self.runs[by] {
            self.runs[by] = match settles {
                Some((version, wrote)) => Step::Settle { version, wrote },
                None => Step::Lost { since, looked },
            };
        }
    }

    fn steps(&self, run: usize) -> Vec<Self> {
        let mut world = self.clone();
        if let Step::Put { looked, what } = self.runs[run]
            && self.now - looked <= FRESH
        {
            world.runs[run] = Step::Sent { settles: None };
            return world.sends(run, looked, what);
        }
        if let Step::PutBack {
            version,
            wrote,
            of,
            decided,
        } = self.runs[run]
            && self.now - decided <= FRESH
        {
            let settles = Some((version, wrote));
            world.runs[run] = Step::Sent { settles };
            return world.sends(run, decided, What::Copy(of));
        }
        world.runs[run] = self.step(run, self.runs[run].clone());
        vec![world]
    }

    /// What a run does next that changes nothing but itself.
    fn step(&self, run: usize, step: Step) -> Step {
        let looked = self.now;
        match step {
            Step::Look if self.adder == Some(run) => self.look_to_add(),
            Step::Look if self.versions.is_empty() => {
                let what = What::First;
                Step::Put { looked, what }
            }
            Step::Look => Step::Done(End::Existed),
            Step::Put { .. } => Step::Look,
            Step::Lost { since, looked } => {
                let own = |version: &Version| version.by == Some(run) && version.looked == looked;
                match self.versions.iter().position(own) {
                    Some(version) => Step::Settle {
                        version,
                        wrote: self.now,
                    },
                    None if self.now < since + PAUSE => Step::Lost { since, looked },
                    None => Step::Done(End::Unclear("lost")),
                }
            }
            Step::PutBack { version, wrote, .. } => Step::Settle { version, wrote },
            Step::Settle { wrote, .. } if self.now < wrote + PAUSE => step,
            Step::Settle { version, wrote } => match self.decide(run, version) {
                Decision::Wait => Step::Settle { version, wrote },
                Decision::Ours { .. } | Decision::Followed(_) => Step::Done(End::Ours(version)),
                Decision::Theirs(of) => Step::Done(End::Theirs(of.parse().unwrap())),
                Decision::PutBack(of) => Step::PutBack {
                    version,
                    wrote,
                    of: of.parse().unwrap(),
                    decided: self.now,
                },
                Decision::Unclear(why) => Step::Done(End::Unclear(match why {
                    Why::Foreign(_) => "foreign",
                    Why::Gone => "gone",
                    Why::Paused => "paused",
                    Why::Touched(_) => "touched",
                })),
            },
            ended @ (Step::Sent { .. } | Step::Done(_) | Step::Killed) => ended,
        }
    }

    fn look_to_add(&self) -> Step {
        let Some(current) = self.versions.len().checked_sub(1) else {
            return Step::Look;
        };
        let is_old = self.now > self.versions[current].created + SKEW;
        if is_old && stands(&self.seen(), &current.to_string(), self.now) {
            let (looked, what) = (self.now, What::After(current));
            return Step::Put { looked, what };
        }
        Step::Look
    }

    fn decide(&self, run: usize, version: usize) -> Decision {
        let current = (self.versions.len() - 1).to_string();
        decide(
            &self.seen(),
            &current,
            &version.to_string(),
            run as u64,
            self.now,
        )
    }

    /// Whether a run says that something is not as it should be, or cannot say anything any more.
    fn is_told(&self) -> bool {
        let told = |step: &Step| matches!(step, Step::Done(End::Unclear(_)) | Step::Killed);
        self.runs.iter().any(told)
    }
}

/// Visits every state, and gives the last ones: nothing can happen any more.
fn ends(begin: World, each: impl Fn(&World)) -> Vec<World> {
    let mut known = HashSet::new();
    let mut open = vec![begin];
    let mut ends = Vec::new();
    while let Some(world) = open.pop() {
        if !known.insert(world.clone()) {
            continue;
        }
        each(&world);
        let next = world.next();
        if next.is_empty() {
            ends.push(world);
        } else {
            open.extend(next);
        }
    }
    ends
}

/// What every run that has ended well believes must be what stands.
fn agrees(world: &World) {
    for step in &world.runs {
        if let Step::Done(End::Ours(of) | End::Theirs(of)) = step {
            assert!(world.has(*of), "{world:?}");
        }
    }
}

/// No two runs go by different values.
fn is_one(world: &World) {
    let goes_by = |step: &Step| match step {
        Step::Done(End::Ours(of) | End::Theirs(of)) => Some(*of),
        Step::Done(End::Existed | End::Unclear(_))
        | Step::Killed
        | Step::Look
        | Step::Lost { .. }
        | Step::Put { .. }
        | Step::PutBack { .. }
        | Step::Sent { .. }
        | Step::Settle { .. } => None,
    };
    let firsts: HashSet<usize> = world
        .runs
        .iter()
        .filter_map(goes_by)
        .map(|mut version| {
            while let What::After(base) = world.versions[version].what {
                version = world.root_of(base);
            }
            version
        })
        .collect();
    assert!(firsts.len() <= 1, "{world:?}");
}

#[test]
fn however_two_or_three_runs_take_turns_all_end_with_one_value() {
    for runs in [2, 3] {
        let mut contested = 0;
        let worlds = ends(World::of(runs), is_one);
        for world in &worlds {
            agrees(world);
            let won = |step: &&Step| matches!(step, Step::Done(End::Ours(_)));
            let winners = world.runs.iter().filter(won);
            let finished = |step: &Step| {
                matches!(
                    step,
                    Step::Done(End::Ours(_) | End::Theirs(_) | End::Existed)
                )
            };
            // Those that began too late in the model's time wait still.
            if world.runs.iter().all(finished) {
                assert_eq!(winners.count(), 1, "{world:?}");
                contested += usize::from(world.versions.len() > runs);
            }
            for step in &world.runs {
                assert!(!matches!(step, Step::Done(End::Unclear(_))), "{world:?}");
            }
        }
        assert!(contested > 0, "no interleaving had a value put back");
    }
}

/// A winner makes other values from its own as soon as it knows; so from then on nothing may win over it.
#[test]
fn who_has_won_is_never_written_over_for_good_even_when_a_run_is_killed() {
    for runs in [2, 3] {
        let mut world = World::of(runs);
        world.kill = true;
        ends(world, |world| {
            is_one(world);
            let won = |step: &Step| matches!(step, Step::Done(End::Ours(_)));
            if world.runs.iter().any(won) {
                agrees(world);
            }
        });
    }
}

/// However long a write is under way, also when its answer is lost: what others have made of what stood before stays.
#[test]
fn a_write_that_comes_late_does_not_undo_what_stood_when_it_came() {
    for (runs, adder, lose) in [(2, None, 0), (2, None, 1), (2, Some(1), 1), (3, Some(2), 0)] {
        let mut world = World::of(runs);
        (world.adder, world.lose, world.slow, world.end) = (adder, lose, 1, 8);
        let (mut late, mut grown) = (0, 0);
        for world in &ends(world, is_one) {
            let waits = |step: &Step| !matches!(step, Step::Done(_) | Step::Killed);
            if world.runs.iter().any(waits) || world.is_told() {
                continue;
            }
            agrees(world);
            let come = |version: &Version| version.created - version.looked > FRESH;
            late += usize::from(world.versions.iter().any(come));
            let adds = |version: &Version| matches!(version.what, What::After(_));
            grown += usize::from(world.versions.iter().any(adds));
        }
        assert!(late > 0, "no write came late");
        assert_eq!(grown > 0, adder.is_some(), "nothing was added");
    }
}

#[test]
fn a_person_who_sets_a_value_keeps_it_or_a_run_says_that_it_was_written_over() {
    for (runs, kill, slow, lose) in [(1, false, 1, 1), (2, false, 0, 0), (2, true, 0, 0)] {
        let mut world = World::of(runs);
        (world.person, world.kill) = (true, kill);
        (world.slow, world.lose) = (slow, lose);
        let worlds = ends(world, |_| {});
        for world in &worlds {
            let persons = |version: &Version| version.by.is_none();
            let Some(person) = world.versions.iter().position(persons) else {
                continue;
            };
            let waiting = world
                .runs
                .iter()
                .any(|step| !matches!(step, Step::Done(_) | Step::Killed));
            assert!(
                world.root() == Some(person) || world.is_told() || waiting,
                "{world:?}"
            );
            // While all wait or are done, nobody writes over it.
            let mut later = world.versions.iter().skip(person + 1);
            let written_over = later.all(|later| later.looked <= world.versions[person].created);
            assert!(written_over || world.root() == Some(person), "{world:?}");
        }
    }
}

#[test]
fn a_run_that_was_paused_for_longer_than_its_claim_lives_says_so_and_changes_nothing() {
    let mut world = World::of(2);
    world.put(Some(0), 0, What::First);
    let version = world.put(Some(1), 0, What::First);
    world.now = 31 * 60;
    let decision = world.decide(1, version);
    assert_eq!(decision, Decision::Unclear(Why::Paused));
    // Whoever looks then takes the version for somebody's who meant it.
    world.now = 31 * 60 + 2;
    let late = world.put(Some(2), 31 * 60, What::First);
    world.now = 31 * 60 + 4;
    assert_eq!(world.decide(2, late), Decision::PutBack("1".to_owned()));
    assert!(stands(&world.seen()[..2], "1", world.now));
}

#[test]
fn a_write_that_came_long_after_its_look_says_so() {
    let mut world = World::of(1);
    world.now = 100;
    let version = world.put(Some(0), 0, What::First);
    world.now = 102;
    assert_eq!(world.decide(0, version), Decision::Unclear(Why::Paused));
    world.put(Some(0), i64::MIN, What::First);
    assert_eq!(world.decide(0, 1), Decision::Unclear(Why::Paused));
}

#[test]
fn within_one_second_the_claim_decides_and_a_person_goes_first() {
    let mut world = World::of(2);
    let second = world.put(Some(1), 0, What::First);
    let first = world.put(Some(0), 0, What::First);
    assert_eq!(world.decide(0, first), Decision::Wait);
    world.now = 1 + SKEW;
    assert_eq!(
        world.decide(0, first),
        Decision::Ours { contested: true },
        "the newest is the first one's"
    );
    assert_eq!(world.decide(1, second), Decision::Theirs(first.to_string()));
    let mut world = World::of(1);
    let person = world.put(None, 0, What::First);
    let run = world.put(Some(0), 0, What::First);
    world.now = 1 + SKEW;
    assert_eq!(world.decide(0, run), Decision::PutBack(person.to_string()));
}

/// The values of each line: who wrote when, and what the last one does about it.
#[test]
fn what_follows_a_version_that_does_not_count_does_not_count_either() {
    let mut world = World::of(3);
    let put = |world: &mut World, now, by, what| {
        world.now = now;
        world.put(by, now - 1, what)
    };
    let first = put(&mut world, 10, Some(0), What::First);
    let second = put(&mut world, 12, Some(1), What::First);
    let third = put(&mut world, 14, Some(2), What::After(second));
    world.now = 20;
    let back = Decision::PutBack(first.to_string());
    assert_eq!(world.decide(2, third), back);
    assert_eq!(world.decide(1, second), Decision::Wait);
    // Whoever puts it back with an older look than that of a version in between puts back again.
    let copy = put(&mut world, 20, Some(1), What::Copy(first));
    world.now = 24;
    let theirs = Decision::Theirs(first.to_string());
    assert_eq!(world.decide(2, third), theirs);
    assert_eq!(world.decide(0, first), Decision::Ours { contested: true });
    // A copy is what it is a copy of.
    let fourth = put(&mut world, 25, Some(2), What::After(copy));
    world.now = 30;
    assert_eq!(world.decide(2, fourth), Decision::Ours { contested: false });
    assert_eq!(
        world.decide(0, first),
        Decision::Followed(fourth.to_string())
    );
    let late = put(&mut world, 31, Some(1), What::First);
    world.now = 35;
    let back = Decision::PutBack(fourth.to_string());
    assert_eq!(world.decide(1, late), back);
}

#[test]
fn of_several_versions_that_were_recovered_the_newest_is_put_back() {
    let mut world = World::of(1);
    world.put(None, 0, What::First);
    world.now = 2;
    let newest = world.put(None, 0, What::First);
    world.now = 10;
    let version = world.put(Some(0), 9, What::First);
    world.now = 12;
    assert_eq!(
        world.decide(0, version),
        Decision::PutBack(newest.to_string())
    );
}

#[test]
fn a_claim_that_two_versions_have_is_that_of_the_older_one() {
    let mut world = World::of(1);
    let run = world.put(Some(0), 0, What::First);
    world.now = 4;
    let copied = world.put(None, 0, What::First);
    let mut seen = world.seen();
    seen[copied].claim = seen[run].claim.clone();
    let decide = |seen: &[Seen]| decide(seen, "1", "0", 0, 8);
    let foreign = |id: usize| Decision::Unclear(Why::Foreign(id.to_string()));
    assert_eq!(decide(&seen), foreign(copied));
    seen[copied].created = 0;
    assert_eq!(decide(&seen), foreign(run));
}

#[test]
fn what_somebody_has_touched_is_left_as_it_is() {
    let mut world = World::of(2);
    world.put(Some(0), 0, What::First);
    let ours = world.put(Some(1), 0, What::First);
    world.now = 2;
    let mut seen = world.seen();
    seen[0].untouched = false;
    let decision = decide(&seen, "1", "1", 1, 2);
    assert_eq!(decision, Decision::Unclear(Why::Touched("0".to_owned())));
    seen.remove(1);
    let decision = decide(&seen, "0", &ours.to_string(), 1, 2);
    assert_eq!(decision, Decision::Unclear(Why::Gone));
}
