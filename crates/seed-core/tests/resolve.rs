//! Contracts resolved: what is active, where it is kept, and what is wrong.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use seed_core::contract::{Contract, parse};
use seed_core::facts::Facts;
use seed_core::resolve::{Request, Resolved, resolve};

const LLM_PLATFORM: &str = include_str!("../../../contracts/llm-platform.yaml");
const AI_DEV: &str = include_str!("../../../environments/ai-dev/config.yaml");

fn contract(source: &str) -> Contract {
    match parse(source) {
        Ok((contract, warnings)) => {
            assert!(warnings.is_empty(), "{warnings}");
            contract
        }
        Err(errors) => panic!("{errors:#?}"),
    }
}

fn resolved(source: &str, env: &str, facts: &str, set: &[(&str, &str)]) -> Resolved {
    let contract = contract(source);
    let mut all = contract.defaults.clone();
    all.merge(Facts::parse(facts).unwrap());
    for (path, value) in set {
        all.set(path, value).unwrap();
    }
    let request = Request {
        env: Some(env.to_owned()),
        facts: all,
        ..Request::default()
    };
    match resolve(&contract, source, &request) {
        Ok((resolved, _)) => resolved,
        Err(errors) => panic!("{errors:#?}"),
    }
}

fn active(resolved: &Resolved) -> Vec<String> {
    resolved.order.iter().map(ToString::to_string).collect()
}

#[test]
fn the_platform_has_eighteen_keys() {
    let resolved = resolved(
        LLM_PLATFORM,
        "ai-dev",
        AI_DEV,
        &[("features.egress", "true")],
    );
    assert_eq!(resolved.entries.len(), 18);
    assert_eq!(active(&resolved).len(), 18);
}

#[test]
fn a_value_that_stands_on_the_next_line_counts() {
    let resolved = resolved(LLM_PLATFORM, "ai-dev", AI_DEV, &[]);
    let active = active(&resolved);
    assert!(active.contains(&"cloudflare-api-token".to_owned()));
    assert!(!active.contains(&"anthropic-api-key".to_owned()));
}

#[test]
fn without_identity_neither_dex_nor_its_clients_are_active() {
    let resolved = resolved(
        LLM_PLATFORM,
        "ai-dev",
        AI_DEV,
        &[("features.identity", "false")],
    );
    assert!(
        !active(&resolved)
            .iter()
            .any(|key| key.contains("dex") || key.contains("oauth2"))
    );
    let target = resolved
        .targets
        .iter()
        .find(|target| target.secret == "litellm-secrets")
        .unwrap();
    assert_eq!(
        target.left_out,
        [(
            "GENERIC_CLIENT_SECRET".to_owned(),
            "dex-litellm-client-secret: config.features.identity is false".to_owned()
        )]
    );
    assert!(resolved.files.is_empty());
}
