//! Services that do not answer, die amid a run, or ask for more patience than anybody has: a run ends soon, and says what
//! it has done.

use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, Fault, GcpSm, Kubernetes, When};
use seed_tests::cli::Outcome;
use seed_tests::stands::{Stand, World};
use serde_json::{Value, json};

type Test = Result<(), String>;

fn keys(count: usize) -> String {
    (0..count)
        .map(|n| format!("  key-{n}: {{generate: {{hex: 16}}}}\n"))
        .collect()
}

/// How many values fared how, by the report's own words.
fn summary(outcome: &Outcome) -> Result<impl Fn(&str) -> usize + use<>, String> {
    let report: Value = serde_json::from_str(&outcome.stdout).map_err(|_| outcome.to_string())?;
    Ok(move |word: &str| {
        let count = report.pointer(&format!("/summary/{word}"));
        let count = count.and_then(Value::as_u64).unwrap_or_default();
        usize::try_from(count).unwrap_or_default()
    })
}

fn until<S: Stand>(world: &World<S>, holds: impl Fn(&World<S>) -> bool) -> Test {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds(world) {
        if Instant::now() > deadline {
            return Err("it never came to that".to_owned());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[test]
fn vault_that_answers_nothing_is_asked_twice_and_no_more() -> Test {
    assert_snapshot!(hangs::<Vault>()?, @"
    services · vault, http://$ADDRESS, mount secret        seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: there was no answer within 1 s
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn aws_sm_that_answers_nothing_is_asked_twice_and_no_more() -> Test {
    assert_snapshot!(hangs::<AwsSm>()?, @"
    services · aws-sm, account 123456789012, region eu-central-1, at http://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: there was no answer within 1 s
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn azure_kv_that_answers_nothing_is_asked_twice_and_no_more() -> Test {
    assert_snapshot!(hangs::<AzureKv>()?, @"
    services · azure-kv, vault $ADDRESS                    seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: there was no answer within 1 s
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn gcpsm_that_answers_nothing_is_asked_twice_and_no_more() -> Test {
    assert_snapshot!(hangs::<GcpSm>()?, @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: there was no answer within 1 s
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

fn hangs<S: Stand>() -> Result<String, String> {
    let world = World::<S>::new(&keys(1_000))?;
    world.server.fault(When::Always, Fault::HoldBefore, None);
    let outcome = world.workspace.seed("apply --no-input --timeout 1")?;
    assert_eq!(world.server.log().len(), 2, "{outcome}");
    Ok(world.shown(&outcome))
}

#[test]
fn vault_that_takes_no_write_in_time_is_given_up_and_nothing_is_taken_for_done() -> Test {
    hangs_at_writes::<Vault>("write")
}

#[test]
fn aws_sm_that_takes_no_write_in_time_is_given_up_and_nothing_is_taken_for_done() -> Test {
    hangs_at_writes::<AwsSm>("CreateSecret")
}

#[test]
fn azure_kv_that_takes_no_write_in_time_is_given_up_and_nothing_is_taken_for_done() -> Test {
    hangs_at_writes::<AzureKv>("SetSecret")
}

#[test]
fn gcpsm_that_takes_no_write_in_time_is_given_up_and_nothing_is_taken_for_done() -> Test {
    hangs_at_writes::<GcpSm>("AddSecretVersion")
}

/// Everything but writes is answered until the first of them comes.
fn hangs_at_writes<S: Stand>(write: &str) -> Test {
    let world = World::<S>::new(&keys(300))?;
    world
        .server
        .fault(When::operation(write), Fault::HoldBefore, None);
    let running = world
        .workspace
        .start("apply --no-input --concurrency 8 --timeout 1 --format json")?;
    until(&world, |world| world.server.log().count(write) > 0)?;
    world.server.fault(When::Always, Fault::HoldBefore, None);
    let outcome = running.finish()?;
    let told = summary(&outcome)?;
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    // What was under way at once, and perhaps sent a second time; all others were not sent at all.
    let sent = world.server.log().count(write);
    assert!(sent <= 2 * 8, "{sent} were sent");
    assert!((1..=8).contains(&told("uncertain")), "{outcome}");
    assert_eq!(told("uncertain") + told("failed"), 300, "{outcome}");
    assert!(world.server.service().kept().is_empty());
    Ok(())
}

#[test]
fn vault_that_dies_amid_a_run_is_given_up_and_what_was_written_is_told() -> Test {
    dies::<Vault>()
}

#[test]
fn aws_sm_that_dies_amid_a_run_is_given_up_and_what_was_written_is_told() -> Test {
    dies::<AwsSm>()
}

#[test]
fn kubernetes_that_dies_amid_a_run_is_given_up_and_what_was_written_is_told() -> Test {
    dies::<Kubernetes>()
}

#[test]
fn azure_kv_that_dies_amid_a_run_is_given_up_and_what_was_written_is_told() -> Test {
    dies::<AzureKv>()
}

#[test]
fn gcpsm_that_dies_amid_a_run_is_given_up_and_what_was_written_is_told() -> Test {
    dies::<GcpSm>()
}

fn dies<S: Stand>() -> Test {
    let world = World::<S>::new(&keys(1_000))?;
    world.server.set_latency(Duration::from_millis(20));
    let running = world
        .workspace
        .start("apply --no-input --concurrency 16 --format json")?;
    until(&world, |world| world.server.service().kept().len() > 40)?;
    let World {
        server, workspace, ..
    } = world;
    let kept = server.service().kept().len();
    drop(server);
    let outcome = running.finish()?;
    drop(workspace);
    let told = summary(&outcome)?;
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    assert!(told("created") + told("uncertain") >= kept, "{outcome}");
    assert!(told("created") <= kept + 16, "{outcome}");
    assert!(told("failed") > 800, "{outcome}");
    let all = told("created") + told("uncertain") + told("failed");
    assert_eq!(all, 1_000, "{outcome}");
    Ok(())
}

#[test]
fn nothing_that_waits_for_its_turn_is_sent_to_vault_after_a_signal() -> Test {
    stops::<Vault>()
}

#[test]
fn nothing_that_waits_for_its_turn_is_sent_to_aws_sm_after_a_signal() -> Test {
    stops::<AwsSm>()
}

#[test]
fn nothing_that_waits_for_its_turn_is_sent_to_kubernetes_after_a_signal() -> Test {
    stops::<Kubernetes>()
}

#[test]
fn nothing_that_waits_for_its_turn_is_sent_to_gcpsm_after_a_signal() -> Test {
    stops::<GcpSm>()
}

/// Of the writes for six entries a minute half may go at once; all others wait for long.
fn stops<S: Stand>() -> Test {
    let settings = json!({"pace": {"writes": 6 * S::WRITES_EACH}});
    let world = World::on(S::empty().serve(), &settings, &keys(20))?;
    let running = world.workspace.start("apply --no-input --format json")?;
    until(&world, |world| world.server.service().kept().len() == 3)?;
    let before = world.server.log().len();
    running.signal(Signal::INT)?;
    let outcome = running.finish()?;
    let told = summary(&outcome)?;
    assert_eq!(world.server.log().len(), before, "{outcome}");
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    let counts = (told("created"), told("cancelled"), told("failed"));
    assert_eq!(counts, (3, 17, 0), "{outcome}");
    assert_eq!(world.server.service().kept().len(), 3, "{outcome}");
    Ok(())
}

/// What was written is still looked at again, and nothing more is written.
#[test]
fn nothing_that_waits_for_its_turn_is_written_to_azure_kv_after_a_signal() -> Test {
    let settings = json!({"pace": {"writes": 6}, "pause": "4s"});
    let world = World::on(AzureKv::empty().serve(), &settings, &keys(20))?;
    let running = world.workspace.start("apply --no-input --format json")?;
    until(&world, |world| world.server.service().kept().len() == 3)?;
    running.signal(Signal::INT)?;
    let outcome = running.finish()?;
    let told = summary(&outcome)?;
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    let counts = (told("created"), told("cancelled"), told("failed"));
    assert_eq!(counts, (3, 17, 0), "{outcome}");
    assert_eq!(world.server.log().count("SetSecret"), 3, "{outcome}");
    assert_eq!(
        world.server.log().count("GetSecretVersions"),
        3,
        "{outcome}"
    );
    Ok(())
}

#[test]
fn vault_that_asks_for_more_patience_than_anybody_has_is_told_so() -> Test {
    assert_snapshot!(asks_for_patience::<Vault>("write")?, @"
    services · vault, http://$ADDRESS, mount secret, as tester  seed.yaml

      ! key-0  failed: create `key-0`: the service asks to wait 600 s, and seed waits 180 s at most: the server answered 429: it wants fewer requests; lower `pace` in the contract's backend, or raise the quota
      ! key-1  failed: create `key-1`: not sent, since the service asks to wait 600 s
      ! key-2  failed: create `key-2`: not sent, since the service asks to wait 600 s
      ! key-3  failed: create `key-3`: not sent, since the service asks to wait 600 s
      ! key-4  failed: create `key-4`: not sent, since the service asks to wait 600 s

    Applied: 5 failed.

      What to do next:
        key-1, key-2, key-3 and 1 more: run it again later, or lower `pace` in the contract; what is stored is kept
    ---
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn azure_kv_that_asks_for_more_patience_than_anybody_has_is_told_so() -> Test {
    assert_snapshot!(asks_for_patience::<AzureKv>("SetSecret")?, @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! key-0  failed: create `key-0`: the service asks to wait 600 s, and seed waits 180 s at most: SetSecret failed with `Throttled`: too many requests; lower `pace` in the contract (request id throttled)
      ! key-1  failed: create `key-1`: not sent, since the service asks to wait 600 s
      ! key-2  failed: create `key-2`: not sent, since the service asks to wait 600 s
      ! key-3  failed: create `key-3`: not sent, since the service asks to wait 600 s
      ! key-4  failed: create `key-4`: not sent, since the service asks to wait 600 s

    Applied: 5 failed.

      What to do next:
        key-1, key-2, key-3 and 1 more: run it again later, or lower `pace` in the contract; what is stored is kept
    ---
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn gcpsm_that_asks_for_more_patience_than_anybody_has_is_told_so() -> Test {
    assert_snapshot!(asks_for_patience::<GcpSm>("CreateSecret")?, @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      ! key-0  failed: create `key-0`: the service asks to wait 600 s, and seed waits 180 s at most: CreateSecret failed with `RESOURCE_EXHAUSTED`: too many requests for the project's quota; run the command again later (request id $ID)
      ! key-1  failed: create `key-1`: not sent, since the service asks to wait 600 s
      ! key-2  failed: create `key-2`: not sent, since the service asks to wait 600 s
      ! key-3  failed: create `key-3`: not sent, since the service asks to wait 600 s
      ! key-4  failed: create `key-4`: not sent, since the service asks to wait 600 s

    Applied: 5 failed.

      What to do next:
        key-1, key-2, key-3 and 1 more: run it again later, or lower `pace` in the contract; what is stored is kept
    ---
    [exit status: 1]
    ");
    Ok(())
}

fn asks_for_patience<S: Stand>(write: &str) -> Result<String, String> {
    let world = World::<S>::new(&keys(5))?;
    let throttled = seed_fakes::Service::throttled(world.server.service());
    let throttled = throttled.with_header("retry-after", "600");
    let fault = Fault::Answer(throttled);
    world.server.fault(When::operation(write), fault, None);
    let outcome = world.workspace.seed("apply --no-input --concurrency 1")?;
    assert_eq!(world.server.log().count(write), 1, "{outcome}");
    Ok(world.shown(&outcome))
}
