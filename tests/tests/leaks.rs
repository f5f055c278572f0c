//! No stored value is in anything that `seed` prints, nor in any file but those made for values.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use seed_tests::cli::Outcome;
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

/// Names each value that is in an output, and how it is written there. Never the value.
fn leaks(secrets: &BTreeMap<String, Vec<u8>>, outputs: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut leaks = Vec::new();
    for (key, value) in secrets {
        for (form, text) in forms(value) {
            let found = outputs.iter().filter(|(_, output)| contains(output, &text));
            leaks.extend(found.map(|(name, _)| format!("{key} ({form}) in {name}")));
        }
    }
    leaks
}

/// Ways to write a value. In base64 a text looks different at each of three places in a longer one.
fn forms(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("as it is".to_owned(), value.to_vec()),
        ("hex".to_owned(), hex.clone().into_bytes()),
        ("upper hex".to_owned(), hex.to_uppercase().into_bytes()),
        (
            "half of it".to_owned(),
            value.get(..value.len() / 2).unwrap_or_default().to_vec(),
        ),
    ];
    for skipped in 0..3 {
        let whole = value.get(skipped..).unwrap_or_default();
        let whole = whole.get(..whole.len() / 3 * 3).unwrap_or_default();
        for (name, engine) in [
            ("base64", &STANDARD_NO_PAD),
            ("base64url", &URL_SAFE_NO_PAD),
        ] {
            forms.push((
                format!("{name} from {skipped}"),
                engine.encode(whole).into_bytes(),
            ));
        }
    }
    forms.retain(|(_, text)| text.len() > 7);
    forms
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn the_search_finds_every_form() {
    let value = b"correct horse battery".to_vec();
    let secrets = BTreeMap::from([("key".to_owned(), value.clone())]);
    let found = |output: String| {
        let outputs = BTreeMap::from([("output".to_owned(), output.into_bytes())]);
        !leaks(&secrets, &outputs).is_empty()
    };
    let text = String::from_utf8_lossy(&value).into_owned();
    assert!(found(format!("> {text} <")));
    for before in ["", "a", "ab"] {
        let inside = format!("{before}{text}, and more");
        assert!(found(STANDARD_NO_PAD.encode(&inside)), "{before}");
        assert!(found(URL_SAFE_NO_PAD.encode(&inside)), "{before}");
    }
    assert!(found(
        "636f727265637420686f7273652062617474657279".to_owned()
    ));
    assert!(!found("another text".to_owned()));
}
