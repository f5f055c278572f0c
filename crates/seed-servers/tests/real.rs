//! Each server starts, keeps what it is given, keeps tests apart, and ends.
//!
//! `make e2e` runs these; they need what `make servers` builds.

use std::collections::BTreeSet;

use seed_servers::{KubeApiserver, Moto, Vault};
use serde_json::{Value, json};

#[test]
#[ignore = "needs `make servers`"]
fn vault_keeps_what_it_is_given_in_a_mount_of_the_test() {
    let vault = Vault::shared().unwrap();
    let (one, other) = (vault.mount().unwrap(), vault.mount().unwrap());
    assert_ne!(one.path(), other.path());
    let body = json!({"options": {"cas": 0}, "data": {"value": "a"}});
    let write = || one.call("POST", "data", "key", &body).unwrap().status;
    assert_eq!((write(), write()), (200, 400));
    let read = one.call("GET", "data", "key", &Value::Null).unwrap();
    let value = read.success().unwrap();
    assert_eq!(value.pointer("/data/data/value"), Some(&json!("a")));
    let read = other.call("GET", "data", "key", &Value::Null).unwrap();
    assert_eq!((read.status, read.json()), (404, json!({"errors": []})));
}

#[test]
#[ignore = "needs `make servers`"]
fn vault_has_mounts_of_version_1_and_tokens_that_may_do_little() {
    let vault = Vault::shared().unwrap();
    let mount = vault.mount_v1().unwrap();
    let path = format!("sys/internal/ui/mounts/{}", mount.path());
    let read = vault.call("GET", &path, &Value::Null).unwrap();
    let version = read.success().unwrap();
    let version = version.pointer("/data/options/version");
    assert_eq!(version, Some(&json!("1")));
    let policy = format!(
        "path \"{}/a\" {{ capabilities = [\"read\"] }}",
        mount.path()
    );
    let token = vault.token_with("one-path", &policy).unwrap();
    let status = |name: &str| {
        let path = format!("{}/{name}", mount.path());
        let answer = vault.call_as(&token, "GET", &path, &Value::Null);
        answer.unwrap().status
    };
    assert_eq!((status("a"), status("b")), (404, 403));
}

#[test]
#[ignore = "needs `make servers`"]
fn moto_keeps_what_it_is_given_below_a_prefix_of_the_test() {
    let moto = Moto::shared().unwrap();
    let prefixes: BTreeSet<String> = [moto.prefix(), moto.prefix()].into();
    assert_eq!(prefixes.len(), 2);
    let name = format!("{}key", prefixes.first().unwrap());
    let body = json!({"Name": name, "SecretString": "a"});
    let create = || moto.call("CreateSecret", &body).unwrap();
    let (first, second) = (create(), create());
    assert_eq!((first.status, second.status), (200, 400));
    let kind = second.json();
    assert_eq!(kind.get("__type"), Some(&json!("ResourceExistsException")));
    let read = moto.call("GetSecretValue", &json!({"SecretId": name}));
    let read = read.unwrap().success().unwrap();
    assert_eq!(read.get("SecretString"), Some(&json!("a")));
}

#[test]
#[ignore = "needs `make servers`"]
fn the_api_server_keeps_what_it_is_given_in_a_namespace_of_the_test() {
    let kube = KubeApiserver::shared().unwrap();
    let (one, other) = (kube.namespace().unwrap(), kube.namespace().unwrap());
    let body = json!({"metadata": {"name": "key"}, "data": {"value": "YQ=="}});
    let write = || one.call("POST", "secrets", &body).unwrap();
    let (first, second) = (write(), write());
    assert_eq!((first.status, second.status), (201, 409));
    let reason = second.json();
    assert_eq!(reason.get("reason"), Some(&json!("AlreadyExists")));
    let list = other.call("GET", "secrets", &Value::Null).unwrap();
    let list = list.success().unwrap();
    assert_eq!(list.pointer("/items"), Some(&json!([])));
    let config = std::fs::read_to_string(kube.admin_kubeconfig()).unwrap();
    assert!(config.contains(kube.address()));
}

#[test]
#[ignore = "needs `make servers`"]
fn the_api_server_lets_a_user_do_what_its_role_says() {
    let kube = KubeApiserver::shared().unwrap();
    let namespace = kube.namespace().unwrap();
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}]);
    let user = namespace.user(&rules).unwrap();
    let path = format!("/api/v1/namespaces/{}/secrets", namespace.name());
    let body = json!({"metadata": {"name": "key"}, "data": {"value": "YQ=="}});
    let create = kube.call_as(&user.token, "POST", &path, &body).unwrap();
    let list = kube
        .call_as(&user.token, "GET", &path, &Value::Null)
        .unwrap();
    assert_eq!((create.status, list.status), (201, 403));
    let refused = list.json().to_string();
    assert!(refused.contains(&user.name), "{refused}");
}

#[test]
#[ignore = "needs `make servers`"]
fn a_server_ends_with_its_value() {
    let vault = Vault::start().unwrap();
    let address = vault.address().strip_prefix("http://").unwrap().to_owned();
    std::net::TcpStream::connect(&address).unwrap();
    drop(vault);
    std::net::TcpStream::connect(&address).unwrap_err();
}
