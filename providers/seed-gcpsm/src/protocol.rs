//! How a first version comes into a secret when the service knows no write that is refused where one is.
//!
//! A secret and its first version are two calls, `CreateSecret` and `AddSecretVersion`. The first is refused where the name
//! is taken; the second never is. `UpdateSecret` is refused where the secret has changed since it was looked at, but adding
//! a version is no such change. So nobody adds a first version without holding a claim:
//!
//! 1. Who creates the secret holds its claim from the beginning: the claim comes with it.
//! 2. Who finds a secret without a version looks at its claim. While that of somebody else is fresh, it waits. Otherwise it
//!    sets its own, under the etag that it looked at, and looks for versions once more before it adds one.
//! 3. Nobody adds with a claim that is no longer young.
//! 4. An answer that is lost is settled by looking, where looking settles it: the claim itself tells whose the secret is.
//!    A lost `AddSecretVersion` is not sent again here.
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
    /// Wait a little for the owner of the claim, and [`Step::Look`] again.
    Wait,
    /// Add the version if our claim is young. Told by [`Protocol::added`], or by [`Protocol::aged`].
    Add,
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

/// Where one writer is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Protocol {
    /// Whether the claim in the secret is ours, as far as we know.
    holds: bool,
    /// Whether we set it in a secret that was there.
    adopted: bool,
    /// How many steps may follow that begin something anew.
    left: u8,
}

impl Protocol {
    /// Begins with [`Step::Create`].
    pub(crate) fn begin() -> (Self, Step) {
        let protocol = Self {
            holds: false,
            adopted: false,
            left: ROUNDS,
        };
        (protocol, Step::Create)
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
            Sent::Refused => Step::Look,
            // Whose it is tells whether it was done.
            Sent::Lost => Step::Meet,
            Sent::Gone => Step::End(End::Restless),
        }
    }

    /// The newest version's number, or that there is none, or no secret.
    pub(crate) fn looked(&mut self, newest: Option<u64>) -> Step {
        match newest {
            None => self.anew(Step::Create),
            Some(0) if self.holds => Step::Add,
            Some(0) => Step::Meet,
            Some(_) => Step::End(End::Taken),
        }
    }

    /// What the claim says, and whether it is young if it is ours. `None` where there is no secret.
    pub(crate) fn met(&mut self, met: Option<(Standing, bool)>) -> Step {
        match met {
            None => self.anew(Step::Create),
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
            Err(Sent::Lost) => Step::End(End::InDoubt),
            Err(Sent::Done | Sent::Refused) => Step::End(End::Restless),
        }
    }

    /// A step that begins something anew, as long as there is a point in it.
    fn anew(&mut self, step: Step) -> Step {
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
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The service, as far as it matters: one secret.
    #[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
    struct Secret {
        /// Who holds the claim, and whether it is still fresh.
        claim: Option<(usize, bool)>,
        /// Who added each version.
        versions: Vec<usize>,
    }

    #[derive(Clone, Debug, Eq, Hash, PartialEq)]
    struct Process {
        protocol: Protocol,
        step: Step,
        /// Whether the etag that it met is still that of the secret.
        fits: bool,
        young: bool,
        dead: bool,
    }

    #[derive(Clone, Debug, Eq, Hash, PartialEq)]
    struct World {
        secret: Option<Secret>,
        processes: Vec<Process>,
        /// How many answers may still be lost, how many processes may still die.
        losses: u8,
        deaths: u8,
    }

    /// What the network does to one request.
    #[derive(Clone, Copy, Debug)]
    enum Fate {
        Well,
        NeverArrives,
        AnswerLost,
    }

    impl World {
        fn of(processes: usize, shell: bool, losses: u8, deaths: u8) -> Self {
            let (mut protocol, step) = Protocol::begin();
            // Enough to meet everybody once; more only repeats it.
            protocol.left = 2;
            let process = Process {
                protocol,
                step,
                fits: false,
                young: false,
                dead: false,
            };
            Self {
                secret: shell.then(Secret::default),
                processes: vec![process; processes],
                losses,
                deaths,
            }
        }

        /// One process does its next step.
        fn step(&self, who: usize, fate: Fate) -> Self {
            let mut world = self.clone();
            let mut process = world.processes[who].clone();
            if !matches!(fate, Fate::Well) {
                world.losses -= 1;
            }
            process.step = match process.step {
                Step::Create | Step::Claim | Step::Add => world.write(who, &mut process, fate),
                Step::Look | Step::Meet => world.look(who, &mut process),
                Step::Wait => Step::Look,
                Step::End(end) => Step::End(end),
            };
            world.processes[who] = process;
            world
        }

        fn look(&self, who: usize, process: &mut Process) -> Step {
            let secret = self.secret.as_ref();
            if process.step == Step::Look {
                let versions = secret.map(|secret| secret.versions.len() as u64);
                return process.protocol.looked(versions);
            }
            process.fits = secret.is_some();
            let met = secret.map(|secret| match secret.claim {
                Some((owner, _)) if owner == who => (Standing::Ours, process.young),
                Some((_, true)) if secret.versions.is_empty() => (Standing::Theirs, false),
                Some(_) | None => (Standing::Free, false),
            });
            process.protocol.met(met)
        }

        fn write(&mut self, who: usize, process: &mut Process, fate: Fate) -> Step {
            let arrives = !matches!(fate, Fate::NeverArrives);
            let told = |sent| {
                if matches!(fate, Fate::Well) {
                    sent
                } else {
                    Sent::Lost
                }
            };
            match (process.step, &mut self.secret) {
                (Step::Create, Some(_)) => process.protocol.created(told(Sent::Refused)),
                (Step::Create, none) => {
                    if arrives {
                        let claim = Some((who, true));
                        *none = Some(Secret {
                            claim,
                            ..Secret::default()
                        });
                        process.young = true;
                    }
                    process.protocol.created(told(Sent::Done))
                }
                (Step::Claim, Some(secret)) => {
                    let fits = std::mem::take(&mut process.fits);
                    if arrives && fits {
                        secret.claim = Some((who, true));
                        process.young = true;
                        for other in &mut self.processes {
                            other.fits = false;
                        }
                    }
                    let sent = if fits { Sent::Done } else { Sent::Refused };
                    process.protocol.claimed(told(sent))
                }
                (Step::Add, Some(_)) if !process.young => process.protocol.aged(),
                (Step::Add, Some(secret)) => {
                    if arrives {
                        secret.versions.push(who);
                    }
                    let number = secret.versions.len() as u64;
                    let answered = matches!(fate, Fate::Well);
                    let sent = if answered {
                        Ok(number)
                    } else {
                        Err(Sent::Lost)
                    };
                    process.protocol.added(sent)
                }
                (step, _) => panic!("{step:?} without a secret"),
            }
        }

        /// Time passes until the claim is dead. By then its owner, alive or not, counts it as old.
        fn age(&self) -> Option<Self> {
            let mut world = self.clone();
            let (owner, fresh) = world.secret.as_mut()?.claim.as_mut()?;
            if !std::mem::take(fresh) {
                return None;
            }
            world.processes[*owner].young = false;
            Some(world)
        }

        fn after(&self) -> Vec<Self> {
            let mut worlds = Vec::new();
            for (who, process) in self.processes.iter().enumerate() {
                if process.dead || matches!(process.step, Step::End(_)) {
                    continue;
                }
                worlds.push(self.step(who, Fate::Well));
                let writes = matches!(process.step, Step::Create | Step::Claim | Step::Add);
                if self.losses > 0 && writes && (process.step != Step::Add || process.young) {
                    worlds.push(self.step(who, Fate::NeverArrives));
                    worlds.push(self.step(who, Fate::AnswerLost));
                }
                if self.deaths > 0 {
                    let mut world = self.clone();
                    world.deaths -= 1;
                    world.processes[who].dead = true;
                    worlds.push(world);
                }
            }
            worlds.extend(self.age());
            worlds
        }

        fn versions(&self) -> usize {
            self.secret
                .as_ref()
                .map_or(0, |secret| secret.versions.len())
        }

        fn is_over(&self) -> bool {
            let over = |process: &Process| process.dead || matches!(process.step, Step::End(_));
            self.processes.iter().all(over)
        }
    }

    /// Every state that any order of steps, losses, deaths and pauses leads to.
    fn explore(begin: World, mut check: impl FnMut(&World)) -> usize {
        let mut seen = HashSet::new();
        let mut open = vec![begin];
        while let Some(world) = open.pop() {
            if seen.contains(&world) {
                continue;
            }
            check(&world);
            open.extend(world.after());
            seen.insert(world);
        }
        seen.len()
    }

    #[test]
    fn in_no_order_of_steps_two_versions_come_into_a_secret() {
        for shell in [false, true] {
            for (processes, losses, deaths) in [(2, 0, 0), (2, 2, 1), (3, 0, 0)] {
                let states = explore(World::of(processes, shell, losses, deaths), |world| {
                    assert!(world.versions() <= 1, "{world:?}");
                });
                assert!(states > 20, "{states}");
            }
        }
    }

    #[test]
    fn when_nothing_is_lost_one_of_them_is_first_and_the_others_know_it() {
        for shell in [false, true] {
            let mut ends = 0;
            explore(World::of(3, shell, 0, 0), |world| {
                if !world.is_over() {
                    return;
                }
                ends += 1;
                let count = |end| {
                    let of = |process: &&Process| process.step == Step::End(end);
                    world.processes.iter().filter(of).count()
                };
                let restless = count(End::Restless);
                assert_eq!(world.versions(), count(End::First), "{world:?}");
                assert_eq!(
                    count(End::First) + count(End::Taken) + restless,
                    3,
                    "{world:?}"
                );
            });
            assert!(ends > 0);
        }
    }

    #[test]
    fn whoever_ends_without_a_doubt_tells_the_truth() {
        explore(World::of(2, true, 2, 1), |world| {
            for (who, process) in world.processes.iter().enumerate() {
                let ours = world
                    .secret
                    .as_ref()
                    .is_some_and(|s| s.versions.contains(&who));
                match process.step {
                    Step::End(End::First) => assert!(ours, "{world:?}"),
                    Step::End(End::Taken) => assert!(!ours && world.versions() == 1, "{world:?}"),
                    Step::End(End::Restless) => assert!(!ours, "{world:?}"),
                    Step::End(End::Second(_)) => panic!("{world:?}"),
                    Step::End(End::InDoubt)
                    | Step::Create
                    | Step::Look
                    | Step::Meet
                    | Step::Claim
                    | Step::Wait
                    | Step::Add => {}
                }
            }
        });
    }

    #[test]
    fn a_writer_that_knows_no_claims_is_seen_in_the_number() {
        let (mut protocol, step) = Protocol::begin();
        assert_eq!(step, Step::Create);
        assert_eq!(protocol.created(Sent::Done), Step::Add);
        assert_eq!(protocol.added(Ok(2)), Step::End(End::Second(2)));
    }

    #[test]
    fn a_secret_that_comes_and_goes_is_left_alone_at_last() {
        let (mut protocol, _) = Protocol::begin();
        let mut steps = 0;
        while protocol.looked(None) == Step::Create {
            assert_eq!(protocol.created(Sent::Refused), Step::Look);
            steps += 1;
        }
        assert_eq!(steps, usize::from(ROUNDS));
    }
}
