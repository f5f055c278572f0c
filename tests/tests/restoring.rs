//! `--restore` against a service, cut at every single request: what was deleted comes back as it was, once, and a further
//! run finishes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, Fault, When};
use seed_tests::cli::Outcome;
use seed_tests::stands::{Stand, World};

type Test = Result<(), String>;

const SECRETS: &str = "  key-0: {generate: {hex: 16}}
  key-1: {generate: {hex: 16}}
  grows:
    fields:
      one: {generate: {hex: 16}}
      two: {generate: {hex: 16}}
  of-key: {derive: {sha256: {of: key-0}}}
";
const RESTORE: &str = "apply --no-input --restore key-* --restore grows";

/// How a run is hindered at one request.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Before,
    After,
    Throttled,
    KilledAfter,
}

const CUTS: [Cut; 4] = [Cut::Before, Cut::After, Cut::Throttled, Cut::KilledAfter];
const WORKERS: usize = 24;

/// A service that keeps what was deleted for a while.
trait Forgiving: Stand {
    fn delete(&self, name: &str);
}

impl Forgiving for Vault {
    fn delete(&self, name: &str) {
        Self::delete(self, name);
    }
}

impl Forgiving for AwsSm {
    fn delete(&self, name: &str) {
        Self::delete(self, name, 30);
    }
}

impl Forgiving for AzureKv {
    /// What is recovered cannot be seen at once.
    fn delete(&self, name: &str) {
        Self::delete(self, name);
        self.set_recovery(2);
    }
}

#[test]
fn vault_gives_back_what_was_deleted_whatever_request_is_cut() -> Test {
    at_every_request::<Vault>()
}

#[test]
fn aws_sm_gives_back_what_was_deleted_whatever_request_is_cut() -> Test {
    at_every_request::<AwsSm>()
}

#[test]
fn azure_kv_gives_back_what_was_deleted_whatever_request_is_cut() -> Test {
    at_every_request::<AzureKv>()
}

#[test]
fn what_is_brought_back_and_lacks_a_field_gets_it_in_the_same_run() -> Test {
    let world = world::<Vault>()?;
    let outcome = world.workspace.seed(RESTORE)?;
    assert_snapshot!(world.shown(&outcome), @"
    services · vault, http://$ADDRESS, mount secret, as tester  seed.yaml

      + key-0      restored
      + key-1      restored
      + grows#one  restored
      + grows#two  created
      + of-key     created

    Applied: 2 created, 3 restored.
    ---
    [exit status: 0]
    ");
    whole(&world).map(drop)
}

/// Three entries were deleted, one of which never had all of its fields.
fn world<S: Forgiving>() -> Result<World<S>, String> {
    let world = World::<S>::new(SECRETS)?;
    let service = world.server.service();
    service.put("key-0", &[("", "of somebody")]);
    service.put("key-1", &[("", "of somebody else")]);
    service.put("grows", &[("one", "grown")]);
    for name in ["key-0", "key-1", "grows"] {
        service.delete(name);
    }
    Ok(world)
}

/// All is there, what was there before as it was; gives what is kept.
fn whole<S: Stand>(world: &World<S>) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let values = world.values();
    let old = [
        ("key-0", "of somebody"),
        ("key-1", "of somebody else"),
        ("grows#one", "grown"),
    ];
    for (key, value) in old {
        if values.get(key).map(Vec::as_slice) != Some(value.as_bytes()) {
            return Err(format!("{key} is not what it was"));
        }
    }
    for key in ["grows#two", "of-key"] {
        if !values.contains_key(key) {
            return Err(format!("there is no {key}"));
        }
    }
    Ok(values)
}

fn at_every_request<S: Forgiving>() -> Test {
    let plain = world::<S>()?;
    plain.workspace.seed(RESTORE)?.success()?;
    whole(&plain)?;
    let requests = plain.server.log().len();
    let all = (0..requests).flat_map(|index| CUTS.map(|cut| (index, cut)));
    let all: Vec<(usize, Cut)> = all.collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((index, cut)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hindered = hinder::<S>(*index, *cut);
                    if let (Err(err), Ok(mut failures)) = (hindered, failures.lock()) {
                        failures.push(format!("{cut:?} at request {index}: {err}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().map_err(|_| "a worker panicked")?;
    if failures.is_empty() {
        return Ok(());
    }
    let (count, shown) = (failures.len(), failures.join("\n\n"));
    Err(format!("{count} of {}:\n{shown}", all.len()))
}

fn hinder<S: Forgiving>(index: usize, cut: Cut) -> Test {
    let world = world::<S>()?;
    let fault = match cut {
        Cut::Before => Fault::CutBefore,
        Cut::After => Fault::CutAfter,
        Cut::Throttled => Fault::Answer(world.server.service().throttled()),
        Cut::KilledAfter => Fault::HoldAfter,
    };
    world.server.fault(When::Request(index), fault, Some(1));
    let running = world.workspace.start(RESTORE)?;
    if matches!(cut, Cut::KilledAfter) {
        world.server.wait_for(index, Duration::from_mins(1));
        running.signal(Signal::KILL)?;
    }
    let first = running.finish()?;
    world.server.heal();
    // A run that says that all is well has brought all of it back.
    if first.status.success() {
        whole(&world).map_err(|err| format!("{err}\n{}", world.shown(&first)))?;
    }
    let again = world.workspace.seed(RESTORE)?;
    let failed = |why: String, first: &Outcome, again: &Outcome| {
        format!("{why}\n{}\n{}", world.shown(first), world.shown(again))
    };
    if !again.status.success() {
        return Err(failed("the next run failed".to_owned(), &first, &again));
    }
    let values = whole(&world).map_err(|err| failed(err, &first, &again))?;
    let third = world.workspace.seed(RESTORE)?;
    let changed = whole(&world)? != values;
    if changed || !third.status.success() {
        return Err(failed("a third run changed it".to_owned(), &again, &third));
    }
    Ok(())
}
