//! What `seed emit` writes is accepted by every release of the operator that it can write for.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use seed_tests::crd::{RELEASES, Release};
use seed_tests::emission::{Emission, Manifest};
use seed_tests::shared::needs_shared;
use seed_tests::{webhook, yaml};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (release, eso_version) in RELEASES {
        let checks: [(&str, Check); 4] = [
            ("every_manifest_fits_the_definition", fits),
            ("every_manifest_passes_the_webhook", passes_the_webhook),
            ("no_manifest_gains_a_default", gains_no_default),
            ("every_reader_reads_the_same", reads_the_same),
        ];
        for (name, check) in checks {
            let test = move |shared: &Path| each_manifest(shared, release, eso_version, check);
            trials.push(needs_shared(format!("{release}::{name}"), test));
        }
    }
    trials.push(needs_shared(
        "the_kustomization_lists_every_manifest",
        lists_every_manifest,
    ));
    trials.push(needs_shared(
        "two_runs_write_the_same_bytes",
        two_runs_write_the_same,
    ));
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Says what is wrong with a manifest, line by line.
type Check = fn(&Release, &Manifest) -> Vec<String>;

fn each_manifest(
    shared: &Path,
    release: &str,
    eso_version: &str,
    check: Check,
) -> Result<(), Failed> {
    let release = Release::known(shared, release)?;
    let manifests = Emission::of_llm_platform(shared, eso_version)?.manifests()?;
    let mut wrong = Vec::new();
    for manifest in manifests.values() {
        let lines = check(release, manifest).into_iter();
        wrong.extend(lines.map(|line| format!("{}: {line}", manifest.path.display())));
    }
    match (manifests.len(), wrong.is_empty()) {
        (0, _) => Err("nothing was emitted".into()),
        (_, true) => Ok(()),
        (_, false) => Err(wrong.join("\n").into()),
    }
}

fn fits(release: &Release, manifest: &Manifest) -> Vec<String> {
    release
        .refusals(&manifest.object)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn passes_the_webhook(_: &Release, manifest: &Manifest) -> Vec<String> {
    webhook::refusals(&manifest.object)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// A field that the API server adds is a difference that Argo CD would show for ever.
fn gains_no_default(release: &Release, manifest: &Manifest) -> Vec<String> {
    match release.with_defaults(&manifest.object) {
        Ok(stored) if stored == manifest.object => Vec::new(),
        Ok(stored) => vec![format!("becomes {stored}")],
        Err(refusal) => vec![refusal.to_string()],
    }
}

fn reads_the_same(_: &Release, manifest: &Manifest) -> Vec<String> {
    yaml::ambiguous(&manifest.text).unwrap_or_else(|err| vec![err])
}

fn lists_every_manifest(shared: &Path) -> Result<(), Failed> {
    let emission = Emission::of_llm_platform(shared, "2.9")?;
    let mut paths: Vec<PathBuf> = emission
        .manifests()?
        .into_values()
        .map(|manifest| manifest.path)
        .collect();
    let mut listed = emission.kustomization()?;
    paths.sort();
    listed.sort();
    if listed == paths {
        Ok(())
    } else {
        Err(format!("{listed:?} instead of {paths:?}").into())
    }
}

fn two_runs_write_the_same(shared: &Path) -> Result<(), Failed> {
    let texts = || -> Result<Vec<(PathBuf, String)>, String> {
        let manifests = Emission::of_llm_platform(shared, "2.9")?.manifests()?;
        Ok(manifests
            .into_values()
            .map(|manifest| (manifest.path, manifest.text))
            .collect())
    };
    if texts()? == texts()? {
        Ok(())
    } else {
        Err("the files differ".into())
    }
}
