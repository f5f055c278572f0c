//! `--only` and `--exclude`: what a run is about, and what it leaves alone.

use insta::assert_snapshot;
use seed_tests::workspace::{PLATFORM, Workspace};
use serde_json::Value;

type Test = Result<(), String>;

const CONTRACT: &str = r#"version: 1
name: some
backend: local
config: {defaults: {extra: false}}
secrets:
  db-password: {generate: {hex: 16}}
  db-url: {compose: "postgresql://app:${db-password}@db:5432/app"}
  api-key: {generate: {hex: 16}}
  api-token: {provide: {how: "dashboard, API tokens"}}
  spare: {when: config.extra, generate: {hex: 16}}
  app-env:
    fields:
      KEY: {generate: {hex: 16}}
      USER: {value: app}
files:
  secrets/api-key: {text: "${api-key}\n"}
  secrets/db-url: {text: "${db-url}\n"}
  secrets/both: {text: "${api-key} ${db-url}\n"}
"#;

fn workspace() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", CONTRACT)?;
    Ok(workspace)
}

#[test]
fn only_what_is_selected_is_shown_created_and_asked_for() -> Test {
    let workspace = workspace()?;
    let plan = workspace.seed("plan --only db-* --only app-env#KEY --exit-code")?;
    let apply = workspace.seed("apply --only db-* --only app-env#KEY")?;
    let again = workspace.seed("plan --only db-* --only app-env --exit-code")?;
    assert_snapshot!(format!("{plan}\n{apply}\n{again}"), @"
    some · local, file .seed/some.age                             seed.yaml

      + db-password  hex 16
      + db-url       text with db-password  (copy in secrets/db-url)  (copy in secrets/both)
      + app-env#KEY  hex 16

    Plan: 3 to create, 4 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 10]
    some · local, file .seed/some.age                             seed.yaml

      + db-password  created
      + db-url       created
      + app-env#KEY  created

    Applied: 3 created, 4 not selected.

      Files:
        secrets/db-url: written
        secrets/both: not written: a value that it needs is not there yet
    ---
    [exit status: 0]
    some · local, file .seed/some.age                             seed.yaml

      = db-password   exists
      = db-url        exists
      = app-env#KEY   exists
      + app-env#USER  literal

    Plan: 1 to create, 3 exist, 3 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 10]
    ");
    Ok(())
}

#[test]
fn a_key_that_needs_another_names_it() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(workspace.seed("apply --only db-url")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! db-url  needs db-password, which is absent and not selected: add `--only db-password`

    Applied: 1 blocked, 6 not selected.

      Files:
        secrets/db-url: not written: a value that it needs is not there yet
        secrets/both: not written: a value that it needs is not there yet
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("apply --exclude db-password --exclude api-*")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! db-url        needs db-password, which is absent and left out by `--exclude`
      + app-env#KEY   created
      + app-env#USER  created

    Applied: 2 created, 1 blocked, 1 not needed, 3 not selected.

      Files:
        secrets/db-url: not written: a value that it needs is not there yet
        secrets/both: not written: a value that it needs is not there yet
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn a_plan_for_programs_has_every_key_and_says_which_are_not_selected() -> Test {
    let workspace = workspace()?;
    workspace.seed("apply --only app-env")?.success()?;
    let plan = workspace.json("plan --only api-key --format json")?;
    let steps = plan.get("steps").and_then(Value::as_array);
    let steps = steps.ok_or("no steps")?.iter();
    let text = |step: &Value, name: &str| step.get(name).map(ToString::to_string);
    let lines: Option<Vec<String>> = steps
        .map(|step| {
            let (key, state) = (text(step, "key")?, text(step, "state")?);
            Some(format!("{key} {state} {}", text(step, "action")?))
        })
        .collect();
    assert_snapshot!(lines.ok_or("a member is missing")?.join("\n"), @r#"
    "db-password" "absent" "not-selected"
    "db-url" "absent" "not-selected"
    "api-key" "absent" "create"
    "api-token" "absent" "not-selected"
    "spare" null "not-selected"
    "app-env#KEY" "present" "not-selected"
    "app-env#USER" "present" "not-selected"
    "#);
    assert_snapshot!(plan["summary"], @r#"{"create":1,"ask":0,"wait":0,"blocked":0,"keep":0,"minted":0,"optional":0,"not_needed":0,"not_selected":6}"#);
    Ok(())
}

#[test]
fn a_key_that_nobody_declared_is_refused() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(workspace.seed("plan --only db-pasword")?, @"
    ---
    error: `--only db-pasword`: `db-pasword` is not declared under `secrets`
    hint: did you mean `db-password`?
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("apply --exclude nonsense")?, @"
    ---
    error: `--exclude nonsense`: `nonsense` is not declared under `secrets`
    hint: `seed plan` shows what is declared
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("plan --only app-env#NAME")?, @"
    ---
    error: `--only app-env#NAME`: `app-env#NAME` is not declared under `secrets`
    hint: did you mean `app-env#USER`?
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("plan --only db-[")?, @"
    ---
    error: `--only db-[` is no pattern: unclosed character class; missing ']'
    hint: `*` stands for any text, `?` for one character, `[ab]` for one of some, `{a,b}` for either
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_run_about_nothing_ends_with_3() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(workspace.seed("apply --only cache-*")?, @"
    ---
    error: no key that is needed here is selected
    hint: no key matches `--only`; `seed plan` shows the keys
    [exit status: 3]
    ");
    assert_snapshot!(workspace.seed("plan --only spare")?, @"
    ---
    error: no key that is needed here is selected
    hint: `spare` is not needed: config.extra is false
    [exit status: 3]
    ");
    assert_snapshot!(workspace.seed("plan --only app-env --exclude a*")?, @"
    ---
    error: no key that is needed here is selected
    hint: `--exclude` leaves nothing
    [exit status: 3]
    ");
    assert_eq!(
        workspace
            .files()?
            .keys()
            .filter(|path| path.contains(".seed"))
            .count(),
        0
    );
    Ok(())
}

#[test]
fn files_of_other_keys_are_left_alone() -> Test {
    let workspace = workspace()?;
    workspace.seed("apply --exclude api-*")?.success()?;
    assert_snapshot!(workspace.seed("apply --only api-key")?, @"
    some · local, file .seed/some.age                             seed.yaml

      + api-key  created

    Applied: 1 created, 6 not selected.

      Files:
        secrets/api-key: written
        secrets/both: written
    ---
    [exit status: 0]
    ");
    std::fs::remove_file(workspace.root().join("secrets/db-url")).map_err(|err| err.to_string())?;
    workspace.write("secrets/both", "changed")?;
    assert_snapshot!(workspace.seed("apply --only app-env")?, @"
    some · local, file .seed/some.age                             seed.yaml

    Applied: 2 exist, 5 not selected.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn manifests_are_written_for_all_keys() -> Test {
    let workspace = Workspace::new()?;
    let all = workspace.seed(&format!("apply {PLATFORM} --emit all --missing-ok"))?;
    all.success()?;
    let some = workspace.seed(&format!("apply {PLATFORM} --emit some --only dex-*"))?;
    some.success()?;
    let files = workspace.files()?;
    let of = |directory: &str| -> Vec<(String, Vec<u8>)> {
        let start = format!("$ROOT/{directory}/");
        let below = files.iter().filter(|(path, _)| path.starts_with(&start));
        below
            .map(|(path, found)| (path.replace(&start, ""), found.bytes.clone()))
            .collect()
    };
    assert!(of("all").len() > 14);
    assert_eq!(of("all"), of("some"));
    Ok(())
}

#[test]
fn a_check_that_no_longer_holds_can_be_skipped_and_the_report_says_so() -> Test {
    let workspace = Workspace::new()?;
    let contract = "version: 1\nname: some\nbackend: local\nsecrets:\n  \
        strict: {generate: {hex: 16}, check: {pattern: \"^never$\"}}\n  \
        loose: {generate: {hex: 16}}\n";
    workspace.write("seed.yaml", contract)?;
    assert_snapshot!(workspace.seed("apply")?, @"
    some · local, file .seed/some.age                             seed.yaml

      ! strict  failed: make `strict`: none of 100 drawn values passed the check; the last one does not match `^never$`
      + loose   created

    Applied: 1 created, 1 failed.
    ---
    [exit status: 4]
    ");
    assert_snapshot!(workspace.seed("apply --skip-check stricter")?, @"
    ---
    error: `--skip-check stricter`: `stricter` is not declared under `secrets`
    hint: did you mean `strict`?
    [exit status: 2]
    ");
    assert_snapshot!(workspace.seed("apply --skip-check strict")?, @"
    some · local, file .seed/some.age                             seed.yaml

      + strict  created, not checked

    Applied: 1 created, 1 exists.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_report_for_programs_says_what_was_stored_unchecked() -> Test {
    let workspace = workspace()?;
    let report = workspace.json("apply --only app-env --skip-check app-env --format json")?;
    assert_snapshot!(report["outcomes"][5], @r#"{"key":"app-env#KEY","backend":"local","name":"app-env","outcome":"created","unchecked":true}"#);
    Ok(())
}
