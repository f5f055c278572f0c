//! No stored value is in anything that `seed` prints, nor in any file but those made for values.

use std::collections::BTreeMap;

use seed_tests::cli::Outcome;
use seed_tests::search::leaks;
use seed_tests::workspace::{PLATFORM, Workspace};

type Test = Result<(), String>;

/// Values of every source, one of them with fields, and a pair that a later contract blocks.
const KINDS: &str = r#"version: 1
name: kinds
backend: local
backends: {local: {file: .seed/kinds.age}, gcpsm: {project: example}}
store: {name: secret-store}
secrets:
  password: {generate: {password: {length: 24, lower: 1, upper: 1, digits: 1}}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  htpasswd: {derive: {htpasswd: {user: admin, of: password}}}
  digest: {derive: {sha256: {of: password}}}
  url: {compose: "postgresql://app:${password | urlencode}@db:5432/app"}
  id: {generate: uuid}
  entry:
    fields:
      one: {generate: {base64: 32}}
      two: {compose: "x ${one}"}
targets:
  app/app:
    data: {config.json: "{\"password\": ${password | json}, \"url\": ${url | json}}", plain: "${entry#one}"}
files:
  secrets/all.env:
    dotenv: {PASSWORD: "${password}", ONE: "${entry#one}"}
"#;

#[test]
fn the_platform_leaks_nothing() -> Test {
    leaks_nothing(&Workspace::new()?, PLATFORM)
}

#[test]
fn values_of_every_kind_leak_nothing() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("kinds.yaml", KINDS)?;
    leaks_nothing(&workspace, "-c kinds.yaml --for gcpsm")
}

/// Runs everything once without values and once with them, and searches what came of it.
fn leaks_nothing(workspace: &Workspace, contract: &str) -> Test {
    let manifests_for = contract.find(" --for").unwrap_or(contract.len());
    let (contract, manifests_for) = contract.split_at(manifests_for);
    let mut outputs = BTreeMap::new();
    for moment in ["before", "after"] {
        for (name, line) in lines(contract, manifests_for) {
            let outcome = workspace.seed(&line)?;
            finished(&outcome)?;
            outputs.insert(format!("{moment}: {name}"), said(&outcome));
        }
    }
    for (name, line) in troubles(contract) {
        spoil(workspace)?;
        outputs.insert(name, said(&workspace.seed(&line)?));
    }
    let secrets = workspace.values(contract)?;
    assert!(secrets.len() > 6, "{:?}", secrets.keys());
    for (path, found) in workspace.files()? {
        if !path.starts_with("$ROOT/secrets/") {
            outputs.insert(path, found.bytes);
        }
    }
    let leaks = leaks(&secrets, &outputs);
    assert!(leaks.is_empty(), "{leaks:#?}");
    Ok(())
}

/// What a run may end with when it leaves something for a person to give or to decide.
fn finished(outcome: &Outcome) -> Test {
    let code = outcome.status.code();
    match code {
        Some(0 | 11) => Ok(()),
        _ => Err(outcome.to_string()),
    }
}

fn lines(contract: &str, manifests_for: &str) -> Vec<(String, String)> {
    let commands = [
        format!("plan {contract}"),
        format!("plan {contract} --format json"),
        format!("plan {contract} --quick"),
        format!("plan {contract} --no-read"),
        format!("apply {contract}{manifests_for} --emit build/manifests"),
        format!("apply {contract} --format json"),
        format!("emit {contract}{manifests_for}"),
        format!("emit {contract}{manifests_for} --out build/others"),
        format!("emit {contract}{manifests_for} --check build/manifests"),
        format!("check {contract}"),
        format!("files {contract}"),
        format!("verify {contract}"),
        format!("verify {contract} --format json"),
    ];
    let both = |line: String| [line.clone(), format!("{line} -vvv --color always")];
    let lines = commands.into_iter().flat_map(both);
    lines.map(|line| (format!("seed {line}"), line)).collect()
}

/// Runs that find a file that somebody changed.
fn troubles(contract: &str) -> Vec<(String, String)> {
    let commands = ["verify", "apply", "files", "files --force"];
    let lines = commands.map(|command| format!("{command} {contract} -vvv"));
    lines
        .map(|line| (format!("spoiled: seed {line}"), line))
        .into()
}

/// Changes the files that hold values.
fn spoil(workspace: &Workspace) -> Test {
    for path in workspace.files()?.keys() {
        if let Some(below) = path.strip_prefix("$ROOT/secrets/") {
            workspace.write(&format!("secrets/{below}"), "spoiled\n")?;
        }
    }
    Ok(())
}

fn said(outcome: &Outcome) -> Vec<u8> {
    let mut said = outcome.stdout_bytes.clone();
    said.extend(outcome.stderr.as_bytes());
    said
}
