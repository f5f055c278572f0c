//! The LLM platform's secrets in real servers, from nothing, with `make seed-secrets`: no terminal and no `--yes`.
//!
//! `make e2e` runs these; they need what `make servers` builds.

use seed_servers::{KubeApiserver, Moto, Recording, Vault};
use seed_tests::platform::{Platform, a_missing_field_is_added, a_missing_field_is_added_once};
use seed_tests::service;

type Test = Result<(), String>;

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_seeded_into_vault() -> Test {
    // The contract names the mount `secret`, so nobody shares this one.
    let vault = Vault::start()?;
    let service = service::Vault::new(vault.address(), vault.token(), "secret");
    let flags = format!("--set vault.address={}", vault.address());
    Platform::new(&service, &vault.audit()?, &flags)?.lives("llm/ai-dev/vllm-api-key")
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_seeded_into_kubernetes() -> Test {
    let kube = KubeApiserver::shared()?;
    let service = service::Kubernetes::new(
        kube.address(),
        Some(kube.authority()),
        kube.token(),
        "llm-ai-dev",
        "secret-source",
    )?
    .with_history()?;
    let record = kube.audit("secret-source");
    Platform::new(&service, &record, "--create-namespace")?.lives("vllm-api-key")
}

#[test]
#[ignore = "needs `make servers`"]
fn the_platform_is_seeded_into_aws_secrets_manager() -> Test {
    let moto = Moto::start()?;
    let service = service::AwsSm::new(moto.address(), "llm/ai-dev/");
    let (account, endpoint) = (moto.account(), moto.address());
    let flags = format!("--set-string aws.account={account} --set aws.endpoint={endpoint}");
    Platform::new(&service, &Recording::of(&moto)?, &flags)?.lives("llm/ai-dev/vllm-api-key")
}

#[test]
#[ignore = "needs `make servers`"]
fn a_missing_field_is_added_to_what_vault_keeps() -> Test {
    let vault = Vault::shared()?;
    let mount = vault.mount()?;
    a_missing_field_is_added(&service::Vault::new(
        vault.address(),
        vault.token(),
        mount.path(),
    ))
}

#[test]
#[ignore = "needs `make servers`"]
fn a_missing_field_is_added_to_what_kubernetes_keeps() -> Test {
    let kube = KubeApiserver::shared()?;
    let namespace = kube.namespace()?;
    let authority = Some(kube.authority());
    let (token, name) = (kube.token(), namespace.name());
    let service = service::Kubernetes::new(kube.address(), authority, token, "test", name)?;
    a_missing_field_is_added(&service)
}

#[test]
#[ignore = "needs `make servers`"]
fn a_missing_field_is_added_to_what_aws_secrets_manager_keeps() -> Test {
    let moto = Moto::shared()?;
    let service = service::AwsSm::new(moto.address(), &moto.prefix());
    // No second run: moto's BatchGetSecretValue goes on giving the version that was current first
    // (https://github.com/getmoto/moto, `default_version_id`).
    a_missing_field_is_added_once(&service).map(drop)
}
