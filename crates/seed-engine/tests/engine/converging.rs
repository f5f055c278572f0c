//! A backend that takes every write, and tells only later whose stands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use seed_core::backend::Kind;
use seed_core::name::ValueId;
use seed_core::report::{Fate, Report, Verdict};
use seed_engine::{Event, Observer, read_values};
use seed_provider::{Converge, Error, ErrorKind, Memory, Operation, Provider, Shelf, ShelfRun};
use tokio::time::{Instant, sleep, timeout};

use crate::world::{BACKEND, Play, Stage, World, fates, fields, id, single};

const PAIR: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {sha256: {of: password}}}
";

/// One run on a shelf that others use too.
struct Run {
    world: World,
    way: Arc<ShelfRun>,
}

impl Run {
    fn new(shelf: &Arc<Shelf>, number: u64, secrets: &str) -> Self {
        Self::slow(shelf, number, secrets, || Duration::ZERO)
    }

    fn slow(
        shelf: &Arc<Shelf>,
        number: u64,
        secrets: &str,
        latency: impl FnMut() -> Duration + Send + 'static,
    ) -> Self {
        let way = Arc::new(shelf.run(number, latency));
        let mut world = World::on(Stage::new(Memory::of(Kind::AzureKv)), secrets);
        let provider = Arc::clone(&way) as Arc<dyn Provider>;
        let converger = Arc::clone(&way) as Arc<dyn Converge>;
        world.providers = BTreeMap::from([(BACKEND.to_owned(), provider)]);
        world.convergers = BTreeMap::from([(BACKEND.to_owned(), converger)]);
        Self { world, way }
    }

    /// Each request lasts as long as the next of `seconds`, and those after them no time.
    fn paced(shelf: &Arc<Shelf>, number: u64, secrets: &str, seconds: &'static [u64]) -> Self {
        let mut seconds = seconds.iter().copied();
        let next = move || Duration::from_secs(seconds.next().unwrap_or_default());
        Self::slow(shelf, number, secrets, next)
    }

    async fn run(&self) -> Report {
        self.world.run().await
    }

    async fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        let ids = self.world.resolved.order.clone();
        let read = read_values(&self.world.resolved, &self.world.providers, ids, None).await;
        let text = |(id, value): (&ValueId, &Arc<seed_core::secret::SecretValue>)| {
            (id.to_string(), value.expose().to_vec())
        };
        read.values.iter().map(text).collect()
    }

    async fn assert_whole(&self) {
        self.world.assert_all_belong(&self.stored().await);
    }
}

fn contested(report: &Report) -> Vec<String> {
    let outcomes = report.outcomes.iter();
    let contested = outcomes.filter(|outcome| outcome.contested);
    contested.map(|outcome| outcome.id.to_string()).collect()
}

/// Notes when the run waits.
#[derive(Default)]
struct Waits(Mutex<Vec<(Duration, usize)>>);

impl Observer for Waits {
    fn event(&self, event: Event<'_>) {
        if let Event::Waiting { pause, entries } = event {
            self.0.lock().unwrap().push((pause, entries));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_stage_has_one_pause_and_one_second_look() {
    let secrets = "
  one: {generate: {hex: 16}}
  two: {generate: {hex: 16}}
  three: {generate: {hex: 16}}
  both: {compose: \"${one} ${two}\"}
";
    let run = Run::new(&Shelf::new(), 1, secrets);
    let waits = Waits::default();
    let report = run.world.run_told(&waits).await;
    assert_eq!(
        fates(&report),
        [
            "one created",
            "two created",
            "three created",
            "both created"
        ]
    );
    assert!(contested(&report).is_empty());
    let pause = run.way.pause();
    assert_eq!(*waits.0.lock().unwrap(), [(pause, 3), (pause, 1)]);
    assert_eq!(run.way.calls(Operation::Settle), 2);
    run.assert_whole().await;
}

/// Others who wrote the same keys wait for this run, and cannot know how much it has still to write.
#[tokio::test(start_paused = true)]
async fn a_stage_that_lasts_long_is_looked_at_in_parts() {
    let keys: Vec<String> = (0..40)
        .map(|key| format!("  key-{key}: {{generate: {{hex: 4}}}}\n"))
        .collect();
    let latency = || Duration::from_millis(500);
    let mut run = Run::slow(&Shelf::new(), 1, &keys.concat(), latency);
    run.world = run.world.concurrency(1);
    let waits = Waits::default();
    let report = run.world.run_told(&waits).await;
    assert_eq!(report.verdict(), Verdict::Done);
    let waits = waits.0.lock().unwrap();
    let parts: Vec<usize> = waits.iter().map(|(_, entries)| *entries).collect();
    assert!(parts.len() > 1, "{parts:?}");
    assert_eq!(parts.iter().sum::<usize>(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_writes_nothing_waits_for_nobody() {
    let shelf = Shelf::new();
    assert_eq!(
        Run::new(&shelf, 1, PAIR).run().await.verdict(),
        Verdict::Done
    );
    let again = Run::new(&shelf, 2, PAIR);
    let waits = Waits::default();
    let report = again.world.run_told(&waits).await;
    assert_eq!(fates(&report), ["password kept", "hash kept"]);
    assert!(waits.0.lock().unwrap().is_empty());
    assert_eq!(again.way.calls(Operation::Settle), 0);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_excludes_other_writers_makes_nobody_wait() {
    for kind in Kind::ALL {
        let world = World::new(kind, PAIR);
        let waits = Waits::default();
        let began = Instant::now();
        let report = world.run_told(&waits).await;
        assert_eq!(report.verdict(), Verdict::Done);
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(waits.0.lock().unwrap().is_empty());
        assert_eq!(world.stage.log(), ["create password", "create hash"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_values_is_put_back_and_both_runs_make_others_from_it() {
    let shelf = Shelf::new();
    // Both look at once, and one second lies between their writes.
    let first = Run::paced(&shelf, 2, PAIR, &[0, 0, 1]);
    let second = Run::paced(&shelf, 1, PAIR, &[0, 0, 2]);
    let (one, two) = tokio::join!(first.run(), second.run());
    assert_eq!(fates(&one), ["password created", "hash created"]);
    assert_eq!(fates(&two)[0], "password lost");
    assert_eq!(one.verdict(), Verdict::Done);
    assert_eq!(two.verdict(), Verdict::Done);
    assert_eq!(contested(&one)[0], "password");
    assert_eq!(contested(&two)[0], "password");
    assert!(shelf.versions(&first.world.name("password")) >= 3);
    assert_eq!(first.stored().await, second.stored().await);
    first.assert_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_persons_value_that_does_not_stand_is_said_unless_it_is_the_one_that_does() {
    for (theirs, fate, verdict) in [
        ("another", "token lost, given dropped", Verdict::Blocked),
        ("mine", "token lost", Verdict::Done),
    ] {
        let secrets = "  token: {provide: {how: ask}}\n";
        let shelf = Shelf::new();
        let mut first = Run::paced(&shelf, 1, secrets, &[0, 0, 1]);
        first.world = first.world.give("token", theirs);
        let mut second = Run::paced(&shelf, 2, secrets, &[0, 0, 2]);
        second.world = second.world.give("token", "mine");
        let (one, two) = tokio::join!(first.run(), second.run());
        assert_eq!(fates(&one), ["token created"]);
        assert_eq!(fates(&two), [fate]);
        assert_eq!(two.verdict(), verdict);
        assert_eq!(second.stored().await["token"], theirs.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_who_sets_a_value_during_the_pause_keeps_it() {
    let shelf = Shelf::new();
    let run = Run::new(&shelf, 1, PAIR);
    let name = run.world.name("password");
    let person = async {
        sleep(Duration::from_secs(3)).await;
        shelf.put(&name, &single("a person's")).unwrap();
    };
    let (report, ()) = tokio::join!(run.run(), person);
    assert_eq!(
        fates(&report),
        [
            "password uncertain: tell which value stands of `password`: somebody who is no running `seed` wrote it \
             too; what stands was left as it is",
            "hash skipped because of password"
        ]
    );
    assert_eq!(report.verdict(), Verdict::Partial);
    assert_eq!(run.stored().await["password"], b"a person's");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_held_up_for_longer_than_its_claim_says_so() {
    let shelf = Shelf::new();
    let quick = Run::paced(&shelf, 1, PAIR, &[0, 0, 1]);
    let held_up = Run::paced(&shelf, 2, PAIR, &[0, 0, 5]);
    let (one, two) = tokio::join!(quick.run(), held_up.run());
    assert_eq!(
        fates(&two),
        [
            "password uncertain: tell which value stands of `password`: this run was held up for longer than its \
             claim lives",
            "hash skipped because of password"
        ]
    );
    assert_eq!(two.verdict(), Verdict::Partial);
    assert_eq!(one.verdict(), Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_leaves_everything_of_the_stage_uncertain() {
    let secrets = format!("{PAIR}  alone: {{generate: {{hex: 4}}}}\n");
    let run = Run::new(&Shelf::new(), 1, &secrets);
    let error = Error::new(ErrorKind::Denied, Operation::Settle, "that is not allowed");
    run.way.fail_next_look(error);
    let report = run.run().await;
    assert_eq!(
        fates(&report),
        [
            "password uncertain: tell which value stands of: that is not allowed",
            "hash skipped because of password",
            "alone uncertain: tell which value stands of: that is not allowed",
        ]
    );
    assert_eq!(run.way.calls(Operation::Create), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_in_its_pause_still_learns_what_stands() {
    let run = Run::new(&Shelf::new(), 1, PAIR);
    let stop = async {
        sleep(Duration::from_secs(2)).await;
        run.world.cancel.cancel();
    };
    // The grace of these worlds is shorter than the pause that is left.
    let (report, ()) = tokio::join!(run.run(), stop);
    assert_eq!(fates(&report), ["password created", "hash cancelled"]);
    assert_eq!(run.way.calls(Operation::Settle), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_twice_says_that_it_does_not_know() {
    let run = Run::new(&Shelf::new(), 1, PAIR);
    let stop = async {
        sleep(Duration::from_secs(2)).await;
        run.world.cancel.cancel();
        run.world.abandon.cancel();
    };
    let (report, ()) = tokio::join!(run.run(), stop);
    assert_eq!(
        fates(&report),
        [
            "password uncertain: tell which value stands of `password`: the run was stopped before it was looked at \
             again",
            "hash cancelled"
        ]
    );
    assert_eq!(run.way.calls(Operation::Settle), 0);
}

/// Nothing refuses ours when it comes late: it would take the place of what is there by then.
#[tokio::test(start_paused = true)]
async fn a_write_that_may_still_come_on_top_of_somebody_elses_is_in_doubt() {
    for (converges, expected) in [
        (false, "token lost"),
        (
            true,
            "token uncertain: create `token`: as the test wants; somebody else's is there, and what was sent may still \
             come and take its place",
        ),
    ] {
        let stage = Stage::new(Memory::of(Kind::AzureKv));
        let mut world = World::on(Arc::clone(&stage), "  token: {generate: {hex: 16}}\n");
        if converges {
            let way = Arc::new(Shelf::new().run(1, || Duration::ZERO)) as Arc<dyn Converge>;
            world.convergers = BTreeMap::from([(BACKEND.to_owned(), way)]);
        }
        let mut theirs = Some(single("theirs"));
        stage.play(move |operation, _| {
            if operation == Operation::Create {
                return Play::Fail(ErrorKind::Indeterminate);
            }
            theirs.take().map_or(Play::Pass, Play::Preempt)
        });
        assert_eq!(fates(&world.run().await), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn fields_of_two_runs_are_all_there_in_the_end() {
    let shelf = Shelf::new();
    let secrets = |field: &str| {
        format!(
            "  app: {{fields: {{{field}: {{generate: {{hex: 8}}}}, OLD: {{provide: {{how: ask}}}}}}}}\n"
        )
    };
    let one = Run::paced(&shelf, 1, &secrets("ONE"), &[0, 0, 1]);
    let two = Run::paced(&shelf, 2, &secrets("TWO"), &[0, 0, 2]);
    let old = fields(&[("OLD", "a person's")]);
    shelf.put(&one.world.name("app"), &old).unwrap();
    sleep(Duration::from_secs(2)).await;
    let (first, second) = tokio::join!(one.run(), two.run());
    assert_eq!(fates(&first), ["app#ONE created", "app#OLD kept"]);
    assert_eq!(fates(&second), ["app#TWO created", "app#OLD kept"]);
    assert_eq!(contested(&second), ["app#TWO"]);
    for run in [&one, &two] {
        let stored = run.stored().await;
        assert_eq!(stored.len(), 2, "{:?}", stored.keys());
        assert_eq!(stored["app#OLD"], b"a person's");
    }
}

/// Chains, fields that are made from another entry, and a value that a person may set too.
const SECRETS: &str = "
  password: {generate: {hex: 16}}
  hash: {derive: {sha256: {of: password}}}
  url: {compose: \"pg://u:${password}@h\"}
  both: {compose: \"${url} ${hash}\"}
  agent:
    fields:
      KEY: {generate: {hex: 16}}
      HASH: {derive: {sha256: {of: KEY}}}
      BACK: {compose: \"${through}!\"}
  through: {compose: \"<${agent#KEY}>\"}
  alone: {generate: {hex: 4}}
";

#[derive(Clone, Debug)]
struct Script {
    /// When each run begins, how long each of its requests takes, and when it is killed, in milliseconds.
    runs: Vec<(u64, Vec<u64>, Option<u64>)>,
    /// When a person sets `alone`.
    person: Option<u64>,
}

fn script(runs: usize, killed: bool) -> impl Strategy<Value = Script> {
    let kill = if killed {
        proptest::option::of(0..40_000_u64).boxed()
    } else {
        Just(None).boxed()
    };
    let run = (
        0..3_000_u64,
        proptest::collection::vec(0..2_500_u64, 1..20),
        kill,
    );
    let person = proptest::option::of(0..20_000_u64);
    let runs = proptest::collection::vec(run, runs);
    (runs, person).prop_map(|(runs, person)| Script { runs, person })
}

/// Plays it, and gives back what each run that was not killed told and read at its end.
async fn play(
    shelf: &Arc<Shelf>,
    script: &Script,
) -> Vec<Option<(Report, BTreeMap<String, Vec<u8>>)>> {
    let runs = script.runs.iter().enumerate().map(|(at, run)| async move {
        let (begin, latencies, kill) = run.clone();
        let mut latencies = latencies.into_iter().cycle();
        let latency = move || Duration::from_millis(latencies.next().unwrap());
        // Who comes first in a second is not who has the lower number.
        let number = (at as u64 * 7 + 3) % 11;
        let run = Run::slow(shelf, number, SECRETS, latency);
        sleep(Duration::from_millis(begin)).await;
        let life = Duration::from_millis(kill.unwrap_or(1 << 32));
        let report = timeout(life, run.run()).await.ok()?;
        let stored = run.stored().await;
        Some((report, stored))
    });
    let person = async {
        if let Some(at) = script.person {
            sleep(Duration::from_millis(at)).await;
            let name = Run::new(shelf, 99, SECRETS).world.name("alone");
            shelf.put(&name, &single("a person's")).unwrap();
        }
    };
    tokio::join!(join_all(runs), person).0
}

async fn judge(script: Script) {
    let shelf = Shelf::new();
    let told = play(&shelf, &script).await;
    sleep(Shelf::life()).await;
    let last = Run::new(&shelf, 100, SECRETS);
    let report = last.run().await;
    assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
    let stored = last.stored().await;
    assert_eq!(stored.len(), 9);
    last.world.assert_all_belong(&stored);
    let mut told_of_person = script.runs.iter().any(|(_, _, kill)| kill.is_some());
    for (report, read) in told.into_iter().flatten() {
        let open = |key: &str| {
            let outcome = report.outcome(&id(key));
            matches!(outcome.unwrap().fate, Fate::Uncertain(_))
        };
        told_of_person |= open("alone");
        let killed = script.runs.iter().any(|(_, _, kill)| kill.is_some());
        if !killed && script.person.is_none() {
            assert_eq!(report.verdict(), Verdict::Done, "{:?}", fates(&report));
        }
        if report.verdict() == Verdict::Done {
            for (key, value) in &stored {
                // A person may change it after the run.
                if key == "alone" && script.person.is_some() {
                    continue;
                }
                let outcome = report.outcome(&id(key)).unwrap();
                match read.get(key) {
                    Some(read) => assert_eq!(read, value, "{key} is another now"),
                    // Somebody who was killed wrote it last, and this run made nothing of it.
                    None => assert!(killed && outcome.fate != Fate::Created, "{key}"),
                }
            }
        }
    }
    if script.person.is_some() && stored["alone"] != b"a person's" {
        assert!(told_of_person, "a person's value was superseded in silence");
    }
}

fn play_out(script: Script) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(judge(script));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn two_runs_agree_on_every_value(script in script(2, false)) {
        play_out(script);
    }

    #[test]
    fn two_runs_that_may_be_killed_leave_no_broken_pair(script in script(2, true)) {
        play_out(script);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn eight_runs_agree_on_every_value(script in script(8, false)) {
        play_out(script);
    }

    #[test]
    fn eight_runs_that_may_be_killed_leave_no_broken_pair(script in script(8, true)) {
        play_out(script);
    }
}
