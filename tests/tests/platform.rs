//! The LLM platform's secrets in stand-ins, from nothing, with `make seed-secrets`.

use seed_fakes::{Authority, AzureKv, GcpSm, Proxy, Server};
use seed_tests::outside::ENTRA;
use seed_tests::platform::{Platform, a_missing_field_is_added};
use seed_tests::service;
use seed_tests::stands::{Logged, Stand as _};

type Test = Result<(), String>;

/// The contract as it is: the vault that it names is the stand-in, behind a proxy.
#[test]
fn the_platform_is_seeded_into_azure_key_vault() -> Test {
    let server = Server::start(AzureKv::new());
    let authority = Authority::new();
    let names = ["llm-ai-dev.vault.azure.net", ENTRA];
    let routes = names.map(|name| (name, server.address()));
    let proxy = Proxy::start(&authority, &routes);
    let backend = service::AzureKv::new(&server.url(), &authority.pem())?.behind(&proxy.url());
    Platform::new(&backend, &Logged(&server), "")?.lives("vllm-api-key")?;
    assert_eq!(proxy.refused(), [""; 0]);
    Ok(())
}

#[test]
fn a_missing_field_is_added_to_what_azure_key_vault_keeps() -> Test {
    let server = AzureKv::empty().serve();
    a_missing_field_is_added(&*AzureKv::under_test(&server.url())?)
}

#[test]
fn the_platform_is_seeded_into_google_secret_manager() -> Test {
    let server = GcpSm::empty().serve();
    let backend = GcpSm::under_test(&server.url())?;
    let record = Logged(&server);
    let flags = format!(
        "--set cluster.projectID=ai-lab --set gcp.endpoint={}",
        server.url()
    );
    Platform::new(&*backend, &record, &flags)?.lives("vllm-api-key")
}

#[test]
fn a_missing_field_is_added_to_what_google_secret_manager_keeps() -> Test {
    let server = GcpSm::empty().serve();
    a_missing_field_is_added(&*GcpSm::under_test(&server.url())?)
}
