//! Secrets that `seed` writes to a cluster itself.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_snapshot;
use seed_servers::KubeApiserver;
use seed_tests::search::leaks;
use seed_tests::workspace::Workspace;
use serde_json::{Value, json};

type Test = Result<(), String>;

const SHOP: &str = "\
version: 1
name: shop
backend: local
backends: {local: {file: store.age}}
cluster: {context: shop, server: \"https://shop.example.com:6443\"}
secrets:
  redis: {backend: none, generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: redis, cost: 4}}}
  user: {generate: {hex: 4}}
targets:
  argocd/argocd-redis: {deliver: direct, data: {auth: \"${redis}\"}}
  shop/redis: {deliver: direct, type: kubernetes.io/basic-auth, data: {username: \"${user}\", password: \"${redis}\"}}
";

fn shop(contract: &str) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", contract)?;
    Ok(workspace)
}

#[test]
fn without_the_flag_the_cluster_is_left_alone_and_that_is_said() -> Test {
    let workspace = shop(SHOP)?;
    assert_snapshot!(workspace.seed("apply")?, @"
    shop · local, file store.age                                  seed.yaml

      > hash  waits for redis
      + user  created

    Applied: 1 created, 1 waiting, 1 not needed.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("plan --exit-code")?, @"
    shop · local, file store.age                                  seed.yaml

      - redis  not needed: kept in no backend, only in the cluster
      > hash   waits for redis
      = user   exists

      Left out without `--cluster`: 2 Secrets, 1 value kept in no backend.

    Plan: 1 waiting, 1 exists, 1 not needed.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_plan_of_the_cluster_needs_no_cluster() -> Test {
    let workspace = shop(SHOP)?;
    assert_snapshot!(workspace.seed("plan --offline --cluster")?, @"
    shop · offline, as if nothing existed yet                     seed.yaml

      + redis  hex 16
      + hash   bcrypt of redis
      + user   hex 4

      Secrets in the cluster:
      + argocd/argocd-redis  auth
      + shop/redis           username, password

    Plan: 5 to create.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("plan --offline --cluster --format markdown")?, @"
    ## Secrets of <code>shop</code>

    Plan: 5 to create.
    No backend was asked: this is what would happen if nothing existed yet.

    | | Key | What happens | How, or why |
    | --- | --- | --- | --- |
    | `+` | <code>redis</code> | is created | <code>hex 16</code> |
    | `+` | <code>hash</code> | is created | <code>bcrypt of redis</code> |
    | `+` | <code>user</code> | is created | <code>hex 4</code> |

    Secrets in the cluster:

    * `+` <code>argocd/argocd-redis</code>: <code>auth</code>
    * `+` <code>shop/redis</code>: <code>username, password</code>
    ---
    [exit status: 0]
    ");
    let plan = workspace.json("plan --offline --cluster --format json")?;
    assert_snapshot!(plan["secrets"].to_string(), @r#"[{"secret":"argocd/argocd-redis","action":"create","keys":[{"key":"auth","state":null,"action":"create"}]},{"secret":"shop/redis","action":"create","keys":[{"key":"username","state":null,"action":"create"},{"key":"password","state":null,"action":"create"}]}]"#);
    assert_eq!(plan["steps"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[test]
fn another_cluster_than_the_contract_names_is_refused_before_any_call() -> Test {
    let workspace = shop(SHOP)?;
    assert_snapshot!(workspace.seed("apply --cluster")?, @"
    ---
    error: the cluster: the context `shop` does not exist: there is no kubeconfig
    hint: name the file in KUBECONFIG, or leave `context` out where seed runs in a pod of that cluster
    [exit status: 2]
    ");
    workspace.write("kubeconfig", &elsewhere("shop"))?;
    let workspace = workspace.variable("KUBECONFIG", "kubeconfig");
    assert_snapshot!(workspace.seed("apply --cluster")?, @"
    ---
    error: the cluster: the context `shop` is for the server `https://127.0.0.1:1`, and the contract names `https://shop.example.com:6443`
    hint: choose the other context, or correct `server` in the contract
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("apply --cluster --context other")?, @"
    ---
    error: the cluster: the context `other` does not exist
    hint: the kubeconfig has `shop`
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("apply --context other")?, @"
    ---
    error: the following required arguments were not provided:
      --cluster

    Usage: seed apply --cluster --context <NAME>

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert!(!workspace.root().join("store.age").exists());
    Ok(())
}

#[test]
fn a_cluster_that_only_the_kubeconfig_names_is_confirmed_before_any_call() -> Test {
    let contract = SHOP.replace(
        "cluster: {context: shop, server: \"https://shop.example.com:6443\"}\n",
        "",
    );
    let workspace = shop(&contract)?;
    workspace.write("kubeconfig", &elsewhere("current"))?;
    let workspace = workspace.variable("KUBECONFIG", "kubeconfig");
    assert_snapshot!(workspace.seed("apply --cluster")?, @"
    ---
    error: nobody confirmed that kubernetes, the cluster of the context current (https://127.0.0.1:1) is meant
    hint: write the place into the contract, or confirm it with `--yes`
    [exit status: 2]
    ");
    assert!(!workspace.root().join("store.age").exists());
    Ok(())
}

#[test]
fn of_several_kubeconfigs_some_may_be_missing_but_not_all() -> Test {
    let workspace = shop(SHOP)?;
    workspace.write("kubeconfig", &elsewhere("shop"))?;
    let workspace = workspace.variable("KUBECONFIG", "missing::kubeconfig");
    assert_snapshot!(workspace.seed("apply --cluster")?, @"
    ---
    error: the cluster: the context `shop` is for the server `https://127.0.0.1:1`, and the contract names `https://shop.example.com:6443`
    hint: choose the other context, or correct `server` in the contract
    [exit status: 2]
    ");
    let workspace = workspace.variable("KUBECONFIG", "missing");
    assert_snapshot!(workspace.seed("apply --cluster")?, @"
    ---
    error: the cluster: KUBECONFIG names `missing`, which does not exist
    hint: correct KUBECONFIG, or unset it to use ~/.kube/config
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn what_kubernetes_kept_cannot_be_brought_back() -> Test {
    let workspace = shop(SHOP)?;
    assert_snapshot!(workspace.seed("apply --restore redis")?, @"
    ---
    error: `--restore redis`: it is kept in no backend, so nothing could bring it back; nothing was read or written
    [exit status: 2]
    ");
    let contract = "\
version: 1
name: shop
backend: kubernetes
backends: {kubernetes: {context: current, namespace: seed}}
secrets: {a: {generate: {hex: 4}}}
";
    workspace.write("seed.yaml", contract)?;
    workspace.write("kubeconfig", &elsewhere("current"))?;
    let workspace = workspace.variable("KUBECONFIG", "kubeconfig");
    assert_snapshot!(workspace.seed("apply --restore a")?, @"
    ---
    error: `--restore a`: the backend `kubernetes` cannot bring back what was deleted; nothing was read or written
    hint: Kubernetes keeps nothing of a deleted Secret; without `--restore` it is created again
    [exit status: 2]
    ");
    Ok(())
}

/// A kubeconfig whose one context leads to a port of this machine on which nobody listens.
fn elsewhere(context: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
    });
    config.to_string()
}

#[test]
#[ignore = "needs a Kubernetes API server: make e2e"]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning")]
fn secrets_are_created_once_and_what_is_there_stays() -> Test {
    let kube = KubeApiserver::start()?;
    let contract = SHOP.replace("https://shop.example.com:6443", kube.address());
    let workspace = shop(&contract)?;
    workspace.write(
        "kubeconfig",
        &kube.kubeconfig("shop", "default", kube.token()),
    )?;
    let workspace = workspace.variable("KUBECONFIG", "kubeconfig");
    let run = |line: &str| {
        let outcome = workspace.seed(line)?.to_string();
        Ok::<_, String>(outcome.replace(kube.address(), "SERVER"))
    };
    // Neither namespace exists: their Secrets are blocked, and nothing that depends on them is made.
    assert_snapshot!(run("apply --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      ! redis                       needs Secret argocd/argocd-redis#auth, which is blocked
      ! hash                        needs redis, which is blocked
      ! user                        needs Secret shop/redis#username, which is blocked
      ! Secret argocd/argocd-redis  the namespace `argocd` does not exist on SERVER; correct it in the contract, create it with `kubectl create namespace argocd`, or let `seed apply --create-namespace` do it
      ! Secret shop/redis           the namespace `shop` does not exist on SERVER; correct it in the contract, create it with `kubectl create namespace shop`, or let `seed apply --create-namespace` do it

    Applied: 5 blocked.
    ---
    [exit status: 12]
    ");
    for namespace in ["argocd", "shop"] {
        let body = json!({"metadata": {"name": namespace}});
        kube.call("POST", "/api/v1/namespaces", &body)?.success()?;
    }
    let told = workspace.seed("apply --cluster -vvv")?;
    let outputs = BTreeMap::from([
        ("stdout".to_owned(), told.stdout_bytes.clone()),
        ("stderr".to_owned(), told.stderr.clone().into_bytes()),
    ]);
    assert_snapshot!(told.success()?.replace(kube.address(), "SERVER"), @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      + redis                       created
      + hash                        created
      + user                        created
      + Secret argocd/argocd-redis  created
      + Secret shop/redis           created

    Applied: 5 created.
    ");
    let argocd = secret(&kube, "argocd", "argocd-redis")?;
    let of_shop = secret(&kube, "shop", "redis")?;
    assert_eq!(argocd["data"]["auth"], of_shop["data"]["password"]);
    assert_eq!(of_shop["type"], "kubernetes.io/basic-auth");
    assert_eq!(argocd["metadata"]["labels"]["seed-contract"], "shop");
    let value = argocd["data"]["auth"].as_str().unwrap_or_default();
    let value = STANDARD.decode(value).map_err(|err| err.to_string())?;
    assert_eq!(value.len(), 32);
    let secrets = BTreeMap::from([("redis".to_owned(), value)]);
    assert_eq!(leaks(&secrets, &outputs), Vec::<String>::new());
    assert_snapshot!(run("apply --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

    Applied: 5 exist.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run("plan --cluster --exit-code")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      = redis  exists
      = hash   exists
      = user   exists

      Secrets in the cluster:
      = argocd/argocd-redis  exists
      = shop/redis           exists

    Plan: no changes; 5 exist.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    kubernetes is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run("verify --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

    Verified: 6 sound.
    ---
    [exit status: 0]
    ");
    // A Secret that is gone comes back with the same value, a key that is gone too, and all else stays.
    kube.call(
        "DELETE",
        "/api/v1/namespaces/argocd/secrets/argocd-redis",
        &Value::Null,
    )?
    .success()?;
    let patch = json!({"data": {"username": null, "extra": "eA=="}});
    kube.call("PATCH", "/api/v1/namespaces/shop/secrets/redis", &patch)?
        .success()?;
    assert_snapshot!(run("plan --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      = redis  exists
      = hash   exists
      = user   exists

      Secrets in the cluster:
      + argocd/argocd-redis  auth
      + shop/redis           lacks username

    Plan: 2 to create, 3 exist.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    kubernetes is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(run("apply --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      + Secret argocd/argocd-redis  created
      + Secret shop/redis           created

    Applied: 2 created, 3 exist.
    ---
    [exit status: 0]
    ");
    assert_eq!(
        secret(&kube, "argocd", "argocd-redis")?["data"],
        argocd["data"]
    );
    let grown = secret(&kube, "shop", "redis")?;
    assert_eq!(grown["data"]["username"], of_shop["data"]["username"]);
    assert_eq!(grown["data"]["extra"], "eA==");
    // What somebody else keeps is not written into, and copies that differ are copied nowhere.
    let theirs = json!({
        "metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "data": {"username": null},
    });
    kube.call("PATCH", "/api/v1/namespaces/shop/secrets/redis", &theirs)?
        .success()?;
    assert_snapshot!(run("apply --cluster")?, @"
    shop · local, file store.age · kubernetes, the cluster of the context shop (SERVER), as admin  seed.yaml

      ! Secret shop/redis  it belongs to Helm, and has no `username`, which seed does not add there

    Applied: 4 exist, 1 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

fn secret(kube: &KubeApiserver, namespace: &str, name: &str) -> Result<Value, String> {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    kube.call("GET", &path, &Value::Null)?.success()
}
