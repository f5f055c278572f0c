//! `seed` and Google Secret Manager where two calls make one value: what is left in between, who comes in between, and
//! how fast all of it may go.

use std::os::unix::ffi::OsStringExt as _;
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_fakes::{Fault, GcpSm, Server, When};
use seed_tests::service::many;
use seed_tests::stands::{Stand as _, World};
use seed_tests::workspace::Workspace;
use serde_json::{Value, json};

type Test = Result<(), String>;

const SECRETS: &str = "
  key: {generate: {hex: 16}}
  url: {compose: \"postgres://app:${key}@db\"}
";
const APPLY: &str = "apply --no-input";

fn until(what: &str, holds: impl Fn() -> bool) -> Test {
    for _ in 0..60_000 {
        if holds() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(format!("it never happened that {what}"))
}

#[test]
fn a_secret_without_a_version_is_explained_and_filled() -> Test {
    let world = World::<GcpSm>::new(SECRETS)?;
    let service = world.server.service();
    let adds = When::operation("AddSecretVersion");
    world.server.fault(adds, Fault::HoldBefore, Some(1));
    let running = world.workspace.start(APPLY)?;
    until("the version is sent", || {
        world.server.log().count("AddSecretVersion") == 1
    })?;
    running.signal(Signal::KILL)?;
    let killed = running.finish()?;
    assert!(killed.status.code().is_none(), "{killed}");
    assert_eq!(service.shells(), ["key"]);
    assert_snapshot!(world.shown(&world.workspace.seed("plan")?), @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + key  hex 16; its name is there, without a value
      + url  text with key

    Plan: 2 to create.
    gcpsm is claimed: runs of `seed` exclude each other, so that a key is made once; not guaranteed: that nobody else writes in the same moment: what other tools write then can come in between.
    ---
    [exit status: 0]
    ");
    service.outlive_claims();
    assert_snapshot!(world.shown(&world.workspace.seed(APPLY)?), @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + key  created
      + url  created

    Applied: 2 created.
    ---
    [exit status: 0]
    ");
    assert!(service.shells().is_empty());
    assert_eq!(service.versions("key"), 1);
    let value = service.value("key").ok_or("no key")?;
    assert!(service.value("url") == Some(format!("postgres://app:{value}@db")));
    // What a claim was set in and was there before, is as it was.
    assert!(service.annotations("key").is_empty());
    Ok(())
}

/// The first run stands still between its two calls, and while it does, its claim dies: a second run finishes.
#[test]
fn a_run_that_stood_still_for_longer_than_its_claim_lives_says_that_two_have_written() -> Test {
    let world = World::<GcpSm>::new(SECRETS)?;
    let service = world.server.service();
    let late = Fault::Late(Duration::from_millis(500));
    let creates = When::operation("CreateSecret");
    world.server.fault(creates, late, Some(1));
    let running = world.workspace.start(APPLY)?;
    until("the secret is made", || service.shells() == ["key"])?;
    running.signal(Signal::STOP)?;
    service.outlive_claims();
    let second = world.workspace.seed(APPLY)?;
    assert_snapshot!(world.shown(&second), @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + key  created
      + url  created

    Applied: 2 created.
    ---
    [exit status: 0]
    ");
    let theirs = service.value("key");
    running.signal(Signal::CONT)?;
    let first = running.finish()?;
    assert_snapshot!(world.shown(&first), @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      ! key  uncertain: create `key`: another writer added a version too: version 1 is theirs, ours is version 2, and readers get the newest; find out which one is meant, and make sure that its value is the newest
      ! url  not tried, because of key

    Applied: 1 uncertain, 1 not tried.
    ---
    [exit status: 4]
    ");
    assert_eq!(service.versions("key"), 2);
    assert!(service.value("key") != theirs);
    // Whoever looks next sees what counts, and nothing is changed.
    let values = world.values();
    world.workspace.seed(APPLY)?.success()?;
    assert!(world.values() == values);
    Ok(())
}

/// `gcloud secrets versions add` between our two calls.
#[test]
fn somebody_who_adds_a_version_meanwhile_is_told_of_as_a_document_too() -> Test {
    let world = World::<GcpSm>::new(SECRETS)?;
    let service = world.server.service();
    let late = Fault::Late(Duration::from_millis(500));
    let creates = When::operation("CreateSecret");
    world.server.fault(creates, late, Some(1));
    let running = world.workspace.start(&format!("{APPLY} --format json"))?;
    until("the secret is made", || service.shells() == ["key"])?;
    service.put("key", "of somebody");
    let outcome = running.finish()?;
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    let report: Value = serde_json::from_str(&outcome.stdout).map_err(|err| err.to_string())?;
    assert_snapshot!(serde_json::to_string_pretty(&report["outcomes"]).unwrap_or_default(), @r#"
    [
      {
        "key": "key",
        "backend": "gcpsm",
        "name": "key",
        "outcome": "uncertain",
        "kind": "contested",
        "reason": "create `key`: another writer added a version too: version 1 is theirs, ours is version 2, and readers get the newest; find out which one is meant, and make sure that its value is the newest",
        "request_id": null,
        "next": "find out which one is meant, and make sure that its value is the newest"
      },
      {
        "key": "url",
        "backend": "gcpsm",
        "name": "url",
        "outcome": "skipped",
        "because": "key",
        "reason": null
      }
    ]
    "#);
    // Nothing is made of a value that somebody may mean to replace.
    assert!(service.value("url").is_none());
    Ok(())
}

#[test]
fn a_version_that_is_switched_off_is_blocked_whatever_is_behind_it() -> Test {
    let secrets = "
  disabled: {generate: {hex: 16}}
  destroyed: {generate: {hex: 16}}
  deleted: {generate: {hex: 16}}
";
    let world = World::<GcpSm>::new(secrets)?;
    let service = world.server.service();
    world.workspace.seed(APPLY)?.success()?;
    service.disable("disabled", 1);
    service.put("destroyed", "a second version");
    service.destroy_version("destroyed", 2);
    service.destroy("deleted");
    assert_snapshot!(world.shown(&world.workspace.seed(APPLY)?), @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      ! disabled   there, and never written into: version 1, the newest, is disabled
      ! destroyed  there, and never written into: version 2, the newest, is destroyed
      + deleted    created

    Applied: 1 created, 2 blocked.
    ---
    [exit status: 12]
    ");
    assert_eq!(service.versions("disabled"), 1);
    assert_eq!(service.versions("destroyed"), 2);
    let restored = world.workspace.seed("apply --restore disabled")?;
    assert_snapshot!(world.shown(&restored), @"
    ---
    error: `--restore disabled`: the backend `gcpsm` cannot bring back what was deleted; nothing was read or written
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_value_is_replaced_only_by_who_says_so_and_the_version_before_it_is_kept() -> Test {
    let world = World::<GcpSm>::new("  token: {provide: {how: somebody}}\n")?;
    let service = world.server.service();
    let (root, sealed) = (world.workspace.root(), world.workspace.sealed());
    let set = |more: &[&str], value: &[u8]| {
        let arguments = ["set", "token"].into_iter().chain(more.iter().copied());
        sealed.feed(root, arguments, value)
    };
    set(&[], b"first")?.success()?;
    assert_eq!(set(&[], b"second")?.status.code(), Some(12));
    assert_eq!(service.versions("token"), 1);
    set(&["--replace", "--yes"], b"second")?.success()?;
    assert_eq!(service.versions("token"), 2);
    assert_eq!(service.value("token").as_deref(), Some("second"));
    Ok(())
}

/// At the real quota, with the pace that nobody has changed. Its arithmetic is tried beside the adapter, on a clock that
/// takes no time.
#[test]
#[ignore = "takes three and a half minutes"]
fn a_thousand_keys_are_made_as_fast_as_the_quota_lets_them_and_none_is_refused() -> Test {
    let service = GcpSm::new();
    service.set_quotas(600, 600, 1);
    let world = World::on(Server::start(service), &Value::Null, &many(1_000))?;
    let begin = Instant::now();
    world.workspace.seed(APPLY)?.success()?;
    let took = begin.elapsed();
    let log = world.server.log();
    assert_eq!(log.count("CreateSecret"), 1_000);
    assert_eq!(log.count("AddSecretVersion"), 1_000);
    let refused = log.0.iter().filter(|call| call.status == Some(429));
    assert_eq!(refused.count(), 0);
    // 2,000 writes at 600 a minute, and five per cent.
    assert!(took < Duration::from_secs(210), "{took:?}");
    Ok(())
}

/// A contract for a project and an endpoint, or without them.
fn elsewhere(settings: &Value) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    let contract = format!(
        "version: 1\nname: shop\nbackend: gcpsm\nbackends: {{gcpsm: {settings}}}\nsecrets:{SECRETS}"
    );
    workspace.write("seed.yaml", &contract)?;
    Ok(workspace)
}

#[test]
fn a_place_that_the_contract_does_not_name_is_confirmed_before_any_write() -> Test {
    let server = Server::start(GcpSm::new());
    let (url, host) = (server.url(), server.address().to_string());
    let variables = [
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", &*url),
        ("GCE_METADATA_HOST", &*host),
        ("GOOGLE_CLOUD_PROJECT", "ai-lab"),
    ];
    let workspace = variables
        .into_iter()
        .fold(elsewhere(&json!({}))?, |workspace, (name, value)| {
            workspace.variable(name, value)
        });
    let shown = |line: &str| -> Result<String, String> {
        Ok(workspace.seed(line)?.to_string().replace(&host, "$ADDRESS"))
    };
    assert_snapshot!(shown(APPLY)?, @"
    ---
    error: nobody confirmed that gcpsm, project ai-lab, at http://$ADDRESS is meant
    hint: write the place into the contract, or confirm it with `--yes`
    [exit status: 2]
    ");
    assert!(server.service().names().is_empty());
    assert_snapshot!(shown("apply --yes")?, @"
    shop · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + key  created
      + url  created

    Applied: 2 created.
    ---
    [exit status: 0]
    ");
    let project = elsewhere(&json!({"endpoint": "https://secretmanager.example.com"}))?;
    let project = project
        .variable("GOOGLE_CLOUD_PROJECT", "ai-lab")
        .variable("GCE_METADATA_HOST", &*host);
    assert_snapshot!(project.seed("plan")?, @"
    ---
    error: nobody confirmed that this environment's credential may be sent to gcpsm, project ai-lab, at https://secretmanager.example.com
    hint: name the place in the environment as well if it is meant
    [exit status: 2]
    ");
    let other = project.variable(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
        "https://a.example.com",
    );
    assert_snapshot!(other.seed("plan")?, @"
    ---
    error: the contract's endpoint `https://secretmanager.example.com` is not that of the environment, `https://a.example.com` (backend `gcpsm`)
    hint: unset CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER, or correct `endpoint` in the contract
    [exit status: 2]
    ");
    Ok(())
}

/// A project at the stand-in, seen from a machine whose own account is asked for at `machine`.
fn on_machine(server: &Server<GcpSm>, machine: &str) -> Result<Workspace, String> {
    let workspace = elsewhere(&json!({"project": "ai-lab", "endpoint": server.url()}))?;
    let url = server.url();
    Ok(workspace
        .variable("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", url)
        .variable("GCE_METADATA_HOST", machine))
}

#[test]
fn who_has_no_credentials_at_all_is_told_so_at_once() -> Test {
    let server = Server::start(GcpSm::new());
    let host = server.address().to_string();
    // Nobody listens there.
    let workspace = on_machine(&server, "127.0.0.1:1")?;
    let shown = workspace.seed("plan")?.to_string();
    assert_snapshot!(shown.replace(&host, "$ADDRESS"), @"
    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no credentials of Google Cloud are found, and this machine has no account of its own; log in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a file
    hint: log in with `gcloud auth application-default login`
    [exit status: 1]
    ");
    let told = workspace.seed("plan -vv")?.stderr;
    assert!(!told.contains("sending again"), "{told}");
    assert!(server.log().is_empty());
    Ok(())
}

#[test]
fn a_file_of_credentials_whose_name_is_no_text_is_not_passed_over() -> Test {
    let server = Server::start(GcpSm::new());
    let machine = server.address().to_string();
    let name = std::ffi::OsString::from_vec(b"/nowhere/\xff.json".to_vec());
    let workspace = on_machine(&server, &machine)?.variable("GOOGLE_APPLICATION_CREDENTIALS", name);
    assert_snapshot!(workspace.seed("plan")?, @"
    ---
    error: cannot read the credentials in `/nowhere/�.json`: No such file or directory (os error 2) (backend `gcpsm`)
    hint: let GOOGLE_APPLICATION_CREDENTIALS name a file of credentials, or unset it and log in with `gcloud auth application-default login`
    [exit status: 2]
    ");
    assert!(server.log().is_empty());
    Ok(())
}
