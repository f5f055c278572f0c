//! Every order of steps of a few writers, of what the network does to their requests, and of what others do to the secret.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each place handles a few steps, and all others alike"
)]

use std::collections::HashSet;

use super::*;

/// The service, as far as it matters: one secret.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Secret {
    /// Who holds the claim, and whether it is the last that they have sent. A dead one is as good as none.
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
    /// Whether the claim that it has sent last is not dead yet, and by then old to itself.
    young: bool,
    /// Whether the last thing that it was told of the claim is that it is its own.
    told: bool,
    /// Whether a version that it sent was not answered.
    in_doubt: bool,
    /// How often it is still called.
    calls: u8,
    gone: bool,
}

/// A request whose sender has given it up, and that arrives all the same.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Flying {
    who: usize,
    step: Step,
    /// Whether its sender has sent no other claim since then, and whether the one of then lives.
    last: bool,
    live: bool,
    fits: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct World {
    secret: Option<Secret>,
    processes: Vec<Process>,
    flying: Vec<Flying>,
    left: Left,
    broken: Option<Broken>,
}

/// What may still happen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Left {
    /// How many answers are lost.
    losses: u8,
    /// How many processes die.
    deaths: u8,
    /// How many looks show what was there before.
    lags: u8,
    /// How often somebody deletes the secret.
    deletions: u8,
}

/// What could be done wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Broken {
    /// The claim that was sent last is taken for the one that is there.
    YouthOfTheLast,
    /// What was lost is sent again.
    SentAgain,
    /// Only lists are looked at.
    ListsOnly,
}

/// What the network does to one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Well,
    NeverArrives,
    AnswerLost,
    ArrivesLater,
    /// A look that shows what was there before.
    Lags,
}

impl World {
    fn of(processes: usize, shell: bool, left: Left) -> Self {
        let (mut protocol, step) = Protocol::begin(false);
        // Enough to meet everybody once; more only repeats it.
        protocol.left = 1;
        let process = Process {
            protocol,
            step,
            fits: false,
            young: false,
            told: false,
            in_doubt: false,
            calls: 1,
            gone: false,
        };
        Self {
            secret: shell.then(Secret::default),
            processes: vec![process; processes],
            flying: Vec::new(),
            left,
            broken: None,
        }
    }

    /// One process does its next step.
    fn step(&self, who: usize, fate: Fate) -> Self {
        let mut world = self.clone();
        let mut process = world.processes[who].clone();
        match fate {
            Fate::Well => {}
            Fate::Lags => world.left.lags -= 1,
            Fate::NeverArrives | Fate::AnswerLost | Fate::ArrivesLater => world.left.losses -= 1,
        }
        process.step = match process.step {
            Step::Create | Step::Claim | Step::Add => world.write(who, &mut process, fate),
            Step::Look => world.look(&mut process, fate == Fate::Lags),
            Step::Meet => world.meet(who, &mut process, fate == Fate::Lags),
            Step::Prove => {
                let lists_only = world.broken == Some(Broken::ListsOnly);
                Protocol::proved(lists_only || world.versions() == 0)
            }
            Step::Settle => Protocol::settled(world.settled(who)),
            Step::Wait => process.protocol.waited(),
            Step::End(end) => Step::End(end),
        };
        if matches!(process.step, Step::End(_)) {
            // How it came there makes no difference any more.
            (process.protocol, _) = Protocol::begin(false);
            (process.fits, process.told) = (false, false);
        }
        world.processes[who] = process;
        world.forget();
        world
    }

    /// What makes no difference any more.
    fn forget(&mut self) {
        let claim = self.secret.as_ref().and_then(|secret| secret.claim);
        for (who, process) in self.processes.iter_mut().enumerate() {
            let flies = self.flying.iter().any(|request| request.who == who);
            let stands = claim.is_some_and(|(owner, _)| owner == who);
            process.young &= stands || flies || process.told;
            if process.gone {
                (process.protocol, process.step) = Protocol::begin(false);
                (process.fits, process.told) = (false, false);
            }
        }
    }

    fn look(&self, process: &mut Process, lags: bool) -> Step {
        let versions = self.secret.as_ref().map(|secret| secret.versions.len());
        let seen = match versions {
            Some(0) | None if lags => None,
            Some(_) if lags => Some(0),
            seen => seen,
        };
        process.told &= seen.is_some();
        process.protocol.looked(seen.map(|seen| seen as u64))
    }

    fn meet(&self, who: usize, process: &mut Process, lags: bool) -> Step {
        let secret = self.secret.as_ref().filter(|_| !lags);
        process.fits = secret.is_some();
        let met = secret.map(|secret| match secret.claim {
            Some((owner, claim)) if owner == who => {
                let last = claim || self.broken == Some(Broken::YouthOfTheLast);
                (Standing::Ours, last && process.young)
            }
            Some(_) => {
                let over = !secret.versions.is_empty();
                let standing = if over {
                    Standing::Free
                } else {
                    Standing::Theirs
                };
                (standing, false)
            }
            None => (Standing::Free, false),
        });
        process.told = matches!(met, Some((Standing::Ours, true)));
        process.protocol.met(met)
    }

    fn settled(&self, who: usize) -> Settled {
        let versions = self.secret.iter().flat_map(|secret| &secret.versions);
        let versions: Vec<usize> = versions.copied().collect();
        match versions.iter().position(|owner| *owner == who) {
            Some(place) => Settled::Ours(place as u64 + 1),
            None if versions.is_empty() => Settled::Nothing,
            None => Settled::Theirs,
        }
    }

    fn write(&mut self, who: usize, process: &mut Process, fate: Fate) -> Step {
        let step = process.step;
        match step {
            Step::Add if !process.young => return process.protocol.aged(),
            Step::Add => {
                assert!(process.told, "a version under no claim: {self:?}");
                process.in_doubt = fate != Fate::Well;
            }
            _ => {
                process.young = true;
                self.is_not_the_last(who);
            }
        }
        let fits = std::mem::take(&mut process.fits);
        let request = Flying {
            who,
            step,
            last: true,
            live: true,
            fits,
        };
        let sent = match fate {
            Fate::Well => self.arrives(&request),
            Fate::AnswerLost => self.arrives(&request).and(Err(Sent::Lost)),
            Fate::ArrivesLater => {
                self.flying.push(request);
                Err(Sent::Lost)
            }
            Fate::NeverArrives | Fate::Lags => Err(Sent::Lost),
        };
        // A refusal that nobody hears is an answer lost, too.
        let sent = match fate {
            Fate::Well => sent,
            _ => Err(Sent::Lost),
        };
        process.told = sent.is_ok();
        let plain = sent.map_or_else(|sent| sent, |_| Sent::Done);
        match step {
            Step::Create => process.protocol.created(plain),
            Step::Claim => process.protocol.claimed(plain),
            _ => process.protocol.added(sent),
        }
    }

    /// What the service does with a request: the number of a version, if it is one.
    fn arrives(&mut self, request: &Flying) -> Result<u64, Sent> {
        let Flying {
            who,
            step,
            last,
            live,
            ..
        } = *request;
        let claim = live.then_some((who, last));
        match (step, &mut self.secret) {
            (Step::Create, Some(_)) => Err(Sent::Refused),
            (Step::Create, none) => {
                let versions = Vec::new();
                *none = Some(Secret { claim, versions });
                Ok(0)
            }
            (_, None) => Err(Sent::Gone),
            (Step::Claim, Some(_)) if !request.fits => Err(Sent::Refused),
            (Step::Claim, Some(secret)) => {
                secret.claim = claim;
                self.is_another();
                Ok(0)
            }
            (_, Some(secret)) => {
                secret.versions.push(who);
                Ok(secret.versions.len() as u64)
            }
        }
    }

    /// No etag that anybody has met is that of the secret any more.
    fn is_another(&mut self) {
        for process in &mut self.processes {
            process.fits = false;
        }
        for request in &mut self.flying {
            request.fits = false;
        }
    }

    /// Whatever claim of theirs is anywhere, a later one is sent.
    fn is_not_the_last(&mut self, who: usize) {
        if let Some(Secret {
            claim: Some((owner, last)),
            ..
        }) = &mut self.secret
        {
            *last &= *owner != who;
        }
        for request in &mut self.flying {
            request.last &= request.who != who;
        }
    }

    /// Time passes until somebody's claims are dead: all, or all but the last. By then their owner counts them as old, and
    /// what was sent under them has arrived, or never does.
    fn age(&self, who: usize, all: bool) -> Option<Self> {
        let mut world = self.clone();
        let over = |last: bool| all || !last;
        if all {
            world.processes[who].young = false;
        }
        let dies = |request: &Flying| request.who == who && over(request.last);
        world
            .flying
            .retain(|request| !(request.step == Step::Add && dies(request)));
        for request in world.flying.iter_mut().filter(|request| dies(request)) {
            request.live = false;
        }
        if let Some(secret) = &mut world.secret
            && secret
                .claim
                .is_some_and(|(owner, last)| owner == who && over(last))
        {
            secret.claim = None;
        }
        (world != *self).then_some(world)
    }

    /// Whoever called is told of a doubt, finds nothing, and calls again.
    fn call_again(&self, who: usize) -> Self {
        let mut world = self.clone();
        let resends = world.broken == Some(Broken::SentAgain);
        let process = &mut world.processes[who];
        process.calls -= 1;
        let (mut protocol, step) = Protocol::begin(process.in_doubt && !resends);
        protocol.left = 1;
        process.protocol = protocol;
        process.step = step;
        world
    }

    fn after(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        for (who, process) in self.processes.iter().enumerate() {
            worlds.extend(
                [false, true]
                    .into_iter()
                    .filter_map(|all| self.age(who, all)),
            );
            let doubts = process.step == Step::End(End::InDoubt);
            if !process.gone && doubts && process.calls > 0 && self.versions() == 0 {
                worlds.push(self.call_again(who));
            }
            if process.gone || matches!(process.step, Step::End(_)) {
                continue;
            }
            worlds.push(self.step(who, Fate::Well));
            let sends = process.step != Step::Add || process.young;
            if matches!(process.step, Step::Create | Step::Claim | Step::Add)
                && sends
                && self.left.losses > 0
            {
                let fates = [Fate::NeverArrives, Fate::AnswerLost, Fate::ArrivesLater];
                worlds.extend(fates.map(|fate| self.step(who, fate)));
            }
            if matches!(process.step, Step::Look | Step::Meet) && self.left.lags > 0 {
                worlds.push(self.step(who, Fate::Lags));
            }
            if self.left.deaths > 0 {
                let mut world = self.clone();
                world.left.deaths -= 1;
                world.processes[who].gone = true;
                world.forget();
                worlds.push(world);
            }
        }
        for place in 0..self.flying.len() {
            let mut world = self.clone();
            let request = world.flying.remove(place);
            // Nobody hears what becomes of it.
            let _unheard = world.arrives(&request);
            worlds.push(world);
        }
        if self.left.deletions > 0 && self.secret.is_some() {
            let mut world = self.clone();
            world.left.deletions -= 1;
            world.secret = None;
            world.is_another();
            worlds.push(world);
        }
        worlds
    }

    fn versions(&self) -> usize {
        self.secret
            .as_ref()
            .map_or(0, |secret| secret.versions.len())
    }

    fn is_over(&self) -> bool {
        let over = |process: &Process| process.gone || matches!(process.step, Step::End(_));
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

const CALM: Left = Left {
    losses: 0,
    deaths: 0,
    lags: 0,
    deletions: 0,
};

#[test]
fn in_no_order_of_steps_two_versions_come_into_a_secret() {
    for shell in [false, true] {
        let lost = Left { losses: 2, ..CALM };
        let dead = Left {
            losses: 1,
            deaths: 1,
            ..CALM
        };
        let lag = Left {
            losses: 1,
            lags: 1,
            ..CALM
        };
        for (processes, left) in [(2, CALM), (2, lost), (2, dead), (2, lag), (3, CALM)] {
            let states = explore(World::of(processes, shell, left), |world| {
                assert!(world.versions() <= 1, "{world:?}");
            });
            assert!(states > 20, "{states}");
        }
    }
}

/// What this model is good for: it sees what such mistakes lead to.
#[test]
fn each_mistake_that_was_thought_of_leads_to_two_versions() {
    let loss = Left { losses: 1, ..CALM };
    let lag = Left { lags: 1, ..CALM };
    for (broken, left) in [
        (Broken::YouthOfTheLast, loss),
        (Broken::SentAgain, loss),
        (Broken::ListsOnly, lag),
    ] {
        let mut found = false;
        for shell in [false, true] {
            let world = World {
                broken: Some(broken),
                ..World::of(2, shell, left)
            };
            explore(world, |world| found |= world.versions() > 1);
        }
        assert!(found, "{broken:?}");
    }
}

/// Who deletes a secret in the middle may get two versions into the one that is made after it; but nobody writes who was
/// told that its claim is gone.
#[test]
fn nobody_adds_a_version_who_was_told_that_the_claim_is_not_theirs() {
    for shell in [false, true] {
        let left = Left {
            losses: 1,
            deletions: 1,
            ..CALM
        };
        let states = explore(World::of(2, shell, left), |_| {});
        assert!(states > 20, "{states}");
    }
}

#[test]
fn when_nothing_is_lost_one_of_them_is_first_and_the_others_know_it() {
    for shell in [false, true] {
        let mut ends = 0;
        explore(World::of(3, shell, CALM), |world| {
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
            let known = count(End::First) + count(End::Taken) + restless;
            assert_eq!(known, 3, "{world:?}");
        });
        assert!(ends > 0);
    }
}

#[test]
fn whoever_ends_without_a_doubt_tells_the_truth() {
    let left = Left {
        losses: 1,
        lags: 1,
        ..CALM
    };
    explore(World::of(2, true, left), |world| {
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
                Step::End(End::Beside | End::InDoubt)
                | Step::Create
                | Step::Look
                | Step::Meet
                | Step::Claim
                | Step::Wait
                | Step::Prove
                | Step::Add
                | Step::Settle => {}
            }
        }
    });
}

#[test]
fn a_writer_that_knows_no_claims_is_seen_in_the_number() {
    let (mut protocol, step) = Protocol::begin(false);
    assert_eq!(step, Step::Create);
    assert_eq!(protocol.created(Sent::Done), Step::Add);
    assert_eq!(protocol.added(Ok(2)), Step::End(End::Second(2)));
}

#[test]
fn a_writer_that_knows_no_claims_is_seen_although_the_answer_was_lost() {
    let (mut protocol, _) = Protocol::begin(false);
    protocol.created(Sent::Done);
    assert_eq!(protocol.added(Err(Sent::Lost)), Step::Settle);
    let ends = [
        (Settled::Ours(1), End::First),
        (Settled::Ours(2), End::Second(2)),
        (Settled::Theirs, End::Beside),
        (Settled::Nothing, End::InDoubt),
    ];
    for (settled, end) in ends {
        assert_eq!(Protocol::settled(settled), Step::End(end));
    }
}

#[test]
fn a_secret_that_comes_and_goes_is_left_alone_at_last() {
    let (mut protocol, _) = Protocol::begin(false);
    let (mut creates, mut waits) = (0, 0);
    let mut step = Step::Look;
    while step != Step::End(End::Restless) {
        step = match step {
            Step::Create => {
                creates += 1;
                protocol.created(Sent::Refused)
            }
            Step::Wait => {
                waits += 1;
                protocol.waited()
            }
            _ => protocol.looked(None),
        };
    }
    assert_eq!((creates, waits), (usize::from(ROUNDS), usize::from(ROUNDS)));
}
