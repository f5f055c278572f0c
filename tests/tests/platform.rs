//! The LLM platform's secrets in stand-ins, from nothing, with `make seed-secrets`.

use seed_fakes::AzureKv;
use seed_tests::platform::{Platform, a_missing_field_is_added};
use seed_tests::stands::{Logged, Stand as _};

type Test = Result<(), String>;

#[test]
fn the_platform_is_seeded_into_azure_key_vault() -> Test {
    let server = AzureKv::empty().serve();
    let backend = AzureKv::under_test(&server.url())?;
    let record = Logged(&server);
    let platform = Platform::new(&*backend, &record, "")?;
    // The contract names a vault of the environment's own.
    let contract = platform.workspace.read("contracts/llm-platform.yaml")?;
    let named = "{vault: \"https://llm-${env}.vault.azure.net\"}";
    assert!(contract.contains(named), "{contract}");
    let here = format!("{{vault: \"{}\", pause: 1s}}", server.url());
    let contract = contract.replace(named, &here);
    platform
        .workspace
        .write("contracts/llm-platform.yaml", &contract)?;
    platform.lives("vllm-api-key")
}

#[test]
fn a_missing_field_is_added_to_what_azure_key_vault_keeps() -> Test {
    let server = AzureKv::empty().serve();
    a_missing_field_is_added(&*AzureKv::under_test(&server.url())?)
}
