//! Runs against a service that are cut at every single request: nothing is lost, made twice or overwritten, and a further
//! run finishes.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, Fault, GcpSm, Kubernetes, When};
use seed_tests::cli::Outcome;
use seed_tests::stands::{Kept, Stand, World};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

type Test = Result<(), String>;

#[test]
fn vault_keeps_every_value_once_whatever_request_is_cut() -> Test {
    at_every_request::<Vault>()
}

#[test]
fn kubernetes_keeps_every_value_once_whatever_request_is_cut() -> Test {
    at_every_request::<Kubernetes>()
}

#[test]
fn aws_sm_keeps_every_value_once_whatever_request_is_cut() -> Test {
    at_every_request::<AwsSm>()
}

#[test]
fn azure_kv_keeps_every_value_once_whatever_request_is_cut() -> Test {
    at_every_request::<AzureKv>()
}

#[test]
fn a_run_on_google_that_is_cut_at_any_request_is_finished_by_the_next() -> Test {
    at_every_request::<GcpSm>()
}

/// How a run is hindered at one request.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Before,
    After,
    Inside,
    Throttled,
    KilledBefore,
    KilledAfter,
}

const CUTS: [Cut; 6] = [
    Cut::Before,
    Cut::After,
    Cut::Inside,
    Cut::Throttled,
    Cut::KilledBefore,
    Cut::KilledAfter,
];

/// Most of the time is spent in pauses before a request is sent again.
const WORKERS: usize = 24;
const KEYS: usize = 30;
const APPLY: &str = "apply --no-input --format json";

fn at_every_request<S: Stand>() -> Test {
    let requests = requests_of_a_whole_run::<S>()?;
    assert!(requests > 26, "each entry takes a request: {requests}");
    let all = (0..requests).flat_map(|index| CUTS.map(|cut| (index, cut)));
    let all: Vec<(usize, Cut)> = all.collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let hindered = AtomicUsize::new(0);
    let work = || {
        while let Some((index, cut)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            match hinder::<S>(*index, *cut) {
                Ok(true) => drop(hindered.fetch_add(1, Ordering::Relaxed)),
                Ok(false) => {}
                Err(err) => {
                    let failure = format!("{cut:?} at request {index}: {err}");
                    failures.lock().map_err(|_| "poisoned")?.push(failure);
                }
            }
        }
        Ok::<(), String>(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let mut ends = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ends.try_for_each(|end| end.map_err(|_| "a worker panicked".to_owned())?)
    })?;
    let failures = failures.into_inner().map_err(|_| "poisoned")?;
    if !failures.is_empty() {
        let (count, shown) = (failures.len(), failures.join("\n\n"));
        return Err(format!("{count} of {}:\n{shown}", all.len()));
    }
    // Runs take some requests more or less, most of all where they wait for what settles; nearly all must have been hindered
    // for this to show anything.
    let hindered = hindered.into_inner();
    assert!(
        hindered * 20 > all.len() * 17,
        "{hindered} of {}",
        all.len()
    );
    Ok(())
}

/// The fewest of several runs: on a busy machine one looks again at what has not settled yet.
fn requests_of_a_whole_run<S: Stand>() -> Result<usize, String> {
    let mut fewest = usize::MAX;
    for _ in 0..3 {
        let world = World::<S>::new(&contract())?;
        world.workspace.seed(APPLY)?.success()?;
        whole(&world)?;
        fewest = fewest.min(world.server.log().len());
    }
    Ok(fewest)
}

/// Hinders a run at one request, judges what it says of itself, and runs again. Tells whether the request came at all.
fn hinder<S: Stand>(index: usize, cut: Cut) -> Result<bool, String> {
    let world = World::<S>::new(&contract())?;
    let service = world.server.service();
    let (fault, killed) = match cut {
        Cut::Before => (Fault::CutBefore, false),
        Cut::After => (Fault::CutAfter, false),
        Cut::Inside => (Fault::CutInside, false),
        Cut::Throttled => (Fault::Answer(service.throttled()), false),
        Cut::KilledBefore => (Fault::HoldBefore, true),
        Cut::KilledAfter => (Fault::HoldAfter, true),
    };
    world.server.fault(When::Request(index), fault, Some(1));
    let running = world.workspace.start(APPLY)?;
    let came = if killed {
        let came = world.server.wait_for(index, Duration::from_mins(1));
        running.signal(Signal::KILL)?;
        came
    } else {
        false
    };
    let outcome = running.finish()?;
    let came = came || world.server.log().len() > index;
    let before = service.kept();
    if outcome.status.signal().is_none() {
        truthful(&world, &outcome, &before)?;
        explains_shells(&world, &outcome)?;
    }
    world.server.heal();
    service.outlive_claims();
    let again = world.workspace.seed(APPLY)?;
    if !again.status.success() {
        return Err(format!("after\n{outcome}\nthe next run ended so:\n{again}"));
    }
    whole(&world)?;
    let after = service.kept();
    for (name, kept) in &before {
        if after.get(name) != Some(kept) {
            return Err(format!("{name} is not what it was\n{outcome}\n{again}"));
        }
    }
    Ok(came)
}

/// A run says that it failed when it did, and only then; and what it says of each value is so.
fn truthful<S: Stand>(world: &World<S>, outcome: &Outcome, kept: &BTreeMap<String, Kept>) -> Test {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let told = report.get("outcomes").and_then(Value::as_array);
    let told: Vec<_> = told
        .into_iter()
        .flatten()
        .map(|told| ["key", "outcome"].map(|name| told[name].as_str().unwrap_or_default()))
        .collect();
    let values = world.values();
    let wrong = told.iter().find(|[key, fate]| match *fate {
        "created" | "kept" | "lost" => !values.contains_key(*key),
        "failed" | "skipped" => values.contains_key(*key),
        // Either, as it says.
        "uncertain" => false,
        _ => true,
    });
    let failed = |fates: &[&str]| told.iter().any(|[_, fate]| fates.contains(fate));
    let ends = match outcome.status.code() {
        Some(0) => whole(world).is_ok() && told.len() == KEYS,
        Some(1) => kept.is_empty() && (outcome.stderr.contains("error: ") || failed(&["failed"])),
        Some(4) => failed(&["failed", "uncertain"]) && (failed(&["uncertain"]) || !kept.is_empty()),
        Some(_) | None => false,
    };
    if ends && wrong.is_none() {
        return Ok(());
    }
    let (count, whole) = (kept.len(), whole(world));
    Err(format!(
        "{count} entries are kept ({whole:?}), and {wrong:?} is not so after\n{outcome}"
    ))
}

/// What a run leaves without a value, it says of that key.
fn explains_shells<S: Stand>(world: &World<S>, outcome: &Outcome) -> Test {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let told = report.get("outcomes").and_then(Value::as_array);
    let told: Vec<_> = told.into_iter().flatten().collect();
    let explained = |name: &String| {
        told.iter().any(|told| {
            told["name"].as_str() == Some(name)
                && told.to_string().contains("it has no version of ours")
        })
    };
    match world
        .server
        .service()
        .shells()
        .iter()
        .find(|name| !explained(name))
    {
        Some(name) => Err(format!("{name} is left empty without a word\n{outcome}")),
        None => Ok(()),
    }
}

/// All that the contract names is kept, written once, and made of what it says.
fn whole<S: Stand>(world: &World<S>) -> Test {
    let kept = world.server.service().kept();
    if let Some((name, kept)) = kept.iter().find(|(_, kept)| kept.versions != 1) {
        return Err(format!("{name} was written {} times", kept.versions));
    }
    let values = world.values();
    if values.len() != KEYS || kept.len() != KEYS - 3 {
        return Err(format!("{} values in {} entries", values.len(), kept.len()));
    }
    let text = |key: &str| {
        let value = values.get(key).ok_or(format!("there is no {key}"))?;
        String::from_utf8(value.clone()).map_err(|_| format!("{key} is no text"))
    };
    for n in 0..4 {
        let password = text(&format!("password-{n}"))?;
        if !bcrypt::verify(&password, &text(&format!("hash-{n}"))?).is_ok_and(|fits| fits) {
            return Err(format!("hash-{n} is not that of password-{n}"));
        }
        let digest = Sha256::digest(password.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if text(&format!("digest-{n}"))? != digest {
            return Err(format!("digest-{n} is not that of password-{n}"));
        }
        let url = format!(
            "postgresql://app:{password}@db/{}",
            text(&format!("plain-{n}"))?
        );
        if text(&format!("url-{n}"))? != url {
            return Err(format!("url-{n} is of other values"));
        }
    }
    let password = text("login#password")?;
    if !bcrypt::verify(&password, &text("login#hash")?).is_ok_and(|fits| fits) {
        return Err("the hash beside it is not that of the password".to_owned());
    }
    if text("login#line")? != format!("app:{password}/{}", text("plain-9")?) {
        return Err("the line is of other values".to_owned());
    }
    Ok(())
}

/// Thirty keys: generated, derived, composed, and an entry with fields.
fn contract() -> String {
    let mut secrets = String::new();
    for n in 0..4 {
        secrets += &format!(
            "  password-{n}: {{generate: {{hex: 16}}}}\n  \
             hash-{n}: {{derive: {{bcrypt: {{of: password-{n}, cost: 4}}}}}}\n  \
             digest-{n}: {{derive: {{sha256: {{of: password-{n}}}}}}}\n  \
             url-{n}: {{compose: \"postgresql://app:${{password-{n}}}@db/${{plain-{n}}}\"}}\n"
        );
    }
    for n in 0..10 {
        secrets += &format!("  plain-{n}: {{generate: {{alnum: 24}}}}\n");
    }
    secrets
        + "  login:\n    fields:\n      \
           user: {value: app}\n      \
           password: {generate: {base64url: {bytes: 24, padding: false}}}\n      \
           hash: {derive: {bcrypt: {of: password, cost: 4}}}\n      \
           line: {compose: \"${user}:${password}/${plain-9}\"}\n"
}
