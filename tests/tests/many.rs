//! Runs that meet each other, and runs that are cut off.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_tests::cli::Outcome;
use seed_tests::store::{self, Values};
use seed_tests::workspace::Workspace;
use serde_json::Value;

type Test = Result<(), String>;

const PROCESSES: usize = 8;
const KEYS: usize = 500;

#[test]
fn processes_that_start_together_agree_on_every_value() -> Test {
    let workspace = Workspace::new()?;
    for process in 0..PROCESSES {
        workspace.write(&format!("seed-{process}.yaml"), &many(process))?;
    }
    let running = (0..PROCESSES)
        .map(|process| {
            workspace.start(&format!(
                "apply -c seed-{process}.yaml --format json --quiet"
            ))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut created = 0;
    for running in running {
        created += created_of_all(running.finish()?, KEYS)?;
    }
    assert_eq!(created, KEYS as u64);

    let first = workspace.read("secrets/values-0.json")?;
    let values: BTreeMap<String, String> =
        serde_json::from_str(&first).map_err(|err| err.to_string())?;
    assert_eq!(values.len(), KEYS);
    for process in 1..PROCESSES {
        let other = workspace.read(&format!("secrets/values-{process}.json"))?;
        assert!(first == other, "process {process} wrote other values");
    }
    for key in ["key-0", "key-499"] {
        let stored = workspace.value("-c seed-0.yaml", key)?;
        assert!(
            values[key].as_bytes() == stored,
            "{key} is not what is stored"
        );
    }
    Ok(())
}

/// How many values a run created, which must have ended well and told about all of them.
#[expect(
    clippy::indexing_slicing,
    reason = "a JSON value gives null for what is not there"
)]
fn created_of_all(outcome: Outcome, keys: usize) -> Result<u64, String> {
    assert_eq!(outcome.stderr, "");
    let report: Value = serde_json::from_str(&outcome.success()?).map_err(|err| err.to_string())?;
    let count = |name: &str| report["summary"][name].as_u64().unwrap_or_default();
    let there = count("created") + count("lost") + count("kept");
    assert_eq!(there, keys as u64, "{:#}", report["summary"]);
    Ok(count("created"))
}

#[test]
fn processes_that_are_killed_disturb_nobody() -> Test {
    let workspace = Workspace::new()?;
    for process in 0..PROCESSES {
        workspace.write(&format!("seed-{process}.yaml"), &many(process))?;
    }
    // Few at once, so that there are many moments at which a process can die.
    let start = |process| {
        let line = format!("apply -c seed-{process}.yaml --format json --quiet --concurrency 16");
        workspace.start(&line)
    };
    let running = (0..PROCESSES).map(start).collect::<Result<Vec<_>, _>>()?;
    let look = || {
        let identity = workspace.home().join(".config/seed/identity.txt");
        store::values(&workspace.root().join(".seed/many.age"), &identity)
    };
    let (mut victims, mut others) = (Vec::new(), Vec::new());
    for (process, running) in running.into_iter().enumerate() {
        if process % 2 == 0 {
            victims.push(running);
        } else {
            others.push((process, running));
        }
    }
    let mut seen: Vec<Values> = Vec::new();
    let mut killed = 0;
    for victim in victims {
        // Each dies when the store has grown once more: while they are all at work.
        let before = seen.last().map_or(0, Values::len);
        while look()?.len() <= before && before < KEYS {
            std::thread::sleep(Duration::from_millis(1));
        }
        victim.signal(Signal::KILL)?;
        killed += usize::from(victim.finish()?.status.signal() == Some(9));
        seen.push(look()?);
    }
    assert!(killed > 1, "only {killed} were killed");
    let (first, _) = others.first().ok_or("nobody is left")?;
    let first = format!("secrets/values-{first}.json");
    let mut created = 0;
    for (process, running) in others {
        created += created_of_all(running.finish()?, KEYS)?;
        let file = workspace.read(&format!("secrets/values-{process}.json"))?;
        assert!(
            file == workspace.read(&first)?,
            "process {process} wrote other values"
        );
    }
    // What the killed ones had stored is theirs, and is not made again.
    assert!(created <= KEYS as u64, "{created} created of {KEYS}");
    let stored = look()?;
    assert_eq!(stored.len(), KEYS);
    assert!(
        seen.iter().all(|seen| kept(seen, &stored)),
        "a value that was seen is another now"
    );
    // A victim's own run can be finished, too.
    assert_eq!(
        created_of_all(
            workspace.seed("apply -c seed-0.yaml --format json --quiet")?,
            KEYS
        )?,
        0
    );
    assert!(look()? == stored, "a further run changed a value");
    Ok(())
}

#[test]
fn contracts_and_environments_that_start_together_share_one_identity() -> Test {
    const EACH: usize = 60;
    let workspace = Workspace::new()?;
    let secrets: String = (0..EACH)
        .map(|key| format!("  key-{key}: {{generate: {{hex: 16}}}}\n"))
        .collect();
    for name in ["one", "two", "three", "four"] {
        let text = format!("version: 1\nname: {name}\nbackend: local\nsecrets:\n{secrets}");
        workspace.write(&format!("{name}.yaml"), &text)?;
    }
    let lines = ["one", "two", "three", "four"].iter().flat_map(|name| {
        ["dev", "prod"].map(|env| format!("-c {name}.yaml --env {env} --format json"))
    });
    let lines: Vec<String> = lines.collect();
    let running = lines
        .iter()
        .map(|line| workspace.start(&format!("apply --quiet {line}")));
    for running in running.collect::<Result<Vec<_>, _>>()? {
        assert_eq!(created_of_all(running.finish()?, EACH)?, EACH as u64);
    }
    let identity = workspace.home().join(".config/seed/identity.txt");
    for name in ["one", "two", "three", "four"] {
        for env in ["dev", "prod"] {
            let store = workspace.root().join(format!(".seed/{name}-{env}.age"));
            assert_eq!(
                store::values(&store, &identity)?.len(),
                EACH,
                "{name} {env}"
            );
        }
    }
    for line in lines {
        assert_eq!(
            created_of_all(workspace.seed(&format!("apply --quiet {line}"))?, EACH)?,
            0,
            "{line}"
        );
    }
    Ok(())
}

/// A contract of many values, with one file that shows them all.
fn many(process: usize) -> String {
    let keys: String = (0..KEYS)
        .map(|key| format!("  key-{key}: {{generate: {{hex: 16}}}}\n"))
        .collect();
    let leaves: String = (0..KEYS)
        .map(|key| format!("      key-{key}: ${{key-{key}}}\n"))
        .collect();
    format!(
        "version: 1\nname: many\nbackend: local\nbackends: {{local: {{file: .seed/many.age}}}}\n\
         secrets:\n{keys}files:\n  secrets/values-{process}.json:\n    json:\n{leaves}"
    )
}

#[test]
fn a_killed_run_can_be_finished_and_loses_nothing() -> Test {
    let whole = duration_of_a_whole_run()?;
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", &chain())?;
    let mut stored = BTreeMap::new();
    let mut cuts = Vec::new();
    for cut in 1..=CUTS {
        let running = workspace.start("apply --quiet")?;
        // Each run goes on where the one before was cut, so that the cuts walk through the chain.
        std::thread::sleep(whole / 4);
        running.signal(Signal::KILL)?;
        drop(running.finish()?);
        let now = workspace.values("")?;
        assert!(kept(&stored, &now), "cut {cut} changed what was stored");
        cuts.push(now.len());
        stored = now;
    }
    workspace.seed("apply")?.success()?;
    let finished = workspace.values("")?;
    assert!(
        kept(&stored, &finished),
        "finishing changed what was stored: {cuts:?}"
    );
    assert_eq!(finished.len(), LINKS * 2);
    for link in 0..LINKS {
        let text = |name: &str| {
            let value = finished.get(&format!("{name}-{link}"));
            value
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .unwrap_or_default()
        };
        let fits =
            bcrypt::verify(text("password"), &text("hash")).map_err(|err| err.to_string())?;
        assert!(fits, "hash-{link} is not that of password-{link}");
    }
    Ok(())
}

const CUTS: u32 = 6;
const LINKS: usize = 6;

/// A contract in which each value waits for the one before, so that a run is many writes.
fn chain() -> String {
    let links: String = (0..LINKS)
        .map(|link| {
            let source = match link {
                0 => "{generate: {hex: 16}}".to_owned(),
                _ => format!("{{derive: {{sha256: {{of: hash-{}}}}}}}", link - 1),
            };
            format!(
                "  password-{link}: {source}\n  \
                 hash-{link}: {{derive: {{bcrypt: {{of: password-{link}, cost: 5}}}}}}\n"
            )
        })
        .collect();
    format!("version: 1\nname: chain\nbackend: local\nsecrets:\n{links}")
}

fn duration_of_a_whole_run() -> Result<Duration, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", &chain())?;
    let start = Instant::now();
    workspace.seed("apply")?.success()?;
    Ok(start.elapsed())
}

/// Whether everything that was there is still there, and the same.
fn kept(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> bool {
    before
        .iter()
        .all(|(key, value)| after.get(key) == Some(value))
}

#[test]
fn a_stopped_run_finishes_what_is_under_way_and_reports() -> Test {
    let (stopped, finished) = stopped_and_finished(Signal::INT)?;
    assert_snapshot!(stopped, @"
    slow · local, file .seed/slow.age                             seed.yaml

      + password  created
      + hash      created
      ! header    not tried: the run was stopped
      ! last      not tried: the run was stopped

    Applied: 2 created, 2 not tried.
    ---
    [exit status: 4]
    ");
    assert_snapshot!(finished, @"
    slow · local, file .seed/slow.age                             seed.yaml

      + header  created
      + last    created

    Applied: 2 created, 2 exist.
    ---
    [exit status: 0]
    ");
    assert_eq!(
        stopped_and_finished(Signal::TERM)?,
        (stopped, finished),
        "one signal is as good as the other"
    );
    Ok(())
}

/// Stops a run after its first write, and runs it again.
fn stopped_and_finished(signal: Signal) -> Result<(String, String), String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", SLOW)?;
    let running = workspace.start("apply --quiet")?;
    let store = workspace.root().join(".seed/slow.age");
    let start = Instant::now();
    while !store.exists() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    running.signal(signal)?;
    let stopped = running.finish()?.to_string();
    Ok((stopped, workspace.seed("apply --quiet")?.to_string()))
}

/// The second value takes so long that a signal arrives while it is made.
const SLOW: &str = "\
version: 1
name: slow
backend: local
backends: {local: {file: .seed/slow.age}}
secrets:
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 12}}}
  header: {compose: \"Basic ${hash}\"}
  last: {compose: \"${header}!\"}
";
