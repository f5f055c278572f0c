//! Every interleaving of a few runs, and of a person, over the service's semantics.

use std::collections::HashSet;

use crate::claim::{Claim, Purpose};
use crate::decide::{Decision, Seen, Why, decide};

/// What a run is about to do. Times are ticks of a second.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Step {
    Look,
    Put {
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
    Ours,
    Theirs(usize),
    Unclear(&'static str),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Version {
    created: i64,
    /// The run, or nobody's.
    by: Option<usize>,
    looked: i64,
    copy: Option<usize>,
    /// The run's own count of its writes.
    step: u64,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct World {
    now: i64,
    versions: Vec<Version>,
    runs: Vec<Step>,
    /// Whether somebody may still set a value.
    person: bool,
    /// Whether a run may still be killed.
    kill: bool,
}

const FRESH: i64 = 1;
const PAUSE: i64 = 2;
const END: i64 = 7;

impl World {
    fn new(runs: usize, person: bool, kill: bool) -> Self {
        Self {
            now: 0,
            versions: Vec::new(),
            runs: vec![Step::Look; runs],
            person,
            kill,
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
                    purpose: match version.copy {
                        Some(of) => Purpose::Copy(of.to_string()),
                        None => Purpose::First,
                    },
                }),
            })
            .collect()
    }

    fn put(&mut self, by: Option<usize>, looked: i64, copy: Option<usize>) -> usize {
        let step = self.versions.iter().filter(|known| known.by == by).count() as u64;
        self.versions.push(Version {
            created: self.now,
            by,
            looked,
            copy,
            step,
        });
        self.versions.len() - 1
    }

    /// The version whose value stands.
    fn root(&self) -> Option<usize> {
        let last = self.versions.last()?;
        Some(last.copy.unwrap_or(self.versions.len() - 1))
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
            let mut world = self.clone();
            world.step(run);
            if world != *self {
                next.push(world);
            }
        }
        if self.person {
            let mut world = self.clone();
            world.person = false;
            world.put(None, 0, None);
            next.push(world);
        }
        if self.now < END {
            let mut world = self.clone();
            world.now += 1;
            next.push(world);
        }
        next
    }

    fn step(&mut self, run: usize) {
        self.runs[run] = match self.runs[run].clone() {
            Step::Look if self.versions.is_empty() => Step::Put { looked: self.now },
            Step::Look => Step::Done(End::Existed),
            Step::Put { looked } if self.now - looked > FRESH => Step::Look,
            Step::Put { looked } => Step::Settle {
                version: self.put(Some(run), looked, None),
                wrote: self.now,
            },
            Step::Settle { version, wrote } if self.now < wrote + PAUSE => {
                Step::Settle { version, wrote }
            }
            Step::Settle { version, wrote } => match self.decide(run, version) {
                Decision::Wait => Step::Settle { version, wrote },
                Decision::Ours { .. } => Step::Done(End::Ours),
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
            Step::PutBack {
                version,
                wrote,
                of,
                decided,
            } => {
                if self.now - decided <= FRESH {
                    self.put(Some(run), decided, Some(of));
                }
                Step::Settle { version, wrote }
            }
            ended @ (Step::Done(_) | Step::Killed) => ended,
        };
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
    for (run, step) in world.runs.iter().enumerate() {
        match step {
            Step::Done(End::Ours) => {
                let root = world.root().unwrap();
                assert_eq!(world.versions[root].by, Some(run), "{world:?}");
            }
            Step::Done(End::Theirs(of)) => assert_eq!(world.root(), Some(*of), "{world:?}"),
            Step::Done(End::Existed | End::Unclear(_))
            | Step::Killed
            | Step::Look
            | Step::Put { .. }
            | Step::PutBack { .. }
            | Step::Settle { .. } => {}
        }
    }
}

#[test]
fn however_two_or_three_runs_take_turns_all_end_with_one_value() {
    for runs in [2, 3] {
        let mut contested = 0;
        let worlds = ends(World::new(runs, false, false), |_| {});
        for world in &worlds {
            agrees(world);
            let winners = world
                .runs
                .iter()
                .filter(|step| **step == Step::Done(End::Ours));
            let finished =
                |step: &Step| matches!(step, Step::Done(End::Ours | End::Theirs(_) | End::Existed));
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
        ends(World::new(runs, false, true), |world| {
            let won = world
                .runs
                .iter()
                .position(|step| *step == Step::Done(End::Ours));
            let Some(won) = won else { return };
            let root = world.root().unwrap();
            assert_eq!(world.versions[root].by, Some(won), "{world:?}");
            for step in &world.runs {
                if let Step::Done(End::Theirs(of)) = step {
                    assert_eq!(world.versions[*of].by, Some(won), "{world:?}");
                }
            }
        });
    }
}

#[test]
fn a_person_who_sets_a_value_keeps_it_or_a_run_says_that_it_was_written_over() {
    for (runs, kill) in [(1, false), (2, false), (2, true)] {
        let worlds = ends(World::new(runs, true, kill), |_| {});
        for world in &worlds {
            let person = world
                .versions
                .iter()
                .position(|version| version.by.is_none());
            let Some(person) = person else { continue };
            let told = world
                .runs
                .iter()
                .any(|step| matches!(step, Step::Done(End::Unclear("foreign")) | Step::Killed));
            let waiting = world
                .runs
                .iter()
                .any(|step| !matches!(step, Step::Done(_) | Step::Killed));
            assert!(world.root() == Some(person) || told || waiting, "{world:?}");
            // While all wait or are done, nobody writes over it.
            let written_over = world
                .versions
                .iter()
                .skip(person + 1)
                .all(|version| version.looked <= world.versions[person].created);
            assert!(written_over || world.root() == Some(person), "{world:?}");
        }
    }
}

#[test]
fn a_run_that_was_paused_for_longer_than_its_claim_lives_says_so_and_changes_nothing() {
    let mut world = World::new(2, false, false);
    world.step(0);
    world.step(1);
    world.step(0);
    world.step(1);
    let Step::Settle { version, .. } = world.runs[1] else {
        panic!("{world:?}");
    };
    world.now = 31 * 60;
    let decision = world.decide(1, version);
    assert_eq!(decision, Decision::Unclear(Why::Paused));
    // Whoever looks then takes the version for somebody's who meant it.
    world.now = 30 * 60;
    let late = world.put(Some(2), 30 * 60, None);
    world.now = 31 * 60;
    let foreign = world.decide(2, late);
    assert_eq!(foreign, Decision::Unclear(Why::Foreign("1".to_owned())));
}

#[test]
fn a_write_that_came_long_after_its_look_says_so() {
    let mut world = World::new(1, false, false);
    world.now = 100;
    let version = world.put(Some(0), 0, None);
    world.now = 102;
    assert_eq!(world.decide(0, version), Decision::Unclear(Why::Paused));
}

#[test]
fn within_one_second_the_claim_decides_and_a_person_goes_first() {
    let mut world = World::new(2, false, false);
    let second = world.put(Some(1), 0, None);
    let first = world.put(Some(0), 0, None);
    assert_eq!(world.decide(0, first), Decision::Wait);
    world.now = 1;
    assert_eq!(
        world.decide(0, first),
        Decision::Ours { contested: true },
        "the newest is the first one's"
    );
    assert_eq!(world.decide(1, second), Decision::Theirs(first.to_string()));
    let mut world = World::new(1, false, false);
    let person = world.put(None, 0, None);
    let run = world.put(Some(0), 0, None);
    world.now = 1;
    assert_eq!(world.decide(0, run), Decision::PutBack(person.to_string()));
}

#[test]
fn what_somebody_has_touched_is_left_as_it_is() {
    let mut world = World::new(2, false, false);
    world.put(Some(0), 0, None);
    let ours = world.put(Some(1), 0, None);
    world.now = 2;
    let mut seen = world.seen();
    seen[0].untouched = false;
    let decision = decide(&seen, "1", "1", 1, 2);
    assert_eq!(decision, Decision::Unclear(Why::Touched("0".to_owned())));
    seen.remove(1);
    let decision = decide(&seen, "0", &ours.to_string(), 1, 2);
    assert_eq!(decision, Decision::Unclear(Why::Gone));
}
