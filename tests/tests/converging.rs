//! Runs and people that meet in a service that takes every write: all end with one value for each key, values that are made
//! from others fit them, what a person meant stays, and nobody is silent about what was written twice.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_fakes::{Answer, AzureKv, Fault, When};
use seed_tests::cli::{Outcome, Running};
use seed_tests::service::{contract, races};
use seed_tests::stands::{Stand as _, World};
use seed_tests::workspace::Workspace;
use serde_json::{Value, json};

type Test = Result<(), String>;

#[test]
fn two_runs_that_share_1000_keys_end_with_one_value_for_each() -> Test {
    for _ in 0..races()? {
        let contested = race(2, 1000)?;
        // Else nothing is shown.
        assert!(contested > 10, "{contested}");
    }
    Ok(())
}

#[test]
fn eight_runs_that_share_1000_keys_end_with_one_value_for_each() -> Test {
    let contested = race(8, 1000)?;
    assert!(contested > 100, "{contested}");
    Ok(())
}

/// Of ten values, eight are drawn, and one hash and one text are made of them.
fn shared(keys: usize) -> String {
    let mut secrets = String::new();
    for n in 0..keys / 10 * 8 {
        secrets += &format!("  key-{n}: {{generate: {{hex: 16}}}}\n");
    }
    for n in 0..keys / 10 {
        secrets += &format!(
            "  hash-{n}: {{derive: {{bcrypt: {{of: key-{n}, cost: 4}}}}}}\n  \
             url-{n}: {{compose: \"postgres://${{key-{n}}}@db/${{key-{}}}\"}}\n",
            n + 1
        );
    }
    let all: Vec<String> = (0..keys / 10 * 8)
        .map(|n| format!("key-{n}"))
        .chain((0..keys / 10).flat_map(|n| [format!("hash-{n}"), format!("url-{n}")]))
        .map(|key| format!("\"{key}\": \"${{{key}}}\""))
        .collect();
    format!(
        "{secrets}files: {{secrets/all.json: {{json: {{{}}}}}}}\n",
        all.join(", ")
    )
}

/// Lets so many runs begin at once. Tells how many keys more than one of them wrote.
fn race(runs: usize, keys: usize) -> Result<usize, String> {
    // The pause that people have, and no pace, which would only keep the runs apart.
    let settings = json!({"pause": "5s", "pace": {"reads": 1_000_000, "writes": 1_000_000}});
    let secrets = shared(keys);
    let world = World::<AzureKv>::on(AzureKv::empty().serve(), &settings, &secrets)?;
    let workspaces: Vec<Workspace> = (0..runs)
        .map(|_| another(&world, &settings, &secrets))
        .collect::<Result<_, _>>()?;
    let running: Vec<Running> = workspaces
        .iter()
        .map(|workspace| workspace.start("apply --no-input --format json --quiet"))
        .collect::<Result<_, _>>()?;
    let ended: Vec<Outcome> = running
        .into_iter()
        .map(Running::finish)
        .collect::<Result<_, _>>()?;
    let reports: Vec<Report> = ended
        .into_iter()
        .map(Report::of)
        .collect::<Result<_, _>>()?;
    let stored: BTreeMap<String, String> = world
        .values()
        .into_iter()
        .map(|(key, value)| (key, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    if stored.len() != keys {
        return Err(format!("{} of {keys} keys are there", stored.len()));
    }
    for (number, workspace) in workspaces.iter().enumerate() {
        let read = workspace.read("secrets/all.json")?;
        let read: BTreeMap<String, String> =
            serde_json::from_str(&read).map_err(|err| err.to_string())?;
        let other = stored
            .iter()
            .find(|(key, value)| read.get(*key) != Some(value));
        if let Some((key, _)) = other {
            return Err(format!("run {number} goes by another value of {key}"));
        }
    }
    fits(&stored, keys)?;
    let mut contested = 0;
    for key in stored.keys() {
        let fates: Vec<&str> = reports.iter().map(|report| report.fate(key)).collect();
        if fates.iter().filter(|fate| **fate == "created").count() != 1 {
            return Err(format!("{key}: {fates:?}"));
        }
        let writers = writers(world.server.service(), key).len();
        let told = reports
            .iter()
            .filter(|report| report.contested.contains(key))
            .count();
        if told != if writers > 1 { writers } else { 0 } {
            return Err(format!("{writers} runs wrote {key}, and {told} say so"));
        }
        contested += usize::from(writers > 1);
    }
    Ok(contested)
}

/// Where one more run begins, with the same contract.
fn another(world: &World<AzureKv>, more: &Value, secrets: &str) -> Result<Workspace, String> {
    let workspace = world.backend.workspace()?;
    workspace.write("seed.yaml", &contract(&*world.backend, more, secrets)?)?;
    Ok(workspace)
}

/// What is made of other values is made of those that are stored.
fn fits(stored: &BTreeMap<String, String>, keys: usize) -> Test {
    for n in 0..keys / 10 {
        let value = |key: String| stored.get(&key).cloned().unwrap_or_default();
        let key = value(format!("key-{n}"));
        if !bcrypt::verify(&key, &value(format!("hash-{n}"))).is_ok_and(|fits| fits) {
            return Err(format!("hash-{n} is not that of key-{n}"));
        }
        let url = format!("postgres://{key}@db/{}", value(format!("key-{}", n + 1)));
        if value(format!("url-{n}")) != url {
            return Err(format!("url-{n} is made of other values"));
        }
    }
    Ok(())
}

/// The runs that wrote a value of their own, by the claims of its versions.
fn writers(service: &AzureKv, name: &str) -> BTreeSet<String> {
    let claims = service.versions(name).into_iter();
    let claims = claims.filter_map(|version| version.tags.get("seed-claim").cloned());
    let own = claims.filter(|claim| !claim.contains(".copy."));
    own.filter_map(|claim| claim.split('.').nth(1).map(str::to_owned))
        .collect()
}

/// What a run says of each key.
struct Report {
    fates: BTreeMap<String, String>,
    contested: BTreeSet<String>,
}

impl Report {
    fn of(outcome: Outcome) -> Result<Self, String> {
        let text = outcome.success()?;
        let report: Value = serde_json::from_str(&text).map_err(|err| err.to_string())?;
        let outcomes = report.get("outcomes").and_then(Value::as_array);
        let mut told = Self {
            fates: BTreeMap::new(),
            contested: BTreeSet::new(),
        };
        for outcome in outcomes.ok_or("no outcomes")? {
            let text = |name: &str| outcome.get(name).and_then(Value::as_str);
            let key = text("key").ok_or("no key")?.to_owned();
            if outcome.get("contested") == Some(&json!(true)) {
                told.contested.insert(key.clone());
            }
            let fate = text("outcome").unwrap_or_default().to_owned();
            told.fates.insert(key, fate);
        }
        Ok(told)
    }

    fn fate(&self, key: &str) -> &str {
        self.fates.get(key).map_or("", String::as_str)
    }
}

const SECRETS: &str = "  a: {generate: {hex: 16}}
  b: {generate: {hex: 16}}
  url: {compose: \"postgres://${b}@db\"}
";
const APPLY: &str = "apply --no-input --concurrency 1";

/// A run of [`SECRETS`] that has written `a` and `b`, and is in its pause.
fn in_its_pause(world: &World<AzureKv>) -> Result<Running, String> {
    let running = world.workspace.start(APPLY)?;
    until(|| written(world, "b") == 1)?;
    // Its answer is on its way.
    thread::sleep(Duration::from_millis(300));
    Ok(running)
}

fn with_pause(pause: &str) -> Result<World<AzureKv>, String> {
    World::on(AzureKv::empty().serve(), &json!({"pause": pause}), SECRETS)
}

fn written(world: &World<AzureKv>, name: &str) -> usize {
    world.server.service().versions(name).len()
}

/// An outcome without the ids of versions, and without how far it had come at which time.
fn shown(world: &World<AzureKv>, outcome: &Outcome) -> String {
    let text = world.shown(outcome);
    let is_told = |line: &&str| !line.ends_with(" of 3 values");
    let text: Vec<&str> = text.lines().filter(is_told).collect();
    let text = text.join("\n");
    let mut pieces = text.split("version `");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shown.push_str("version `…");
        shown.push_str(piece.get(32..).unwrap_or_default());
    }
    shown
}

#[test]
fn a_value_that_a_person_sets_during_the_pause_stays() -> Test {
    let world = with_pause("3s")?;
    world.server.service().stop_clock();
    let running = in_its_pause(&world)?;
    world.server.service().advance(1);
    world.server.service().put("b", "of a person");
    world.server.service().start_clock();
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + a    created
      ! b    uncertain: tell which value stands of `b`: somebody set version `…` while runs were writing; nothing was changed any more: look which value is meant
      ! url  not tried, because of b

    Applied: 1 created, 1 uncertain, 1 not tried.
    ---
    [exit status: 4]
    ");
    let service = world.server.service();
    assert!(service.value("b").as_deref() == Some("of a person"));
    assert_eq!((written(&world, "a"), written(&world, "url")), (1, 0));
    // Whoever looks now goes by it.
    world.server.service().advance(31 * 60);
    let again = world.workspace.seed(APPLY)?;
    assert_snapshot!(shown(&world, &again), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + url  created

    Applied: 1 created, 2 exist.
    ---
    [exit status: 0]
    ");
    assert!(service.value("url").as_deref() == Some("postgres://of a person@db"));
    Ok(())
}

/// The service tells times in seconds. Nobody can tell who came first, so the person did.
#[test]
fn a_value_that_a_person_sets_within_the_second_of_a_write_is_gone_by() -> Test {
    let world = with_pause("3s")?;
    world.server.service().stop_clock();
    let running = in_its_pause(&world)?;
    world.server.service().put("b", "of a person");
    world.server.service().start_clock();
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + a    created
      = b    created by somebody else meanwhile; kept; both had written it, and theirs was first
      + url  created

    Applied: 2 created, 1 exists.
    ---
    [exit status: 0]
    ");
    let service = world.server.service();
    assert!(service.value("b").as_deref() == Some("of a person"));
    assert!(service.value("url").as_deref() == Some("postgres://of a person@db"));
    Ok(())
}

#[test]
fn a_run_that_is_paused_for_longer_than_its_claim_lives_says_so() -> Test {
    let world = with_pause("3s")?;
    let running = in_its_pause(&world)?;
    running.signal(Signal::STOP)?;
    world.server.service().advance(31 * 60);
    running.signal(Signal::CONT)?;
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! a    uncertain: tell which value stands of `a`: this run was paused for so long that its claim is over, and others may have written meanwhile; nothing was changed any more: look which value is meant
      ! b    uncertain: tell which value stands of `b`: this run was paused for so long that its claim is over, and others may have written meanwhile; nothing was changed any more: look which value is meant
      ! url  not tried, because of b

    Applied: 2 uncertain, 1 not tried.
    ---
    [exit status: 4]
    ");
    assert_eq!((written(&world, "b"), written(&world, "url")), (1, 0));
    world.workspace.seed(APPLY)?.success()?;
    assert_eq!((written(&world, "b"), written(&world, "url")), (1, 1));
    Ok(())
}

#[test]
fn a_run_that_is_paused_between_its_look_and_its_write_looks_again() -> Test {
    let world = with_pause("1s")?;
    let late = Fault::Late(Duration::from_secs(2));
    let look = When::about("GetSecret", "/secrets/a");
    world.server.fault(look, late, Some(1));
    let running = world.workspace.start(APPLY)?;
    until(|| world.server.log().count("GetSecret") == 1)?;
    running.signal(Signal::STOP)?;
    let other = another(&world, &json!({"pause": "1s"}), SECRETS)?;
    other.seed(APPLY)?.success()?;
    let before = world.server.service().kept();
    // What it was answered is too old now.
    thread::sleep(Duration::from_secs(3));
    running.signal(Signal::CONT)?;
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      = a    created by somebody else meanwhile; kept
      = b    created by somebody else meanwhile; kept
      = url  created by somebody else meanwhile; kept

    Applied: 3 exist.
    ---
    [exit status: 0]
    ");
    assert!(
        world.server.service().kept() == before,
        "something was written"
    );
    Ok(())
}

#[test]
fn a_run_that_is_stopped_in_its_pause_still_tells_what_stands() -> Test {
    let world = with_pause("3s")?;
    let running = in_its_pause(&world)?;
    running.signal(Signal::INT)?;
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + a    created
      + b    created
      ! url  not tried: the run was stopped

    Applied: 2 created, 1 not tried.
    ---
      stopping: waiting at most 30 s for the answers about `a`, `b`; Ctrl-C again stops at once
    [exit status: 4]
    ");
    assert_eq!((written(&world, "b"), written(&world, "url")), (1, 0));
    Ok(())
}

/// The second run looked before the first one wrote, and writes after it; then it is killed before it can put the first
/// value back.
#[test]
fn a_run_whose_value_was_written_over_by_one_that_died_says_so() -> Test {
    let world = with_pause("3s")?;
    let service = world.server.service();
    service.let_lists_lag();
    let running = in_its_pause(&world)?;
    // What comes is later: of two in one second nobody chooses which counts.
    service.advance(1);
    let missing = json!({"error": {"code": "SecretNotFound", "message": "as documented"}});
    let missing = Fault::Answer(Answer::json(404, &missing));
    let look = When::about("GetSecret", "/secrets/b");
    world.server.fault(look, missing, None);
    let other = another(&world, &json!({"pause": "3s"}), SECRETS)?;
    let dies = other.start(APPLY)?;
    until(|| written(&world, "b") == 2)?;
    dies.signal(Signal::KILL)?;
    drop(dies.finish()?);
    world.server.heal();
    service.let_lists_catch_up();
    let outcome = running.finish()?;
    assert_snapshot!(shown(&world, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + a    created
      ! b    uncertain: tell which value stands of `b`: another run wrote over the first value and has not put it back in time; its versions tell more, and nothing was changed any more
      ! url  not tried, because of b

    Applied: 1 created, 1 uncertain, 1 not tried.
    ---
    [exit status: 4]
    ");
    let counts = ["a", "b", "url"].map(|name| written(&world, name));
    assert_eq!(counts, [1, 2, 0]);
    // Longer than any run goes on looking.
    service.advance(60);
    let again = world.workspace.seed(APPLY)?;
    let told = shown(&world, &again);
    let (said, rest) = told.split_once(" UTC").ok_or("no time is told")?;
    let said = said
        .get(..said.len() - "00:00:00".len())
        .unwrap_or_default();
    assert_snapshot!(format!("{said}… UTC{rest}"), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! b    unknown, which is not absent: a run wrote over the value that stood, and did not put it back before it ended; look at its versions, and set the value that is meant with `az keyvault secret set`; after … UTC the newest one counts
      ! url  needs b, which is blocked

    Applied: 1 exists, 2 blocked.
    ---
    [exit status: 12]
    ");
    let counts = ["a", "b", "url"].map(|name| written(&world, name));
    assert_eq!(counts, [1, 2, 0]);
    service.put("b", "of a person");
    world.workspace.seed(APPLY)?.success()?;
    assert!(service.value("url").as_deref() == Some("postgres://of a person@db"));
    Ok(())
}

fn until(holds: impl Fn() -> bool) -> Test {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !holds() {
        if Instant::now() > deadline {
            return Err("it never came to that".to_owned());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
