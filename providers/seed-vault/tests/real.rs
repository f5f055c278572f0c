//! The adapter keeps every promise of the suite on a real Vault. Run by `make e2e`; a server that is missing fails.

#![expect(
    clippy::unwrap_used,
    reason = "a trial that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;
#[path = "support/values.rs"]
mod values;

use std::sync::Arc;

use futures::FutureExt as _;
use libtest_mimic::{Arguments, Failed, Trial};
use seed_core::document::{Document, FieldValue};
use seed_core::inventory::{Depth, Presence};
use seed_provider::conformance::{Subject, Suite};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _, WantedShape};
use seed_servers::Vault as Real;
use seed_vault::Vault;
use serde_json::{Value, json};

use open::{at, config, policy};
use values::{fields, name, single, wanted};

fn main() {
    let make = || async {
        let (vault, _) = fresh("2")?;
        Ok(Subject::new(vault))
    };
    let suite = Suite::new(at("http://127.0.0.1:1", "t").describe(), make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    trials.extend(suite.restore_trials(|vault: Arc<Vault>, name| {
        async move {
            let place = vault.describe().place;
            let mount = place.rsplit(' ').next().unwrap();
            let path = format!("{mount}/data/{name}");
            Real::shared()
                .unwrap()
                .call("DELETE", &path, &Value::Null)
                .unwrap();
        }
        .boxed()
    }));
    trials.extend(own());
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(true))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// An adapter of a mount that nobody else has, and the mount's path.
fn fresh(version: &str) -> Result<(Vault, String), Failed> {
    let real = Real::shared()?;
    let mount = if version == "1" {
        real.mount_v1()?
    } else {
        real.mount()?
    };
    let path = mount.path().to_owned();
    Ok((adapter(&path, real.token(), None), path))
}

fn adapter(mount: &str, token: &str, namespace: Option<&str>) -> Vault {
    let address = Real::shared().unwrap().address();
    let mut config = config(&[("VAULT_ADDR", address), ("VAULT_TOKEN", token)]).unwrap();
    config.mount = Some(mount.to_owned());
    config.namespace = namespace.map(str::to_owned);
    Vault::new(config, policy()).unwrap()
}

/// What the suite cannot know.
fn own() -> Vec<Trial> {
    macro_rules! trials {
        ($($trial:ident),+ $(,)?) => {
            vec![$(Trial::test(stringify!($trial), || run($trial())).with_kind("real")),+]
        };
    }
    trials![
        a_mount_of_version_1_is_refused_before_any_write,
        a_namespace_that_the_server_ignores_is_refused_before_any_write,
        a_mount_that_is_not_there_is_said,
        a_token_that_nobody_knows_is_not_taken_for_a_missing_permission,
        a_token_that_may_only_create_sees_that_a_name_is_taken,
        other_fields_keep_their_text_with_and_without_patch,
        what_is_deleted_or_destroyed_is_a_state,
        an_approle_logs_in_once,
        the_least_policy_of_the_reference_is_enough_and_overwrites_nothing,
    ]
}

fn run(trial: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(trial)
}

async fn a_mount_of_version_1_is_refused_before_any_write() -> Result<(), Failed> {
    let (vault, mount) = fresh("1")?;
    let created = vault
        .create(&name("a"), &single("x"), &Marks::of("test"))
        .await;
    let err = created.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Misplaced);
    assert!(
        err.message().contains("is KV version 1, which overwrites"),
        "{err}"
    );
    let listed = Real::shared()?.call("LIST", &mount, &Value::Null)?;
    assert!(listed.success().is_err(), "something was written");
    Ok(())
}

async fn a_namespace_that_the_server_ignores_is_refused_before_any_write() -> Result<(), Failed> {
    let (_, mount) = fresh("2")?;
    let vault = adapter(&mount, Real::shared()?.token(), Some("team"));
    let created = vault
        .create(&name("a"), &single("x"), &Marks::of("test"))
        .await;
    let err = created.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Misplaced);
    assert!(
        err.message()
            .contains("would use the root namespace instead of `team`"),
        "{err}"
    );
    let listed = Real::shared()?.call("LIST", &format!("{mount}/metadata"), &Value::Null)?;
    assert!(listed.success().is_err(), "something was written");
    Ok(())
}

async fn a_mount_that_is_not_there_is_said() -> Result<(), Failed> {
    let err = adapter("nowhere", Real::shared()?.token(), None)
        .identify()
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Misplaced);
    assert!(
        err.message().contains("there is no mount `nowhere`"),
        "{err}"
    );
    Ok(())
}

async fn a_token_that_nobody_knows_is_not_taken_for_a_missing_permission() -> Result<(), Failed> {
    let (_, mount) = fresh("2")?;
    let err = adapter(&mount, "hvs.unknown", None)
        .identify()
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert!(err.message().contains("vault login"), "{err}");
    Ok(())
}

async fn a_token_that_may_only_create_sees_that_a_name_is_taken() -> Result<(), Failed> {
    let (_, mount) = fresh("2")?;
    let policy = format!("path \"{mount}/data/a\" {{ capabilities = [\"create\", \"read\"] }}");
    let token = Real::shared()?.token_with(&mount, &policy)?;
    let vault = adapter(&mount, &token, None);
    let marks = Marks::of("test");
    vault.create(&name("a"), &single("x"), &marks).await?;
    let again = vault.create(&name("a"), &single("y"), &marks).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let hidden = vault.create(&name("b"), &single("y"), &marks).await;
    assert_eq!(hidden.unwrap_err().kind(), ErrorKind::Denied);
    let asked = [wanted("a", Depth::Metadata), wanted("b", Depth::Metadata)];
    let seen = vault.inventory(&asked).await?;
    assert!(
        matches!(seen.get(&name("a")), Some(Presence::Present { .. })),
        "{seen:?}"
    );
    assert!(
        matches!(seen.get(&name("b")), Some(Presence::Hidden { .. })),
        "{seen:?}"
    );
    assert_eq!(vault.notes().len(), 2, "{:?}", vault.notes());
    Ok(())
}

async fn other_fields_keep_their_text_with_and_without_patch() -> Result<(), Failed> {
    let real = Real::shared()?;
    let (with, mount) = fresh("2")?;
    let policy =
        format!("path \"{mount}/data/*\" {{ capabilities = [\"create\", \"read\", \"update\"] }}");
    let without = adapter(
        &mount,
        &real.token_with(&format!("{mount}-whole"), &policy)?,
        None,
    );
    let data = json!({"n": 1.5, "big": 1e300, "o": {"x": [1, 2.25, {"y": null}]}, "t": true, "z": null, "s": "<é>"});
    for (entry, vault) in [("patched", with), ("whole", without)] {
        real.call(
            "POST",
            &format!("{mount}/data/{entry}"),
            &json!({"data": data}),
        )?
        .success()?;
        let before = vault.read(&name(entry), WantedShape::Fields).await?;
        let new = fields(&[("new", "x")]);
        vault
            .add_fields(&name(entry), &new, &before.version)
            .await?;
        let after = vault.read(&name(entry), WantedShape::Fields).await?;
        let (Document::Fields(before), Document::Fields(after)) = (before.document, after.document)
        else {
            return Err("several values were written".into());
        };
        assert_eq!((before.len(), after.len()), (6, 7));
        for (field, value) in before.iter() {
            let same = match (value, after.get(field)) {
                (FieldValue::Raw(one), Some(FieldValue::Raw(other)))
                | (FieldValue::Text(one), Some(FieldValue::Text(other))) => {
                    one.expose() == other.expose()
                }
                _ => false,
            };
            assert!(same, "{entry}: {field}");
        }
    }
    Ok(())
}

async fn what_is_deleted_or_destroyed_is_a_state() -> Result<(), Failed> {
    let real = Real::shared()?;
    let (vault, mount) = fresh("2")?;
    for entry in ["deleted", "destroyed", "bare"] {
        let kind = if entry == "bare" { "metadata" } else { "data" };
        let body = json!({"data": {"value": "x"}, "custom_metadata": {"a": "b"}});
        real.call("POST", &format!("{mount}/{kind}/{entry}"), &body)?
            .success()?;
    }
    real.call("DELETE", &format!("{mount}/data/deleted"), &Value::Null)?
        .success()?;
    let versions = json!({"versions": [1]});
    real.call("PUT", &format!("{mount}/destroy/destroyed"), &versions)?
        .success()?;
    let asked = ["deleted", "destroyed", "bare"].map(|entry| wanted(entry, Depth::Metadata));
    let seen = vault.inventory(&asked).await?;
    assert_eq!(
        seen.get(&name("deleted")),
        Some(&Presence::Deleted { until: None })
    );
    assert!(
        matches!(
            seen.get(&name("destroyed")),
            Some(Presence::Disabled { .. })
        ),
        "{seen:?}"
    );
    assert!(
        matches!(seen.get(&name("bare")), Some(Presence::Empty { .. })),
        "{seen:?}"
    );
    let marks = Marks::of("test");
    for entry in ["deleted", "destroyed"] {
        let created = vault.create(&name(entry), &single("y"), &marks).await;
        assert_eq!(created.unwrap_err().kind(), ErrorKind::Conflict, "{entry}");
    }
    vault.create(&name("bare"), &single("y"), &marks).await?;
    Ok(())
}

async fn the_least_policy_of_the_reference_is_enough_and_overwrites_nothing() -> Result<(), Failed>
{
    let real = Real::shared()?;
    let (_, mount) = fresh("2")?;
    let policy: String = LEAST.replace("secret/", &format!("{mount}/"));
    let vault = adapter(
        &mount,
        &real.token_with(&format!("{mount}-least"), &policy)?,
        None,
    );
    let marks = Marks::of("test");
    let (one, many) = (name("shop/prod/one"), name("shop/prod/many"));
    let asked = ["shop/prod/one", "shop/prod/many"].map(|entry| wanted(entry, Depth::Fields));
    let seen = vault.inventory(&asked).await?;
    assert!(
        seen.iter()
            .all(|(_, presence)| *presence == Presence::Absent),
        "{seen:?}"
    );
    let first = vault.create(&one, &single("x"), &marks).await?;
    let version = vault
        .create(&many, &Document::Fields(fields(&[("a", "1")])), &marks)
        .await?;
    vault
        .add_fields(&many, &fields(&[("b", "2")]), &version)
        .await?;
    let again = vault.create(&one, &single("y"), &marks).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let replaced = vault.replace(&one, &single("y"), &first).await;
    assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Denied);
    let seen = vault.inventory(&asked).await?;
    assert!(
        seen.iter()
            .all(|(_, presence)| matches!(presence, Presence::Present { .. })),
        "{seen:?}"
    );
    assert!(vault.notes().is_empty(), "{:?}", vault.notes());
    Ok(())
}

async fn an_approle_logs_in_once() -> Result<(), Failed> {
    let real = Real::shared()?;
    let (_, mount) = fresh("2")?;
    let auth = format!("{mount}-approle");
    let role = format!("auth/{auth}/role/seed");
    real.call(
        "POST",
        &format!("sys/auth/{auth}"),
        &json!({"type": "approle"}),
    )?
    .success()?;
    let allowed =
        format!("path \"{mount}/*\" {{ capabilities = [\"create\", \"read\", \"list\"] }}");
    real.call(
        "PUT",
        &format!("sys/policies/acl/{auth}"),
        &json!({"policy": allowed}),
    )?
    .success()?;
    // One use, so that a second login would fail.
    let limits = json!({"token_policies": auth, "secret_id_num_uses": 1});
    real.call("POST", &role, &limits)?.success()?;
    let text = |answer: Value, pointer: &str| {
        answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    let role_id = real
        .call("GET", &format!("{role}/role-id"), &Value::Null)?
        .success()?;
    let secret_id = real
        .call("POST", &format!("{role}/secret-id"), &json!({}))?
        .success()?;
    let mut config = config(&[
        ("VAULT_ADDR", real.address()),
        ("VAULT_ROLE_ID", &text(role_id, "/data/role_id")),
        ("VAULT_SECRET_ID", &text(secret_id, "/data/secret_id")),
    ])?;
    config.mount = Some(mount);
    config.login = Some("approle".to_owned());
    config.login_mount = Some(auth);
    let vault = Vault::new(config, policy())?;
    vault.identify().await?;
    vault
        .create(&name("a"), &single("x"), &Marks::of("test"))
        .await?;
    vault.read(&name("a"), WantedShape::Single).await?;
    Ok(())
}

/// The policy of `docs/reference/vault.md`.
const LEAST: &str = r#"
path "secret/metadata/shop/prod/*" { capabilities = ["list"] }
path "secret/subkeys/shop/prod/*"  { capabilities = ["read"] }
path "secret/data/shop/prod/*"     { capabilities = ["create", "patch"] }
"#;
