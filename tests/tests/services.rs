//! Backends that are services: who is asked what, and when.
#![cfg(target_os = "linux")]

use std::time::Duration;

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_fakes::vault::Vault;
use seed_fakes::{Authority, AwsSm, AzureKv, Fault, GcpSm, Kubernetes, Server, When};
use seed_tests::cli::Outcome;
use seed_tests::service::{self, UnderTest as _, contract};
use seed_tests::stands::{Stand, World};
use seed_tests::workspace::Workspace;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

type Test = Result<(), String>;

const CONTRACT: &str = "version: 1\nname: shop\nbackend: vault\nbackends:\n  vault: {mount: secret}\n\
                        secrets:\n  a: {generate: {hex: 8}}\n  b: {generate: {hex: 8}}\n";

/// A contract for a server that the environment names, or the contract.
fn workspace(contract: &str) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", contract)?;
    Ok(workspace.variable("VAULT_TOKEN", Vault::TOKEN))
}

fn named(server: &Server<Vault>) -> String {
    let address = format!("{{address: \"{}\", mount: secret}}", server.url());
    CONTRACT.replace("{mount: secret}", &address)
}

fn at(server: &Server<Vault>) -> Result<Workspace, String> {
    Ok(workspace(&named(server))?.variable("VAULT_ADDR", server.url()))
}

/// An outcome without the port that it happened at.
fn shown(outcome: &Outcome, server: &Server<Vault>) -> String {
    let text = outcome.to_string().replace(&server.url(), "$VAULT");
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split("   ").collect::<Vec<_>>().join("   "))
        .collect();
    // The title is padded to a width that the port takes part in.
    let title = |line: &String| match line.rsplit_once("  seed.yaml") {
        Some((title, "")) => format!("{}  seed.yaml", title.trim_end()),
        Some(_) | None => line.clone(),
    };
    lines.iter().map(title).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_server_behind_tls_is_shown_with_the_name_that_it_knows_us_by() -> Test {
    let authority = Authority::new();
    let server = Server::start_tls(Vault::new(), &authority);
    let workspace = at(&server)?;
    workspace.write("ca.pem", &authority.pem())?;
    let authority = workspace.root().join("ca.pem");
    let workspace = workspace.variable("VAULT_CACERT", authority);
    let outcome = workspace.seed("apply")?;
    assert_snapshot!(shown(&outcome, &server), @"
    shop · vault, $VAULT, mount secret, as tester  seed.yaml

      + a  created
      + b  created

    Applied: 2 created.
    ---
    [exit status: 0]
    ");
    assert_eq!(server.service().versions("", "secret").len(), 2);
    let first = server.log().0.first().map(|call| call.operation.clone());
    assert_eq!(first.as_deref(), Some("lookup-self"));
    Ok(())
}

#[test]
fn a_place_from_the_environment_is_confirmed_before_any_call() -> Test {
    let server = Server::start(Vault::new());
    let workspace = workspace(CONTRACT)?.variable("VAULT_ADDR", server.url());
    let outcome = workspace.seed("apply")?;
    assert_snapshot!(shown(&outcome, &server), @"
    ---
    error: nobody confirmed that vault, $VAULT, mount secret is meant
    hint: write the place into the contract, or confirm it with `--yes`
    [exit status: 2]
    ");
    assert!(server.log().is_empty());
    // Its own address may be asked with its own token, and `--yes` is a word too.
    workspace.seed("plan")?.success()?;
    workspace.seed("apply --yes")?.success()?;
    Ok(())
}

#[test]
fn a_token_goes_nowhere_that_neither_the_environment_nor_a_person_names() -> Test {
    let server = Server::start(Vault::new());
    let workspace = workspace(&named(&server))?;
    let outcome = workspace.seed("plan")?;
    assert_snapshot!(shown(&outcome, &server), @"
    ---
    error: nobody confirmed that this environment's credential may be sent to vault, $VAULT, mount secret
    hint: set VAULT_ADDR to that address if it is meant
    [exit status: 2]
    ");
    for command in ["apply", "verify", "get a", "files", "set a"] {
        let outcome = workspace.seed(command)?;
        assert_eq!(outcome.status.code(), Some(2), "{outcome}");
    }
    assert!(server.log().is_empty());
    let fact = CONTRACT.replace(
        "{mount: secret}",
        "{address: \"${config.at}\", mount: secret}",
    );
    let fact = fact.replace(
        "name: shop",
        "name: shop\nconfig: {defaults: {at: nowhere}}",
    );
    workspace.write("seed.yaml", &fact)?;
    let told = format!("apply --set at={}", server.url());
    workspace.seed(&told)?.success()?;
    Ok(())
}

#[test]
fn what_is_not_what_the_contract_names_is_asked_for_nothing() -> Test {
    let server = Server::start(Vault::new());
    server.service().add_mount("", "secret", 1);
    let workspace = at(&server)?;
    let outcome = workspace.seed("apply")?;
    assert_snapshot!(shown(&outcome, &server), @"
    ---
    error: the backend `vault` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the mount `secret` is KV version 1, which overwrites what exists (request id 00000000-0000-4000-8000-000000000002)
    hint: make it version 2 with `vault kv enable-versioning secret`, or name another mount
    [exit status: 2]
    ");
    let counts = server.log().counts();
    for operation in ["list", "metadata", "read", "subkeys", "write"] {
        assert!(!counts.contains_key(operation), "{counts:?}");
    }
    Ok(())
}

#[test]
fn a_deleted_key_is_blocked_until_it_is_named() -> Test {
    let server = Server::start(Vault::new());
    let workspace = at(&server)?;
    workspace.seed("apply")?.success()?;
    let before = workspace.seed("get a")?.success()?;
    server.service().delete("a");
    let blocked = workspace.seed("apply")?;
    assert_snapshot!(shown(&blocked, &server), @"
    shop · vault, $VAULT, mount secret, as tester  seed.yaml

      ! a  deleted, its name is held: restore it in the backend, or `seed apply --restore a`

    Applied: 1 exists, 1 blocked.
    ---
    [exit status: 12]
    ");
    let set = workspace.seed("set a")?;
    assert_eq!(set.status.code(), Some(12), "{set}");
    assert!(set.stderr.contains("seed apply --restore a"), "{set}");
    let restored = workspace.seed("apply --restore * --restore b")?;
    assert_snapshot!(shown(&restored, &server), @"
    shop · vault, $VAULT, mount secret, as tester  seed.yaml

      + a  restored

    Applied: 1 restored, 1 exists.
    ---
    [exit status: 0]
    ");
    assert_eq!(workspace.seed("get a")?.success()?, before);
    let unknown = workspace.seed("apply --restore c")?;
    assert_snapshot!(shown(&unknown, &server), @"
    ---
    error: `--restore c`: `c` is not declared under `secrets`
    hint: `seed plan` shows what is declared
    [exit status: 2]
    ");
    let local = workspace.seed("apply --restore a --backend local")?;
    assert_snapshot!(shown(&local, &server), @"
    ---
    error: `--restore a`: the backend `local` cannot bring back what was deleted; nothing was read or written
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_run_that_is_stopped_twice_names_what_is_uncertain() -> Test {
    let server = Server::start(Vault::new());
    server.fault(When::about("write", "/a"), Fault::HoldAfter, None);
    let workspace = at(&server)?;
    let running = workspace.start("apply --concurrency 1")?;
    until(|| server.log().count("write") == 1)?;
    running.signal(Signal::INT)?;
    std::thread::sleep(Duration::from_millis(200));
    running.signal(Signal::INT)?;
    let outcome = running.finish()?;
    assert_snapshot!(shown(&outcome, &server), @"
    shop · vault, $VAULT, mount secret, as tester  seed.yaml

      ! a  uncertain: store `a`: the run was stopped before the answer came
      ! b  not tried: the run was stopped

    Applied: 1 uncertain, 1 not tried.

      What to do next:
        a: run it again: what is stored is kept, and what is missing is created
    ---
      stopping: waiting at most 30 s for the answers about `a`; Ctrl-C again stops at once
    [exit status: 4]
    ");
    assert_eq!(server.log().count("write"), 1);
    Ok(())
}

#[test]
fn a_look_that_is_stopped_ends_at_once() -> Test {
    let server = Server::start(Vault::new());
    server.fault(When::Always, Fault::HoldBefore, None);
    let workspace = at(&server)?;
    let running = workspace.start("plan")?;
    until(|| !server.log().is_empty())?;
    running.signal(Signal::INT)?;
    let outcome = running.finish()?;
    assert_snapshot!(shown(&outcome, &server), @"
    ---
    error: stopped before the end; nothing was written
    hint: run it again: what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_kubernetes_behind_tls_is_shown_with_the_name_that_it_knows_us_by() -> Test {
    let authority = Authority::new();
    let server = Server::start_tls(Kubernetes::empty(), &authority);
    let (url, pem) = (server.url(), authority.pem());
    let backend = service::Kubernetes::new(&url, Some(&pem), Kubernetes::TOKEN, "test", "seed")?;
    let workspace = backend.workspace()?;
    let contract = contract(&backend, &Value::Null, "  a: {generate: {hex: 8}}\n")?;
    workspace.write("seed.yaml", &contract)?;
    let outcome = workspace.seed("apply")?.to_string();
    assert_snapshot!(outcome.replace(&url, "$SERVER"), @"
    services · kubernetes, namespace seed, context test ($SERVER), as dev  seed.yaml

      + a  created

    Applied: 1 created.
    ---
    [exit status: 0]
    ");
    assert_eq!(server.service().kept().len(), 1);
    Ok(())
}

#[test]
fn a_context_that_only_the_kubeconfig_names_is_confirmed_before_any_call() -> Test {
    let World {
        server,
        backend,
        workspace,
    } = World::<Kubernetes>::new("")?;
    let contract = CONTRACT.replace("vault: {mount: secret}", "kubernetes: {namespace: seed}");
    workspace.write("seed.yaml", &contract.replace("vault", "kubernetes"))?;
    workspace.write(
        "current",
        r#"{"kind": "Config", "current-context": "test"}"#,
    )?;
    let variables = backend.variables().into_iter();
    let workspace = variables.fold(workspace, |workspace, (name, path)| {
        workspace.variable(&name, format!("{path}:current"))
    });
    let shown = |outcome: Outcome| outcome.to_string().replace(&server.url(), "$SERVER");
    assert_snapshot!(shown(workspace.seed("apply")?), @"
    ---
    error: nobody confirmed that kubernetes, namespace seed, context test ($SERVER) is meant
    hint: write the place into the contract, or confirm it with `--yes`
    [exit status: 2]
    ");
    assert!(server.log().is_empty());
    workspace.seed("plan")?.success()?;
    workspace.seed("apply --yes")?.success()?;
    assert_eq!(server.service().kept().len(), 2);
    Ok(())
}

const GROWS: &str = "  login:
    fields:
      user: {value: app}
      password: {generate: {hex: 16}}
      token: {generate: {hex: 16}}
      digest: {derive: {sha256: {of: password}}}
      line: {compose: \"${user}:${password}:${token}\"}
  url: {compose: \"postgresql://${login#user}:${login#password}@db\"}
";

#[test]
fn missing_fields_are_made_of_those_that_vault_keeps_beside_them() -> Test {
    grows::<Vault>()
}

#[test]
fn missing_fields_are_made_of_those_that_kubernetes_keeps_beside_them() -> Test {
    grows::<Kubernetes>()
}

#[test]
fn missing_fields_are_made_of_those_that_aws_sm_keeps_beside_them() -> Test {
    grows::<AwsSm>()
}

#[test]
fn missing_fields_are_made_of_those_that_azure_kv_keeps_beside_them() -> Test {
    grows::<AzureKv>()
}

#[test]
fn missing_fields_are_made_of_those_that_gcpsm_keeps_beside_them() -> Test {
    grows::<GcpSm>()
}

/// What somebody stored stays, and what is missing fits it and is added by one write.
fn grows<S: Stand>() -> Test {
    let world = World::<S>::new(GROWS)?;
    let service = world.server.service();
    let theirs = [
        ("user", "somebody"),
        ("password", "theirs"),
        ("extra", "kept as it is"),
    ];
    service.put("login", &theirs);
    world.workspace.seed("apply --no-input")?.success()?;
    let kept = service.kept();
    let values = world.values();
    let text = |key: &str| {
        let value = values.get(key).cloned().unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    };
    for (field, value) in theirs {
        assert_eq!(text(&format!("login#{field}")), value);
    }
    let token = text("login#token");
    assert_eq!(token.len(), 32);
    let digest = Sha256::digest("theirs");
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text("login#digest"), digest);
    assert!(text("login#line") == format!("somebody:theirs:{token}"));
    assert_eq!(text("url"), "postgresql://somebody:theirs@db");
    let versions = kept.get("login").map(|login| login.versions);
    assert_eq!(versions, Some(2), "what was there, and one write");
    world.workspace.seed("apply --no-input")?.success()?;
    assert!(service.kept() == kept, "a second run wrote");
    Ok(())
}

fn until(holds: impl Fn() -> bool) -> Test {
    for _ in 0..30_000 {
        if holds() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err("it never happened".to_owned())
}
