//! The real operator makes of what `seed` emits the Secrets that the backend holds.
//!
//! `make e2e` runs these; they need what `make servers` builds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_fakes::{Authority, AzureKv, GcpSm, Proxy, Server};
use seed_servers::{KubeApiserver, Moto, Operator, Vault};
use seed_tests::delivered::{Delivery, OPERATOR};
use seed_tests::outside::{ENTRA, GOOGLE_TOKENS, SECRET_MANAGER};
use seed_tests::service::{self, UnderTest as _};
use seed_tests::stands::Stand as _;
use seed_tests::workspace::Workspace;
use serde_json::{Value, json};

type Test = Result<(), String>;

/// A key that nothing else knows.
const KEY: &str = include_str!("../../providers/seed-gcpsm/tests/data/service-account.base64");
/// Apart from its marks, so that nobody takes this file for a leak.
const PRIVATE: &str = "PRIVATE KEY";

/// A Secret with the credentials of a store.
fn credentials(kube: &KubeApiserver, data: &Value) -> Test {
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": OPERATOR, "name": "credentials"},
        "stringData": data,
    });
    kube.apply(&object).map(drop)
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_delivered_from_vault() -> Test {
    let vault = Vault::start()?;
    let kube = KubeApiserver::start()?;
    let service = service::Vault::new(vault.address(), vault.token(), "secret");
    let store =
        "{auth: {tokenSecretRef: {namespace: external-secrets, name: credentials, key: token}}}";
    let delivery = Delivery::new(&kube, &service, service.workspace()?, store)?;
    credentials(&kube, &json!({"token": vault.token()}))?;
    let operator = Operator::start(&kube, &[])?;
    let facts = format!("--set vault.address={}", vault.address());
    delivery.arrives(&operator, &facts, "")
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_delivered_from_a_source_namespace() -> Test {
    let kube = KubeApiserver::start()?;
    let (authority, token) = (Some(kube.authority()), kube.token());
    let service = service::Kubernetes::new(
        kube.address(),
        authority,
        token,
        "llm-ai-dev",
        "secret-source",
    )?;
    // Only this cluster is not where the operator is.
    let store = format!(
        "{{auth: {{serviceAccount: {{name: reader, namespace: secret-source}}, server: {{url: \"{}\", caBundle: {}}}}}, service-account: {{}}}}",
        kube.address(),
        STANDARD.encode(kube.authority()),
    );
    let delivery = Delivery::new(&kube, &service, service.workspace()?, &store)?;
    let operator = Operator::start(&kube, &[])?;
    delivery.arrives(&operator, "", "--create-namespace")
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_delivered_from_aws_secrets_manager() -> Test {
    let moto = Moto::start()?;
    let kube = KubeApiserver::start()?;
    let service = service::AwsSm::new(moto.address(), "llm/ai-dev/");
    let store = "{auth: {secretRef: {accessKeyIDSecretRef: {namespace: external-secrets, name: credentials, key: id}, secretAccessKeySecretRef: {namespace: external-secrets, name: credentials, key: secret}}}}";
    let delivery = Delivery::new(&kube, &service, service.workspace()?, store)?;
    credentials(&kube, &json!({"id": "test", "secret": "test"}))?;
    let endpoint = |name: &str| (name.to_owned(), moto.address().to_owned());
    let variables = [
        endpoint("AWS_SECRETSMANAGER_ENDPOINT"),
        endpoint("AWS_STS_ENDPOINT"),
    ];
    let operator = Operator::start(&kube, &variables)?;
    let (account, address) = (moto.account(), moto.address());
    let facts = format!("--set-string aws.account={account} --set aws.endpoint={address}");
    delivery.arrives(&operator, &facts, "")
}

/// What sends a program to stand-ins under the services' own names.
fn through(
    proxy: &Proxy,
    authority: &Authority,
    workspace: &Workspace,
) -> Result<[(String, String); 3], String> {
    workspace.write("authority.pem", &authority.pem())?;
    let file = workspace.root().join("authority.pem").display().to_string();
    Ok([
        ("HTTPS_PROXY".to_owned(), proxy.url()),
        ("SSL_CERT_FILE".to_owned(), file),
        ("SSL_CERT_DIR".to_owned(), "/nonexistent".to_owned()),
    ])
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_delivered_from_google_secret_manager() -> Test {
    let server = GcpSm::empty().serve();
    let authority = Authority::new();
    let names = [SECRET_MANAGER, GOOGLE_TOKENS];
    let proxy = Proxy::start(&authority, &names.map(|name| (name, server.address())));
    let kube = KubeApiserver::start()?;
    let service = GcpSm::under_test(&server.url())?;
    let workspace = service.workspace()?;
    let variables = through(&proxy, &authority, &workspace)?;
    let store = "{auth: {secretRef: {secretAccessKeySecretRef: {namespace: external-secrets, name: credentials, key: account}}}}";
    let delivery = Delivery::new(&kube, &*service, workspace, store)?;
    let pem = format!("-----BEGIN {PRIVATE}-----\n{KEY}-----END {PRIVATE}-----\n");
    let account = json!({
        "type": "service_account", "project_id": "ai-lab", "private_key_id": "1", "private_key": pem,
        "client_email": "eso@ai-lab.iam.gserviceaccount.com", "client_id": "1",
        "token_uri": format!("https://{GOOGLE_TOKENS}/token"),
    });
    credentials(&kube, &json!({"account": account.to_string()}))?;
    let operator = Operator::start(&kube, &variables)?;
    let facts = format!(
        "--set cluster.projectID=ai-lab --set gcp.endpoint={}",
        server.url()
    );
    delivery.arrives(&operator, &facts, "")
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_delivered_from_azure_key_vault() -> Test {
    let server = Server::start(AzureKv::new());
    let authority = Authority::new();
    let names = ["llm-ai-dev.vault.azure.net", ENTRA];
    let proxy = Proxy::start(&authority, &names.map(|name| (name, server.address())));
    let kube = KubeApiserver::start()?;
    let service = service::AzureKv::new(&server.url(), &authority.pem())?.behind(&proxy.url());
    let workspace = service.workspace()?;
    let variables = through(&proxy, &authority, &workspace)?;
    let store = format!(
        "{{auth: {{tenantId: {}, authSecretRef: {{clientId: {{namespace: external-secrets, name: credentials, key: id}}, clientSecret: {{namespace: external-secrets, name: credentials, key: secret}}}}}}}}",
        AzureKv::TENANT
    );
    let delivery = Delivery::new(&kube, &service, workspace, &store)?;
    credentials(
        &kube,
        &json!({"id": AzureKv::CLIENT, "secret": AzureKv::CLIENT_SECRET}),
    )?;
    let operator = Operator::start(&kube, &variables)?;
    delivery.arrives(&operator, "", "")
}
