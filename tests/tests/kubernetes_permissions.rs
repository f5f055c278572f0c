//! The Role of the documentation is what `seed` needs of an API server that asks for permissions: no less, and no more.
//!
//! `make e2e` runs this; it needs what `make servers` builds.

use std::fs;

use seed_servers::{KubeApiserver, Namespace};
use seed_tests::shared::repository;
use seed_tests::workspace::Workspace;
use seed_tests::yaml;
use serde_json::{Value, json};

type Test = Result<(), String>;

/// What somebody with such rules was told: of a plan, of a first run, and of one after a field was removed.
struct Told {
    plan: String,
    first: String,
    second: String,
}

/// The rules of the Role in the documentation, for this namespace.
fn rules(namespace: &Namespace<'_>) -> Result<Value, String> {
    let page = repository()?.join("docs/reference/kubernetes.md");
    let page = fs::read_to_string(page).map_err(|err| err.to_string())?;
    let block = page
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let role = yaml::document(
        &block
            .ok_or("no Role")?
            .replace("llm-secrets", namespace.name()),
    )?;
    role.get("rules")
        .cloned()
        .ok_or_else(|| "no rules".to_owned())
}

/// The rules without a verb on a resource.
fn without(rules: &Value, resource: &str, verb: &str) -> Value {
    let mut rules = rules.clone();
    for rule in rules.as_array_mut().into_iter().flatten() {
        if rule.get("resources") == Some(&json!([resource]))
            && let Some(verbs) = rule.get_mut("verbs").and_then(Value::as_array_mut)
        {
            verbs.retain(|it| it != verb);
        }
    }
    // A rule without a verb is none.
    if let Some(rules) = rules.as_array_mut() {
        rules.retain(|rule| rule.get("verbs") != Some(&json!([])));
    }
    rules
}

fn run(kube: &KubeApiserver, change: impl Fn(&Value) -> Value) -> Result<Told, String> {
    let namespace = kube.namespace()?;
    let user = namespace.user(&change(&rules(&namespace)?))?;
    let workspace = Workspace::new()?;
    let contract = json!({
        "version": 1,
        "name": "shop",
        "backend": "kubernetes",
        "backends": {"kubernetes": {"context": "test", "namespace": namespace.name()}},
        "secrets": {
            "user": {"generate": {"hex": 4}},
            "hash": {"derive": {"sha256": {"of": "user"}}},
            "login": {"fields": {"name": {"generate": {"hex": 4}}, "word": {"generate": {"hex": 4}}}},
        },
    });
    workspace.write("seed.yaml", &contract.to_string())?;
    workspace.write(
        "kubeconfig",
        &kube.kubeconfig("test", "default", &user.token),
    )?;
    let workspace = workspace.variable("KUBECONFIG", "kubeconfig");
    let seed = |line: &str| Ok::<_, String>(workspace.seed(line)?.to_string());
    let plan = seed("plan")?;
    let first = seed("apply")?;
    let patch = json!({"data": {"word": null}});
    // Where nothing could be created there is nothing to remove from.
    drop(namespace.call("PATCH", "secrets/login", &patch)?);
    let second = seed("apply")?;
    Ok(Told {
        plan,
        first,
        second,
    })
}

#[test]
#[ignore = "needs `make servers`"]
fn the_role_of_the_documentation_is_enough() -> Test {
    let told = run(KubeApiserver::shared()?, Value::clone)?;
    assert!(told.plan.contains("4 to create"), "{}", told.plan);
    assert!(!told.plan.contains("warning"), "{}", told.plan);
    has(&told.first, "Applied: 4 created.");
    has(&told.second, "1 created, 3 exist");
    Ok(())
}

#[test]
#[ignore = "needs `make servers`"]
fn without_some_permissions_another_way_is_found() -> Test {
    let kube = KubeApiserver::shared()?;
    let told = run(kube, |rules| without(rules, "secrets", "list"))?;
    has(&told.plan, "`list` on secrets is denied");
    has(&told.second, "1 created, 3 exist");
    let told = run(kube, |rules| without(rules, "namespaces", "get"))?;
    has(&told.second, "1 created, 3 exist");
    Ok(())
}

#[test]
#[ignore = "needs `make servers`"]
fn a_permission_that_is_missing_is_named() -> Test {
    let kube = KubeApiserver::shared()?;
    let told = run(kube, |rules| without(rules, "secrets", "create"))?;
    has(&told.plan, "4 to create");
    has(&told.first, "grant `create` on secrets in the namespace");
    let told = run(kube, |rules| without(rules, "secrets", "patch"))?;
    has(&told.first, "Applied: 4 created.");
    has(&told.second, "grant `patch` on secrets in the namespace");
    let told = run(kube, |rules| without(rules, "secrets", "get"))?;
    has(&told.first, "Applied: 4 created.");
    has(&told.second, "grant `get` on secrets in the namespace");
    let told = run(kube, |_| json!([]))?;
    has(&told.first, "grant `get` on the namespace");
    Ok(())
}

fn has(told: &str, words: &str) {
    assert!(told.contains(words), "{told}");
}
