//! The judge of manifests, judged: over the operator's real CRDs, with manifests that a real API
//! server accepted and with mistakes that it would refuse.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, and says so"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use seed_tests::crd::{RELEASES, Release};
use seed_tests::meaning::Meaning;
use seed_tests::shared::needs_shared;
use seed_tests::{Refusal, yaml};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut trials = vec![
        needs_shared("every_example_fits_the_newest_release", every_example_fits),
        needs_shared(
            "older_releases_refuse_what_they_do_not_know",
            older_releases_refuse,
        ),
        needs_shared("rules_in_cel_are_applied", rules_are_applied),
        needs_shared("a_default_changes_no_meaning", defaults_change_no_meaning),
        needs_shared("defaults_differ_between_releases", defaults_differ),
    ];
    for (at, (release, _)) in RELEASES.iter().enumerate() {
        let sound = move |shared: &Path| accepts_the_sound_manifest(shared, at);
        trials.push(needs_shared(
            format!("{release}::accepts the sound manifest"),
            sound,
        ));
        for mistake in mistakes() {
            let name = format!(
                "{release}::refuses {}",
                mistake["name"].as_str().unwrap_or("?")
            );
            let test = move |shared: &Path| refuses(shared, at, &mistake);
            trials.push(needs_shared(name, test));
        }
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn accepts_the_sound_manifest(shared: &Path, at: usize) -> Result<(), Failed> {
    let refusals = load(shared, at)?.refusals(&sound());
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(lines(&refusals).into())
    }
}

fn refuses(shared: &Path, at: usize, mistake: &Value) -> Result<(), Failed> {
    let text = |field: &str| {
        mistake[field]
            .as_str()
            .unwrap_or_else(|| panic!("no `{field}`"))
    };
    let mut object = sound();
    let parent = object
        .pointer_mut(text("in"))
        .and_then(Value::as_object_mut);
    let parent = parent.ok_or("the manifest has no such place")?;
    match mistake.get("becomes") {
        Some(value) => parent.insert(text("field").into(), value.clone()),
        None => Some(
            parent
                .remove(text("field"))
                .ok_or("the manifest has no such field")?,
        ),
    };
    refused_at(&load(shared, at)?.refusals(&object), text("refused"))
}

/// Returns a manifest that every release knows, with something in every part.
fn sound() -> Value {
    yaml::file(&data("sound-manifest.yaml")).expect("the data can be read")
}

fn mistakes() -> Vec<Value> {
    let mistakes = yaml::file(&data("broken-manifests.yaml")).expect("the data can be read");
    mistakes.as_array().expect("a list").clone()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

fn every_example_fits(shared: &Path) -> Result<(), Failed> {
    let release = load(shared, 4)?;
    let examples = examples(shared)?;
    for (file, object) in &examples {
        let refusals = release.refusals(object);
        if !refusals.is_empty() {
            return Err(format!(
                "{file}: {}\n{}",
                object["metadata"]["name"],
                lines(&refusals)
            )
            .into());
        }
    }
    if examples.len() == 29 {
        Ok(())
    } else {
        Err(format!("{} examples", examples.len()).into())
    }
}

/// A real API server refused these with the definitions of this release.
fn older_releases_refuse(shared: &Path) -> Result<(), Failed> {
    let release = load(shared, 1)?;
    let mut names = Vec::new();
    for (_, object) in examples(shared)? {
        if !release.refusals(&object).is_empty() {
            names.push(
                object["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    names.sort();
    let expected = ["aws", "bao", "gcp-wif-k8s", "vault-gcp"];
    if names == expected {
        Ok(())
    } else {
        Err(names.join(", ").into())
    }
}

fn rules_are_applied(shared: &Path) -> Result<(), Failed> {
    let release = load(shared, 4)?;
    let mut store = yaml::file(&shared.join("design/eso-examples/openbao.yaml"))?;
    let auth = store
        .pointer_mut("/spec/provider/openBao/auth")
        .ok_or("no auth")?;
    auth["tokenSecretRef"] = json!({"name": "token", "key": "token"});
    refused_at(&release.refusals(&store), "spec.provider.openBao.auth")?;
    *store
        .pointer_mut("/spec/provider/openBao/auth")
        .ok_or("no auth")? = json!({});
    refused_at(&release.refusals(&store), "spec.provider.openBao.auth")
}

fn defaults_change_no_meaning(shared: &Path) -> Result<(), Failed> {
    let mut objects = vec![sound()];
    objects.extend(examples(shared)?.into_iter().map(|(_, object)| object));
    objects.retain(|object| object["kind"] == "ExternalSecret");
    for directory in std::fs::read_dir(shared.join("corpus/llm-platform/externalsecrets"))? {
        let object = yaml::file(&directory?.path())?;
        objects.extend((object["kind"] == "ExternalSecret").then_some(object));
    }
    for (at, _) in RELEASES.iter().enumerate() {
        for object in &objects {
            let stored = load(shared, at)?
                .with_defaults(object)
                .map_err(|err| err.to_string())?;
            if let Some(difference) = Meaning::of(object)?.difference(&Meaning::of(&stored)?) {
                return Err(difference.into());
            }
        }
    }
    if objects.len() == 22 {
        Ok(())
    } else {
        Err(format!("{} objects", objects.len()).into())
    }
}

fn defaults_differ(shared: &Path) -> Result<(), Failed> {
    let mut short = sound();
    short["spec"] = json!({"data": [{"secretKey": "a", "remoteRef": {"key": "b"}}]});
    let reference = |at| -> Result<Value, Failed> {
        let stored = load(shared, at)?
            .with_defaults(&short)
            .map_err(|err| err.to_string())?;
        Ok(stored["spec"]["data"][0]["remoteRef"].clone())
    };
    let policies = json!({
        "key": "b", "conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None",
    });
    let mut with_null_bytes = policies.clone();
    with_null_bytes["nullBytePolicy"] = json!("Ignore");
    let expected = [
        policies.clone(),
        policies.clone(),
        policies,
        with_null_bytes,
        json!({"key": "b"}),
    ];
    for (at, expected) in expected.into_iter().enumerate() {
        let found = reference(at)?;
        if found != expected {
            return Err(format!("{}: {found}", RELEASES[at].0).into());
        }
    }
    Ok(())
}

/// Requires that everything refused is at `path`.
fn refused_at(refusals: &[Refusal], path: &str) -> Result<(), Failed> {
    if !refusals.is_empty() && refusals.iter().all(|refusal| refusal.path == path) {
        Ok(())
    } else {
        Err(format!("instead of {path}: {}", lines(refusals)).into())
    }
}

/// Returns the examples of kinds whose definitions are kept, with the names of their files.
fn examples(shared: &Path) -> Result<Vec<(String, Value)>, Failed> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(shared.join("design/eso-examples"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().display().to_string();
        let objects = yaml::files(&path)?.into_iter();
        examples.extend(objects.map(|object| (name.clone(), object)));
    }
    examples.retain(|(_, object)| {
        let kind = object["kind"].as_str().unwrap_or_default();
        ["ClusterSecretStore", "ExternalSecret", "SecretStore"].contains(&kind)
    });
    Ok(examples)
}

fn load(shared: &Path, at: usize) -> Result<&'static Release, String> {
    Release::known(shared, RELEASES[at].0)
}

fn lines(refusals: &[Refusal]) -> String {
    let lines: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
