//! How an API server is found and logged in to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use seed_kubernetes::ConfigError;
use serde_json::Value;

use super::*;

/// Writes a kubeconfig of one cluster, one user and one context.
fn written(directory: &Path, cluster: &Value, user: &Value) -> PathBuf {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "dev",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = directory.join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

fn opened(
    kubeconfigs: Vec<PathBuf>,
    policy: seed_provider::Policy,
) -> Result<Kubernetes, ConfigError> {
    let config = Config {
        access: Access {
            kubeconfigs,
            ..Access::default()
        },
        namespace: Some(NAMESPACE.to_owned()),
        create_namespace: false,
    };
    Kubernetes::new(&config, policy)
}

fn service() -> seed_fakes::Server<seed_fakes::Kubernetes> {
    seed_fakes::Server::start(seed_fakes::Kubernetes::with_namespaces(&[NAMESPACE]))
}

fn token() -> Value {
    json!({"token": seed_fakes::Kubernetes::TOKEN})
}

/// A proxy that leads every connection to one server, and gives the first line that it was told.
fn proxy(to: &str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = to.strip_prefix("http://").unwrap().to_owned();
    let told = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.extend_from_slice(&byte);
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let server = TcpStream::connect(to).unwrap();
        let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut into));
            drop(into.shutdown(Shutdown::Both));
        });
        let mut server = server;
        drop(std::io::copy(&mut server, &mut client));
        String::from_utf8(head)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    });
    (format!("http://{address}"), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_that_the_kubeconfig_names_is_gone_through() {
    let server = service();
    let (url, told) = proxy(&server.url());
    let directory = tempfile::tempdir().unwrap();
    let cluster = json!({"server": "http://kube.invalid:8080", "proxy-url": url});
    let kubeconfig = written(directory.path(), &cluster, &token());
    let kubernetes = opened(vec![kubeconfig], policy()).unwrap();
    kubernetes.identify().await.unwrap();
    drop(kubernetes);
    assert_eq!(told.join().unwrap(), "CONNECT kube.invalid:8080 HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_kubeconfigs_some_may_be_missing_but_not_all() {
    let server = service();
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let blank = directory.path().join("blank");
    std::fs::write(&blank, "kind: Config\ncurrent-context: ''\n").unwrap();
    let cluster = json!({"server": server.url()});
    let kubeconfig = written(directory.path(), &cluster, &token());
    let several = vec![missing.clone(), blank, kubeconfig];
    opened(several, policy()).unwrap().identify().await.unwrap();
    let err = opened(vec![missing.clone()], policy())
        .map(drop)
        .unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "KUBECONFIG names `{}`, which does not exist",
            missing.display()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_as_nobody_by_mistake() {
    let server = service();
    let directory = tempfile::tempdir().unwrap();
    let cluster = json!({"server": server.url()});
    let kubeconfig = written(directory.path(), &cluster, &token());
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    std::fs::write(&kubeconfig, text.replace(r#""user":"u""#, r#""user":"v""#)).unwrap();
    let err = opened(vec![kubeconfig], policy()).map(drop).unwrap_err();
    assert_eq!(
        err.to_string(),
        "the context's user `v` is not in the kubeconfig"
    );
    // On purpose it is said.
    let kubeconfig = written(directory.path(), &cluster, &json!({}));
    let kubernetes = opened(vec![kubeconfig], policy()).unwrap();
    assert_eq!(
        kubernetes.notes(),
        [format!(
            "there is no credential for {}: requests go out without one",
            server.url()
        )]
    );
}

fn plugin(script: &str, mode: &str) -> Value {
    json!({
        "token": "", "username": "", "tokenFile": "",
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
            "args": ["-c", script], "interactiveMode": mode,
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_may_take_longer_than_a_request_and_is_run_beside_empty_members() {
    let server = service();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let printed = json!({"status": {"token": seed_fakes::Kubernetes::TOKEN}});
    let script = format!("echo run >> '{}'; sleep 1; echo '{printed}'", log.display());
    let cluster = json!({"server": server.url()});
    let kubeconfig = written(directory.path(), &cluster, &plugin(&script, "IfAvailable"));
    let hasty = seed_provider::Policy {
        deadline: Duration::from_millis(500),
        ..policy()
    };
    let kubernetes = opened(vec![kubeconfig], hasty).unwrap();
    kubernetes.identify().await.unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "run\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_must_ask_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let touched = directory.path().join("touched");
    let script = format!("touch '{}'", touched.display());
    let cluster = json!({"server": "http://127.0.0.1:1"});
    let kubeconfig = written(directory.path(), &cluster, &plugin(&script, "Always"));
    let kubernetes = opened(vec![kubeconfig], policy()).unwrap();
    let err = kubernetes.identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(
        err.message(),
        "the credential plugin `sh` wants to ask on the terminal (`interactiveMode: Always`), and gets none; take one that does not"
    );
    assert!(!touched.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_file_may_end_its_line_and_is_read_again_when_it_is_refused() {
    let server = service();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{}\n", seed_fakes::Kubernetes::TOKEN)).unwrap();
    let cluster = json!({"server": server.url()});
    let user = json!({"tokenFile": "token", "token": "an-old-one"});
    let kubeconfig = written(directory.path(), &cluster, &user);
    let kubernetes = opened(vec![kubeconfig], policy()).unwrap();
    kubernetes.identify().await.unwrap();
    server.service().replace_token("the-next-one");
    std::fs::write(&file, "the-next-one").unwrap();
    ask(&kubernetes, "create secrets").await.unwrap();
    assert_eq!(
        server.log().count("create secrets"),
        2,
        "refused, and sent again"
    );
    server.service().revoke_token();
    let err = ask(&kubernetes, "get secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
}
