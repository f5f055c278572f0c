//! What services answer when something is wrong: what exists is never taken for absent, and people are told what to do.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use seed_fakes::vault::{Namespaces, Vault};
use seed_fakes::{Answer, Authority, AwsSm, AzureKv, Fault, GcpSm, Kubernetes, Server, When};
use seed_tests::cli::Outcome;
use seed_tests::stands::{Stand, World};
use serde_json::{Value, json};

type Test = Result<(), String>;

const SECRETS: &str = "  stored: {generate: {hex: 16}}
  stored-too: {generate: {hex: 16}}
  missing: {generate: {hex: 16}}
  grows:
    fields:
      one: {generate: {hex: 16}}
      two: {generate: {hex: 16}}
      both: {compose: \"${one}/${two}\"}
";
const THERE: [&str; 4] = ["stored", "stored-too", "grows#one", "grows#more"];
const APPLY: &str = "apply --no-input";
const PLAN: &str = "plan --format json";

fn world<S: Stand>() -> Result<World<S>, String> {
    let world = World::<S>::new(SECRETS)?;
    fill(&world);
    Ok(world)
}

fn fill<S: Stand>(world: &World<S>) {
    let service = world.server.service();
    service.put("stored", &[("", "of somebody")]);
    service.put("stored-too", &[("", "of somebody else")]);
    service.put(
        "grows",
        &[("one", "of somebody"), ("more", "kept as it is")],
    );
}

/// What is kept was there before, and is as it was.
fn unharmed<S: Stand>(world: &World<S>) -> Test {
    let values = world.values();
    let before = [
        ("stored", "of somebody"),
        ("stored-too", "of somebody else"),
        ("grows#one", "of somebody"),
        ("grows#more", "kept as it is"),
    ];
    match before
        .iter()
        .find(|(key, value)| values.get(*key).map(Vec::as_slice) != Some(value.as_bytes()))
    {
        Some((key, _)) => Err(format!("{key} is not what it was")),
        None => Ok(()),
    }
}

/// Nothing that is kept may be planned as if it were not there.
fn none_is_absent(plan: &Outcome) -> Test {
    let Ok(plan) = serde_json::from_str::<Value>(&plan.stdout) else {
        return Ok(());
    };
    let steps = plan.get("steps").and_then(Value::as_array);
    for step in steps.into_iter().flatten() {
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
        let there = ["stored", "stored-too", "grows#one"].contains(&text("key"));
        if there && !["keep", "blocked", "unknown"].contains(&text("action")) {
            return Err(format!("taken for absent: {step}"));
        }
    }
    Ok(())
}

#[test]
fn a_bare_404_of_vault_is_no_absence() -> Test {
    strange_answers::<Vault>(|_| {})
}

#[test]
fn a_bare_404_of_kubernetes_is_no_absence() -> Test {
    strange_answers::<Kubernetes>(|_| {})
}

#[test]
fn a_bare_404_of_kubernetes_is_no_absence_where_lists_are_denied() -> Test {
    strange_answers::<Kubernetes>(|server| server.service().deny("list", "secrets", ""))
}

#[test]
fn a_bare_404_of_aws_sm_is_no_absence() -> Test {
    strange_answers::<AwsSm>(|_| {})
}

#[test]
fn a_bare_404_of_aws_sm_is_no_absence_where_lists_are_denied() -> Test {
    strange_answers::<AwsSm>(|server| server.service().deny("ListSecrets", None))
}

#[test]
fn a_bare_404_of_azure_kv_is_no_absence() -> Test {
    strange_answers::<AzureKv>(|_| {})
}

#[test]
fn a_bare_404_of_azure_kv_is_no_absence_where_the_list_of_deleted_ones_is_denied() -> Test {
    strange_answers::<AzureKv>(|server| server.service().deny("GetDeletedSecrets", None))
}

#[test]
fn a_bare_404_of_gcpsm_is_no_absence() -> Test {
    strange_answers::<GcpSm>(|_| {})
}

#[test]
fn a_bare_404_of_gcpsm_is_no_absence_where_lists_are_denied() -> Test {
    strange_answers::<GcpSm>(|server| server.service().deny("ListSecrets", None))
}

/// What no list shows yet is looked at before it is written.
#[test]
fn a_bare_404_of_azure_kv_is_no_absence_where_lists_lag() -> Test {
    let bare = Answer::json(404, &json!({}));
    for fault in [Fault::Empty404, Fault::Answer(bare), Fault::Malformed] {
        let world = World::<AzureKv>::new(SECRETS)?;
        world.server.service().let_lists_lag();
        fill(&world);
        let look = When::operation("GetSecret");
        world.server.fault(look, fault, None);
        let run = world.workspace.seed(APPLY)?;
        unharmed(&world).map_err(|err| format!("{err}\n{run}"))?;
        assert_eq!(run.status.code(), Some(1), "{run}");
        assert_eq!(world.server.log().count("SetSecret"), 0, "{run}");
    }
    Ok(())
}

/// Whatever no service says of what is not there, at each call of a plan: nothing is written.
fn strange_answers<S: Stand>(prepare: impl Fn(&Server<S>) + Sync) -> Test {
    let plain = world::<S>()?;
    prepare(&plain.server);
    plain.workspace.seed(PLAN)?.success()?;
    let calls = plain.server.log().counts().into_keys();
    let html = |status| {
        let mut answer = Answer::empty(status).with_header("content-type", "text/html");
        answer.body = b"<html><title>404 Not Found</title></html>".to_vec();
        Fault::Answer(answer)
    };
    let mut bare = Answer::empty(404).with_header("content-type", "application/json");
    bare.body = b"{}".to_vec();
    let faults = [
        Fault::Empty404,
        Fault::Answer(bare),
        html(404),
        html(200),
        Fault::Redirect("https://elsewhere.example.com/".to_owned()),
        Fault::Malformed,
        Fault::Answer(Answer::empty(200)),
    ];
    let all: Vec<(String, Fault)> = calls
        .flat_map(|call| {
            faults
                .iter()
                .map(move |fault| (call.clone(), fault.clone()))
        })
        .collect();
    each(&all, |(call, fault)| {
        let world = world::<S>()?;
        prepare(&world.server);
        world
            .server
            .fault(When::operation(call), fault.clone(), None);
        let failed = |why: &str, run: &Outcome| format!("{call}, {fault:?}: {why}\n{run}");
        let plan = world.workspace.seed(PLAN)?;
        none_is_absent(&plan).map_err(|err| failed(&err, &plan))?;
        let run = world.workspace.seed(APPLY)?;
        unharmed(&world).map_err(|err| failed(&err, &run))?;
        let known = created(&plan);
        let mut made = world
            .values()
            .into_keys()
            .filter(|key| !THERE.contains(&key.as_str()));
        match (made.find(|key| !known.contains(key)), run.status.code()) {
            (Some(key), _) => Err(failed(
                &format!("{key} was written without being known to be absent"),
                &run,
            )),
            (None, Some(0)) if known.len() == 3 => Ok(()),
            (None, Some(1 | 2 | 4 | 12)) => Ok(()),
            (None, _) => Err(failed("it did not fail", &run)),
        }
    })
}

/// What a plan would create, because the service itself says that it is not there.
fn created(plan: &Outcome) -> BTreeSet<String> {
    let plan = serde_json::from_str::<Value>(&plan.stdout).unwrap_or_default();
    let steps = plan.get("steps").and_then(Value::as_array);
    let text = |step: &Value, name: &str| step.get(name)?.as_str().map(str::to_owned);
    let create = steps.into_iter().flatten().filter(|step| {
        text(step, "action")
            .is_some_and(|action| !["blocked", "keep", "unknown"].contains(&action.as_str()))
    });
    create.filter_map(|step| text(step, "key")).collect()
}

#[test]
fn one_hidden_name_of_vault_keeps_no_other_from_being_made() -> Test {
    let (plan, run) = one_hidden::<Vault>()?;
    assert_snapshot!(plan, @"
    services · vault, http://$ADDRESS, mount secret, as tester  seed.yaml

      = stored      exists
      = stored-too  exists
      + missing     hex 16
      ! grows#one   hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path
      ! grows#two   hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path
      ! grows#both  hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path

    Plan: 1 to create, 3 blocked, 2 exist.
    vault is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run, @"
    services · vault, http://$ADDRESS, mount secret, as tester  seed.yaml

      + missing     created
      ! grows#one   hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path
      ! grows#two   hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path
      ! grows#both  hidden, which is not absent: the server answered 403: permission denied; give the token a policy for this path

    Applied: 1 created, 2 exist, 3 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn one_hidden_name_of_kubernetes_keeps_no_other_from_being_made() -> Test {
    let (plan, run) = one_hidden::<Kubernetes>()?;
    assert_snapshot!(plan, @"
    services · kubernetes, namespace seed, context test (http://$ADDRESS), as dev  seed.yaml

      = stored      exists
      = stored-too  exists
      + missing     hex 16
      ! grows#one   hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)
      ! grows#two   hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)
      ! grows#both  hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)

    Plan: 1 to create, 3 blocked, 2 exist.
    kubernetes is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    warning: `kubernetes`: `list` on secrets is denied in the namespace `seed`; each name was looked up with `get` instead
    [exit status: 0]
    ");
    assert_snapshot!(run, @"
    services · kubernetes, namespace seed, context test (http://$ADDRESS), as dev  seed.yaml

      + missing     created
      ! grows#one   hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)
      ! grows#two   hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)
      ! grows#both  hidden, which is not absent: the API server does not allow it; grant `get` on secrets in the namespace `seed` (403 Forbidden) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)

    Applied: 1 created, 2 exist, 3 blocked.
    ---
    warning: `kubernetes`: `list` on secrets is denied in the namespace `seed`; each name was looked up with `get` instead
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn one_hidden_name_of_aws_sm_keeps_no_other_from_being_made() -> Test {
    let (plan, run) = one_hidden::<AwsSm>()?;
    assert_snapshot!(plan, @"
    services · aws-sm, account 123456789012, region eu-central-1, at http://$ADDRESS, as arn:aws:iam::123456789012:user/tester  seed.yaml

      = stored      exists
      = stored-too  exists
      + missing     hex 16
      ! grows#one   hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)
      ! grows#two   hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)
      ! grows#both  hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)

    Plan: 1 to create, 3 blocked, 2 exist.
    aws-sm is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run, @"
    services · aws-sm, account 123456789012, region eu-central-1, at http://$ADDRESS, as arn:aws:iam::123456789012:user/tester  seed.yaml

      + missing     created
      ! grows#one   hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)
      ! grows#two   hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)
      ! grows#both  hidden, which is not absent: GetSecretValue failed with `AccessDeniedException`: the identity in use may not do that; have the action allowed in its policy (and `kms:GenerateDataKey` and `kms:Decrypt`, with a KMS key of one's own) (request id $ID)

    Applied: 1 created, 2 exist, 3 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn one_hidden_name_of_azure_kv_keeps_no_other_from_being_made() -> Test {
    let (plan, run) = one_hidden::<AzureKv>()?;
    assert_snapshot!(plan, @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      = stored      exists
      = stored-too  exists
      + missing     hex 16
      ! grows#one   hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)
      ! grows#two   hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)
      ! grows#both  hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)

    Plan: 1 to create, 3 blocked, 2 exist.
    azure-kv is converging: runs of `seed` end with one value for each key, and make others only from that; not guaranteed: that nobody else writes in the same seconds: the service takes every write, and what others write then is kept and reported with exit code 4.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run, @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + missing     created
      ! grows#one   hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)
      ! grows#two   hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)
      ! grows#both  hidden, which is not absent: GetSecret failed with `Forbidden/ForbiddenByRbac`: the identity has no permission for it; give it the role `Key Vault Secrets Officer`, or an access policy, on the vault (request id $ID)

    Applied: 1 created, 2 exist, 3 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn one_hidden_name_of_gcpsm_keeps_no_other_from_being_made() -> Test {
    let (plan, run) = one_hidden::<GcpSm>()?;
    assert_snapshot!(plan, @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      = stored      exists
      = stored-too  exists
      + missing     hex 16
      ! grows#one   hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)
      ! grows#two   hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)
      ! grows#both  hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)

    Plan: 1 to create, 3 blocked, 2 exist.
    gcpsm is claimed: runs of `seed` exclude each other, so that a key is made once; not guaranteed: that nobody else writes in the same moment: what other tools write then can come in between.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run, @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + missing     created
      ! grows#one   hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)
      ! grows#two   hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)
      ! grows#both  hidden, which is not absent: AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it (request id $ID)

    Applied: 1 created, 2 exist, 3 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

fn one_hidden<S: Stand>() -> Result<(String, String), String> {
    let world = world::<S>()?;
    S::deny(&world.server, "grows");
    let plan = world.workspace.seed("plan")?;
    let run = world.workspace.seed(APPLY)?;
    unharmed(&world)?;
    assert!(world.values().contains_key("missing"), "{run}");
    Ok((world.shown(&plan), world.shown(&run)))
}

#[test]
fn a_token_of_vault_that_expires_amid_a_run_harms_nothing() -> Test {
    assert_snapshot!(expires::<Vault>()?, @"
    services · vault, http://$ADDRESS, mount secret, as tester  seed.yaml

      + key-0  created
      ! key-1  failed: create `key-1`: the server answered 403: the token is unknown, expired or revoked; log in again with `vault login`, or set `VAULT_TOKEN`
      ! key-2  not tried, because of key-1: the backend does not take the credential any more
      ! key-3  not tried, because of key-1: the backend does not take the credential any more
      ! key-4  not tried, because of key-1: the backend does not take the credential any more
      ! key-5  not tried, because of key-1: the backend does not take the credential any more

    Applied: 1 created, 1 failed, 4 not tried.
    ---
    [exit status: 4]
    ");
    Ok(())
}

#[test]
fn a_token_of_kubernetes_that_expires_amid_a_run_harms_nothing() -> Test {
    assert_snapshot!(expires::<Kubernetes>()?, @"
    services · kubernetes, namespace seed, context test (http://$ADDRESS), as dev  seed.yaml

      + key-0  created
      ! key-1  failed: create `key-1`: the API server does not know the credential, or it has expired; log in again and run this again (401 Unauthorized) (request id 0dc54738-8a29-4e99-8646-b54885243d1a)
      ! key-2  not tried, because of key-1: the backend does not take the credential any more
      ! key-3  not tried, because of key-1: the backend does not take the credential any more
      ! key-4  not tried, because of key-1: the backend does not take the credential any more
      ! key-5  not tried, because of key-1: the backend does not take the credential any more

    Applied: 1 created, 1 failed, 4 not tried.
    ---
    [exit status: 4]
    ");
    Ok(())
}

#[test]
fn a_session_of_aws_that_expires_amid_a_run_harms_nothing() -> Test {
    assert_snapshot!(expires::<AwsSm>()?, @"
    services · aws-sm, account 123456789012, region eu-central-1, at http://$ADDRESS, as arn:aws:iam::123456789012:user/tester  seed.yaml

      + key-0  created
      ! key-1  failed: create `key-1`: CreateSecret failed with `ExpiredTokenException`: the credentials have expired, or the clock is wrong; log in again, then run the command again (request id $ID)
      ! key-2  not tried, because of key-1: the backend does not take the credential any more
      ! key-3  not tried, because of key-1: the backend does not take the credential any more
      ! key-4  not tried, because of key-1: the backend does not take the credential any more
      ! key-5  not tried, because of key-1: the backend does not take the credential any more

    Applied: 1 created, 1 failed, 4 not tried.
    ---
    [exit status: 4]
    ");
    Ok(())
}

#[test]
fn a_token_of_azure_that_expires_amid_a_run_harms_nothing() -> Test {
    assert_snapshot!(expires::<AzureKv>()?, @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! key-0  uncertain: tell which value stands of `key-0`: GetSecretVersions was refused: the vault does not take the token: it is over, or of another tenant than the vault's; log in again
      ! key-1  failed: create `key-1`: GetSecret was refused: the vault does not take the token: it is over, or of another tenant than the vault's; log in again
      ! key-2  not tried, because of key-1: the backend does not take the credential any more
      ! key-3  not tried, because of key-1: the backend does not take the credential any more
      ! key-4  not tried, because of key-1: the backend does not take the credential any more
      ! key-5  not tried, because of key-1: the backend does not take the credential any more

    Applied: 1 failed, 1 uncertain, 4 not tried.
    ---
    [exit status: 4]
    ");
    Ok(())
}

#[test]
fn a_token_of_google_that_expires_amid_a_run_harms_nothing() -> Test {
    assert_snapshot!(expires::<GcpSm>()?, @"
    services · gcpsm, project ai-lab, at http://$ADDRESS, as the account of this machine  seed.yaml

      + key-0  created
      ! key-1  failed: create `key-1`: CreateSecret failed with `UNAUTHENTICATED`: the credentials are not taken; log in again, then run the command again (request id $ID)
      ! key-2  not tried, because of key-1: the backend does not take the credential any more
      ! key-3  not tried, because of key-1: the backend does not take the credential any more
      ! key-4  not tried, because of key-1: the backend does not take the credential any more
      ! key-5  not tried, because of key-1: the backend does not take the credential any more

    Applied: 1 created, 1 failed, 4 not tried.
    ---
    [exit status: 4]
    ");
    Ok(())
}

/// The credential ends after the first value was made. Tells how the run ended, and how many were made.
fn expires<S: Stand>() -> Result<String, String> {
    let secrets: String = (0..6)
        .map(|n| format!("  key-{n}: {{generate: {{hex: 16}}}}\n"))
        .collect();
    let world = World::<S>::new(&secrets)?;
    world.server.set_latency(Duration::from_millis(100));
    let running = world.workspace.start("apply --no-input --concurrency 1")?;
    let deadline = Instant::now() + Duration::from_mins(1);
    while world.server.service().kept().is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    world.server.service().expire();
    let outcome = running.finish()?;
    let kept = world.server.service().kept();
    assert!(
        kept.len() == 1 && kept.values().all(|kept| kept.versions == 1),
        "{outcome}"
    );
    Ok(world.shown(&outcome))
}

/// Starts a stand-in whose contract has other settings, and runs.
fn misplaced<S: Stand>(service: S, settings: &Value) -> Result<String, String> {
    let world = World::on(service.serve(), settings, SECRETS)?;
    let before = world.server.service().kept();
    let outcome = world.workspace.seed(APPLY)?;
    assert!(world.server.service().kept() == before, "{outcome}");
    Ok(world.shown(&outcome))
}

#[test]
fn a_namespace_that_vault_ignores_is_not_written_to() -> Test {
    let settings = json!({"namespace": "team"});
    assert_snapshot!(misplaced(Vault::new(), &settings)?, @"
    ---
    error: the backend `vault` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the server does not know namespaces and would use the root namespace instead of `team` (request id $ID)
    hint: remove `namespace` (or `VAULT_NAMESPACE`), or use a server that has them
    [exit status: 2]
    ");
    let bao = Vault::new();
    bao.set_namespaces(Namespaces::Honoured(vec!["other".to_owned()]));
    assert_snapshot!(misplaced(bao, &settings)?, @"
    ---
    error: the backend `vault` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the server answered 404: there is no namespace `team`
    hint: name one that exists in the contract's backend
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_sealed_vault_is_told_from_an_empty_one() -> Test {
    let vault = Vault::new();
    vault.seal(true);
    assert_snapshot!(misplaced(vault, &Value::Null)?, @"
    services · vault, http://$ADDRESS, mount secret        seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server answered 503: it is sealed; unseal it with `vault operator unseal`
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_mount_that_is_missing_or_keeps_no_versions_is_not_written_to() -> Test {
    let settings = json!({"mount": "other"});
    assert_snapshot!(misplaced(Vault::new(), &settings)?, @"
    ---
    error: the backend `vault` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the server answered 403: there is no mount `other`, or the token may do nothing there
    hint: name the mount in the contract's backend, or give the token a policy for it
    [exit status: 2]
    ");
    let first = Vault::new();
    first.add_mount("", "other", 1);
    assert_snapshot!(misplaced(first, &settings)?, @"
    ---
    error: the backend `vault` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the mount `other` is KV version 1, which overwrites what exists (request id $ID)
    hint: make it version 2 with `vault kv enable-versioning other`, or name another mount
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn another_context_server_or_namespace_is_not_written_to() -> Test {
    let context = json!({"context": "production"});
    assert_snapshot!(misplaced(Kubernetes::empty(), &context)?, @"
    ---
    error: the context `production` does not exist (backend `kubernetes`)
    hint: the kubeconfig has `test`
    [exit status: 2]
    ");
    let server = json!({"server": "https://other.example.com:6443"});
    assert_snapshot!(misplaced(Kubernetes::empty(), &server)?, @"
    ---
    error: the context `test` is for the server `http://$ADDRESS`, and the contract names `https://other.example.com:6443` (backend `kubernetes`)
    hint: choose the other context, or correct `server` in the contract
    [exit status: 2]
    ");
    let namespace = json!({"namespace": "other"});
    assert_snapshot!(misplaced(Kubernetes::empty(), &namespace)?, @"
    ---
    error: the backend `kubernetes` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the namespace `other` does not exist on http://$ADDRESS
    hint: correct it in the contract, create it with `kubectl create namespace other`, or let `seed apply --create-namespace` do it
    [exit status: 2]
    ");
    let going = Kubernetes::with_namespaces(&["other"]);
    going.terminate("other");
    assert_snapshot!(misplaced(going, &namespace)?, @"
    ---
    error: the backend `kubernetes` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the namespace `other` is being deleted, with all that is in it
    hint: wait until it is gone, and make it again
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn another_region_or_account_is_not_written_to() -> Test {
    let region = json!({"region": "us-east-1"});
    assert_snapshot!(misplaced(AwsSm::new(), &region)?, @"
    services · aws-sm, account 123456789012, region us-east-1, at http://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: GetCallerIdentity failed with `SignatureDoesNotMatch`: the credentials are not known there; check AWS_PROFILE, the access key, the region and the clock (request id $ID)
    hint: log in with `aws sso login`, or choose other credentials with AWS_PROFILE
    [exit status: 1]
    ");
    let account = json!({"account": "210987654321"});
    assert_snapshot!(misplaced(AwsSm::new(), &account)?, @"
    ---
    error: the backend `aws-sm` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the contract names account 210987654321, and the credentials belong to account 123456789012
    hint: choose other credentials with AWS_PROFILE, or correct `account`
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn another_project_or_location_of_google_is_not_written_to() -> Test {
    let project = json!({"project": "another-lab"});
    assert_snapshot!(misplaced(GcpSm::new(), &project)?, @"
    ---
    error: the backend `gcpsm` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: ListSecrets failed with `PERMISSION_DENIED`: the project does not exist, or the identity in use may not see it (request id $ID)
    hint: check `project`
    [exit status: 2]
    ");
    let location = json!({"location": "europe-west9"});
    assert_snapshot!(misplaced(GcpSm::regional("europe-west3"), &location)?, @"
    ---
    error: the backend `gcpsm` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: ListSecrets failed with `NOT_FOUND`: there is no such project or location (request id $ID)
    hint: check `project` and `location`
    [exit status: 2]
    ");
    // Copies of what is not in one place.
    let replication = json!({"location": "europe-west3", "replication": "europe-west1"});
    assert_snapshot!(misplaced(GcpSm::regional("europe-west3"), &replication)?, @"
    ---
    error: regional secrets have no replication (backend `gcpsm`)
    hint: leave out `location` for global secrets, or `replication` for regional ones
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_project_of_google_that_is_not_ready_is_said_to_be_so() -> Test {
    for (reason, shown) in [
        (
            "SERVICE_DISABLED",
            "the Secret Manager API is not enabled in the project",
        ),
        ("BILLING_DISABLED", "the project has no billing account"),
        (
            "USER_PROJECT_DENIED",
            "the identity in use may not have requests counted to the quota project",
        ),
    ] {
        let world = world::<GcpSm>()?;
        let errors = GcpSm::documented_errors().into_iter();
        let wanted =
            |(call, what, _): &(&str, &str, Answer)| *call == "ListSecrets" && *what == reason;
        let (.., answer) = errors.clone().find(wanted).ok_or("no such error")?;
        for call in ["ListSecrets", "GetSecret", "CreateSecret"] {
            world
                .server
                .fault(When::operation(call), Fault::Answer(answer.clone()), None);
        }
        let run = world.workspace.seed(APPLY)?;
        unharmed(&world)?;
        assert_eq!(world.server.log().count("CreateSecret"), 0, "{run}");
        assert!(run.stderr.contains(shown), "{run}");
        assert_eq!(run.status.code(), Some(2), "{run}");
    }
    Ok(())
}

#[test]
fn an_untrusted_certificate_is_named_as_the_cause_at_once() -> Test {
    assert_snapshot!(untrusted::<Vault>()?, @"
    services · vault, https://$ADDRESS, mount secret       seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`
    [exit status: 1]
    ");
    assert_snapshot!(untrusted::<Kubernetes>()?, @"
    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the certificate of the API server is not trusted: nobody knows its issuer; give its authority to the context's cluster as `certificate-authority`
    [exit status: 1]
    ");
    assert_snapshot!(untrusted::<AwsSm>()?, @"
    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server's certificate is not trusted: its issuer is unknown; name its authority in AWS_CA_BUNDLE
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn an_untrusted_certificate_of_google_is_named_as_the_cause_at_once() -> Test {
    assert_snapshot!(untrusted::<GcpSm>()?, @"
    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no TLS for ListSecrets: the server's certificate is not trusted: its issuer is unknown; name its authority with SSL_CERT_FILE
    [exit status: 1]
    ");
    Ok(())
}

fn untrusted<S: Stand>() -> Result<String, String> {
    let server = Server::start_tls(S::empty(), &Authority::new());
    let world = World::on(server, &Value::Null, SECRETS)?;
    let begin = Instant::now();
    let outcome = world.workspace.seed(APPLY)?;
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(world.server.log().is_empty(), "{outcome}");
    Ok(world.shown(&outcome))
}

/// Does each of many things, several at once: most of the time goes into pauses before a request is sent again.
fn each<T: Sync>(all: &[T], one: impl Fn(&T) -> Test + Sync) -> Test {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(this) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let (Err(err), Ok(mut failures)) = (one(this), failures.lock()) {
                        failures.push(err);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().map_err(|_| "a worker panicked")?;
    match failures.len() {
        0 => Ok(()),
        count => Err(format!(
            "{count} of {}:\n{}",
            all.len(),
            failures.join("\n\n")
        )),
    }
}
