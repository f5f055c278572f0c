//! Looking at stored values themselves: placeholders, and texts that no longer follow from the contract.

use insta::assert_snapshot;
use seed_tests::workspace::{Workspace, changed};

type Test = Result<(), String>;

/// What was stored by hand, before anybody had the values.
const BEFORE: &str = r#"version: 1
name: some
backend: local
secrets:
  api-token: {value: CHANGEME}
  api-key: {value: REPLACE_ME}
  url: {compose: "http://${api-key}@old"}
  header: {compose: "Bearer TODO"}
  app-env:
    fields:
      KEY: {value: "<your key>"}
      USER: {value: app}
"#;

/// What the contract says now.
const NOW: &str = r#"version: 1
name: some
backend: local
secrets:
  api-token: {provide: {how: "dashboard, API tokens"}}
  api-key: {generate: {hex: 16}}
  url: {compose: "http://${api-key}@new"}
  header: {compose: "Bearer TODO"}
  app-env:
    fields:
      KEY: {generate: {hex: 16}}
      USER: {value: app}
      MORE: {generate: {hex: 8}}
"#;

fn workspace() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", BEFORE)?;
    workspace.seed("apply")?.success()?;
    workspace.write("seed.yaml", NOW)?;
    Ok(workspace)
}

#[test]
fn only_a_deep_plan_sees_placeholders_and_drift() -> Test {
    let workspace = workspace()?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed("plan --exit-code")?, @"
    some · local, file .seed/some.age                             seed.yaml

      = api-token     exists
      = api-key       exists
      = url           exists
      = header        exists
      = app-env#KEY   exists
      = app-env#USER  exists
      + app-env#MORE  hex 8

    Plan: 1 to create, 6 exist.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 10]
    ");
    assert_snapshot!(workspace.seed("plan --deep --exit-code")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! api-token     a placeholder for a value that is still to come: `seed set api-token --fill-placeholders` fills it
      ! api-key       a placeholder for a value that is still to come: `seed apply --fill-placeholders` fills it
      ! url           drifted: it differs from what the contract and its sources give now
      = header        exists
      ! app-env#KEY   a placeholder for a value that is still to come: `seed apply --fill-placeholders` fills it
      = app-env#USER  exists
      + app-env#MORE  hex 8

    Plan: 1 to create, 4 blocked, 2 exist.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("plan --deep --exit-code --only app-env")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! app-env#KEY   a placeholder for a value that is still to come: `seed apply --fill-placeholders` fills it
      = app-env#USER  exists
      + app-env#MORE  hex 8

    Plan: 1 to create, 1 blocked, 1 exists, 4 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("plan --deep --quick")?, @"
    ---
    error: the argument '--deep' cannot be used with '--quick'

    Usage: seed plan --deep

    For more information, try '--help'.
    [exit status: 2]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_deep_plan_for_programs_has_the_states() -> Test {
    let workspace = workspace()?;
    let plan = workspace.json("plan --deep --format json")?;
    assert_snapshot!(plan["steps"][0], @r#"{"key":"api-token","backend":"local","name":"api-token","state":"placeholder","action":"blocked","source":"dashboard, API tokens","description":null,"files":[],"reason":"a placeholder for a value that is still to come: `seed set api-token --fill-placeholders` fills it"}"#);
    assert_snapshot!(plan["steps"][2], @r#"{"key":"url","backend":"local","name":"url","state":"drifted","action":"blocked","source":"text with api-key","description":null,"files":[],"reason":"drifted: it differs from what the contract and its sources give now"}"#);
    Ok(())
}

#[test]
fn placeholders_are_filled_when_that_is_asked_for_and_nothing_else_changes() -> Test {
    let workspace = workspace()?;
    let before = workspace.values("")?;
    let plain = workspace.seed("apply --no-input")?;
    let filled = workspace.seed("apply --no-input --fill-placeholders")?;
    let again = workspace.seed("apply --no-input --fill-placeholders --format json")?;
    assert_snapshot!(format!("{plain}\n{filled}"), @"
    some · local, file .seed/some.age                             seed.yaml

      + app-env#MORE  created

    Applied: 1 created, 6 exist.
    ---
    [exit status: 0]
    some · local, file .seed/some.age                             seed.yaml

      ! api-key      absent, but url is stored and made from it: give the known value, which must match, or remove url from the backend
      ! url          drifted: it differs from what the contract and its sources give now
      + app-env#KEY  stored in the place of a placeholder

    Applied: 1 created, 3 exist, 1 for you to provide, 2 blocked.

      You still have to provide (`seed set KEY`):
        api-token: dashboard, API tokens
    ---
    [exit status: 12]
    ");
    assert_eq!(again.status.code(), Some(12), "{again}");
    let after = workspace.values("")?;
    let same: Vec<&String> = before
        .iter()
        .filter(|(key, value)| after.get(*key) == Some(value))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        same,
        ["api-key", "api-token", "app-env#USER", "header", "url"]
    );
    let key = after.get("app-env#KEY").ok_or("the key is gone")?;
    assert_eq!(key.len(), 32);
    Ok(())
}

fn one_key(source: &str) -> String {
    format!("version: 1\nname: some\nbackend: local\nsecrets:\n  key: {{{source}}}\n")
}

#[test]
fn a_placeholder_below_which_nothing_is_stored_is_filled() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", &one_key("value: TODO"))?;
    workspace.seed("apply")?.success()?;
    workspace.write("seed.yaml", &one_key("generate: {hex: 16}"))?;
    assert_snapshot!(workspace.seed("apply --fill-placeholders --format json")?, @r#"
    {
      "version": 1,
      "contract": "some",
      "env": null,
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/some.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "verdict": "done",
      "outcomes": [
        {
          "key": "key",
          "backend": "local",
          "name": "key",
          "outcome": "filled"
        }
      ],
      "files": [],
      "manifests": null,
      "errors": [],
      "notes": [],
      "summary": {
        "created": 1,
        "restored": 0,
        "kept": 0,
        "lost": 0,
        "dropped": 0,
        "failed": 0,
        "uncertain": 0,
        "skipped": 0,
        "cancelled": 0,
        "ask": 0,
        "wait": 0,
        "blocked": 0,
        "minted": 0,
        "optional": 0,
        "not_needed": 0,
        "not_selected": 0
      }
    }
    ---
    [exit status: 0]
    "#);
    assert_eq!(workspace.value("", "key")?.len(), 32);
    let again = workspace.seed("apply --fill-placeholders")?.success()?;
    assert!(again.ends_with("\nApplied: 1 exists.\n"), "{again}");
    Ok(())
}

#[test]
fn what_must_not_exist_is_called_so_and_not_read() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", BEFORE)?;
    workspace.seed("apply")?.success()?;
    let forbidden = BEFORE
        .replace("{value: CHANGEME}", "{forbidden: it opens everything}")
        .replace("{value: app}", "{forbidden: it says who}");
    workspace.write("seed.yaml", &forbidden)?;
    assert_snapshot!(workspace.seed("plan --deep --only api-token --only app-env#USER")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! api-token     exists, and must not: it opens everything
      ! app-env#USER  exists, and must not: it says who

    Plan: 2 blocked, 4 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn what_must_not_exist_is_seen_as_a_field_that_the_contract_does_not_declare() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", BEFORE)?;
    workspace.seed("apply")?.success()?;
    let forbidden = BEFORE.replace(
        "      USER: {value: app}\n",
        "  USER: {forbidden: it says who}\n",
    );
    workspace.write("seed.yaml", &forbidden)?;
    let plan = workspace.seed("plan --exit-code --only USER --only app-env")?;
    let verify = workspace.seed("verify --only USER --only app-env")?;
    assert_snapshot!(format!("{plan}\n{verify}"), @"
    some · local, file .seed/some.age                             seed.yaml

      = app-env#KEY  exists
      ! USER         exists, and must not: it says who (a field of `app-env` has this name)

    Plan: 1 blocked, 1 exists, 4 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 12]
    some · local, file .seed/some.age                             seed.yaml

      ! USER  exists, and must not: it says who (a field of `app-env` has this name): remove it from the backend

    Verified: 1 sound, 1 broken, 4 not selected.
    ---
    [exit status: 12]
    ");
    Ok(())
}
