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

/// Every message about a contract that cannot be resolved.
fn refused(source: &str) -> Vec<String> {
    let contract = parse(source)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .0;
    let request = Request {
        facts: contract.defaults.clone(),
        ..Request::default()
    };
    match resolve(&contract, source, &request) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.message.clone()).collect(),
    }
}

fn with(rest: &str) -> String {
    format!("version: 1\nname: t\nconfig: {{defaults: {{on: true, off: false}}}}\n{rest}")
}

#[test]
fn what_must_not_exist_cannot_be_used() {
    let source = with(
        "
backends: {vault: {mount: kv}}
store: {name: s}
secrets:
  q: {cases: [{when: config.on, forbidden: it is old}, {generate: {hex: 8}}]}
  a: {generate: {hex: 8}}
targets:
  n/t: {data: {y: '${q}', z: '${a}'}}
",
    );
    assert_eq!(refused(&source), ["`q` must not exist: it is old"]);
}

#[test]
fn a_misspelt_fact_shows_wherever_it_stands() {
    let source = with(
        "
conditions: {unused: config.typo1}
secrets:
  a:
    when: config.off
    fields: {f: {when: config.typo2, generate: {hex: 8}}}
  b: {cases: [{when: config.on, generate: {hex: 8}}, {when: config.typo3, generate: {hex: 9}}]}
",
    );
    let missing =
        |name: &str| format!("`config.{name}` is in no facts file and not among the defaults");
    assert_eq!(
        refused(&source),
        [missing("typo1"), missing("typo2"), missing("typo3")]
    );
}

#[test]
fn a_condition_without_an_answer_is_told_once() {
    let source = with(
        "
conditions: {odd: config.typo}
secrets:
  a: {when: odd, generate: {hex: 8}}
  b: {when: odd && config.on, generate: {hex: 8}}
",
    );
    assert_eq!(refused(&source).len(), 1);
}

#[test]
fn nothing_stored_is_made_from_what_is_kept_nowhere() {
    let source = with(
        "
secrets:
  a: {backend: none, generate: {hex: 8}}
  b: {compose: 'x${a}'}
",
    );
    assert_eq!(
        refused(&source),
        ["`b` is made from `a`, which is kept in no backend"]
    );
}

#[test]
fn files_of_ours_are_not_written_over() {
    let source = with(
        "
backends: {local: {file: .seed/store.age}}
secrets:
  a: {generate: {hex: 8}}
files:
  .seed/store.age: {text: '${a}'}
  .seed/store.age.lock: {text: '${a}'}
",
    );
    assert_eq!(
        refused(&source),
        [
            "`.seed/store.age` is the file in which values are kept and cannot be written as a file",
            "`.seed/store.age.lock` is the file in which values are kept and cannot be written as a file",
        ]
    );
}

#[test]
fn spread_fields_must_name_variables() {
    let source = with(
        "
secrets:
  a: {fields: {A_B: {generate: {hex: 8}}, c-d: {generate: {hex: 8}}}}
files:
  x.env: {dotenv: {'${...a}': true}}
",
    );
    assert_eq!(refused(&source), ["`c-d` cannot name a variable"]);
}

#[test]
fn one_secret_has_one_maker_even_when_a_fact_names_it() {
    let source = with(
        "
backends: {vault: {mount: kv}}
store: {name: s}
secrets:
  a: {generate: {hex: 8}}
targets:
  env/x: {data: {k: '${a}'}}
  '${env}/x': {made-by: somebody, data: {k: null}}
",
    );
    let contract = parse(&source).unwrap().0;
    let request = Request {
        env: Some("env".to_owned()),
        facts: contract.defaults.clone(),
        ..Request::default()
    };
    let errors = resolve(&contract, &source, &request).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the Secret `env/x` has two targets: `env/x` and `${env}/x`"
    );
}
