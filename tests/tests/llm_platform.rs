//! The contract of the LLM platform gives the platform's own manifests: each emitted manifest
//! means the same as the one that people wrote by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use seed_tests::emission::Emission;
use seed_tests::meaning::Meaning;
use seed_tests::shared::needs_shared;
use seed_tests::workspace::{PLATFORM, Workspace};
use seed_tests::yaml;
use serde_json::Value;

fn main() -> ExitCode {
    let mut trials = vec![
        needs_shared(
            "every_real_manifest_is_compared",
            every_real_manifest_is_compared,
        ),
        needs_shared(
            "emitted_and_real_manifests_are_the_same_ones",
            the_same_ones,
        ),
        needs_shared("the_real_facts_decide_what_is_asked_for", asked_for),
    ];
    for (namespace, name) in REAL {
        let test = move |shared: &Path| means_the_same(shared, namespace, name);
        trials.push(needs_shared(
            format!("emitted_and_real_mean_the_same::{namespace}/{name}"),
            test,
        ));
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The real manifests, by namespace and name.
const REAL: [(&str, &str); 15] = [
    ("agentgateway-system", "anthropic-api-key"),
    ("argocd", "argocd-oidc"),
    ("cert-manager", "cloudflare-api-token"),
    ("dex", "dex-secrets"),
    ("experience", "open-webui-oidc"),
    ("external-dns", "cloudflare-api-token"),
    ("kserve", "hf-token"),
    ("litellm", "litellm-grafana-ro"),
    ("litellm", "litellm-pg-app"),
    ("litellm", "litellm-secrets"),
    ("monitoring", "grafana-datasource-litellm"),
    ("monitoring", "grafana-oidc"),
    ("n8n", "n8n-core-secrets"),
    ("oauth2-proxy", "oauth2-proxy-secrets"),
    ("serving", "vllm-api-key"),
];

fn every_real_manifest_is_compared(shared: &Path) -> Result<(), Failed> {
    let compared = REAL.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
    same(
        &compared.into_iter().collect(),
        &real(shared)?.into_keys().collect(),
    )
}

fn the_same_ones(shared: &Path) -> Result<(), Failed> {
    let emission = Emission::of_llm_platform(shared, "2.5")?;
    let emitted = emission.manifests()?.into_keys().collect();
    same(&emitted, &real(shared)?.into_keys().collect())
}

fn means_the_same(shared: &Path, namespace: &str, name: &str) -> Result<(), Failed> {
    let place = (namespace.to_owned(), name.to_owned());
    let real = real(shared)?
        .remove(&place)
        .ok_or("there is no such real manifest")?;
    let mut emitted = Emission::of_llm_platform(shared, "2.5")?.manifests()?;
    let emitted = emitted.remove(&place).ok_or("it is not emitted")?;
    match Meaning::of(&real)?.difference(&Meaning::of(&emitted.object)?) {
        None => Ok(()),
        Some(difference) => Err(format!("real (-) and emitted (+) differ\n{difference}").into()),
    }
}

/// DNS is automated with Cloudflare there, and no provider outside is used.
fn asked_for(shared: &Path) -> Result<(), Failed> {
    let workspace = Workspace::new()?;
    let facts = shared.join("corpus/llm-platform/config.yaml");
    let contract = format!("{PLATFORM} --config {}", facts.display());
    let planned = |action: &str| workspace.planned(&contract, &[action]);
    let expected = [
        ("ask", vec!["cloudflare-api-token"]),
        ("optional", vec!["hf-token"]),
        ("not-needed", vec!["anthropic-api-key"]),
    ];
    for (action, expected) in expected {
        let found = planned(action)?;
        if found != expected {
            return Err(format!("{action}: {found:?} instead of {expected:?}").into());
        }
    }
    let outcome = workspace.seed(&format!("apply {contract}"))?;
    match outcome.status.code() {
        Some(11) if planned("keep")?.len() == 15 => Ok(()),
        _ => Err(outcome.to_string().into()),
    }
}

/// Reads the real manifests that the platform syncs.
fn real(shared: &Path) -> Result<BTreeMap<(String, String), Value>, Failed> {
    let mut manifests = BTreeMap::new();
    for entry in std::fs::read_dir(shared.join("corpus/llm-platform/externalsecrets"))? {
        let path = entry?.path();
        let object = yaml::file(&path)?;
        let synced = !path.to_string_lossy().contains(".example.");
        if synced && object.get("kind").and_then(Value::as_str) == Some("ExternalSecret") {
            let meaning = Meaning::of(&object)?;
            let before = manifests.insert((meaning.namespace, meaning.name), object);
            if before.is_some() {
                return Err(format!("{} is the second of its name", path.display()).into());
            }
        }
    }
    Ok(manifests)
}

fn same(
    ours: &BTreeSet<(String, String)>,
    theirs: &BTreeSet<(String, String)>,
) -> Result<(), Failed> {
    let different: Vec<_> = ours
        .symmetric_difference(theirs)
        .map(|(namespace, name)| format!("{namespace}/{name}"))
        .collect();
    if different.is_empty() {
        Ok(())
    } else {
        Err(format!("only on one side: {}", different.join(", ")).into())
    }
}
