//! `seed set`: what it stores, replaces, refuses and says.

use insta::assert_snapshot;
use seed_tests::cli::Outcome;
use seed_tests::workspace::{Workspace, changed};

type Test = Result<(), String>;

const CONTRACT: &str = r#"version: 1
name: setting
backend: local
backends: {local: {file: .seed/setting.age}}
config: {defaults: {extra: false}}
secrets:
  token:
    description: Opens the door
    provide: {how: "dashboard, API tokens", env: APP_TOKEN}
    check: {min: 8}
  header: {compose: "Bearer ${token}"}
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  digest: {derive: {sha256: {of: header}}}
  user: {value: app}
  session: {mint: {by: the application}}
  banned: {forbidden: it opens everything}
  spare: {when: config.extra, generate: {hex: 16}}
  salt: {provide: {how: the old platform}, rotate: never}
  master: {provide: {how: the old platform}, rotate: {careful: every client presents it}}
  one: {generate: {hex: 8}, rotate: {with: [two]}}
  two: {generate: {hex: 8}}
  pair:
    fields:
      id: {provide: {how: the provider}}
      key: {generate: {hex: 16}}
files:
  secrets/token: {text: "${token}\n"}
  secrets/master: {text: "${master} of ${user}\n"}
"#;

fn workspace() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", CONTRACT)?;
    Ok(workspace)
}

/// Gives `value` on stdin.
fn set(workspace: &Workspace, value: &str, arguments: &str) -> Result<Outcome, String> {
    workspace.write("given", value)?;
    let outcome = workspace
        .shell()?
        .run(&format!("cat given | seed set {arguments}"));
    std::fs::remove_file(workspace.root().join("given")).map_err(|err| err.to_string())?;
    outcome
}

fn code(outcome: &Outcome) -> Option<i32> {
    outcome.status.code()
}

#[test]
fn a_value_is_stored_where_nothing_is_and_kept_where_something_is() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(set(&workspace, "correct horse\n", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + token  created

      Files:
        secrets/token: written

      `seed apply` can create now: `header`, `digest`
    ---
    `token`: one final line break was removed
    [exit status: 0]
    ");
    assert_eq!(workspace.value("", "token")?, b"correct horse");
    let before = workspace.files()?;
    assert_snapshot!(set(&workspace, "correct horse", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      = token  exists, with this value; nothing was written
    ---
    [exit status: 0]
    ");
    assert_snapshot!(set(&workspace, "battery staple", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: `token` exists; nothing was written
    hint: `--replace` puts the value in its place
    [exit status: 12]
    ");
    assert_eq!(changed(&before, &workspace.files()?), ["$ROOT"]);
    assert_eq!(workspace.value("", "token")?, b"correct horse");
    Ok(())
}

#[test]
fn a_value_is_replaced_on_request_and_its_files_follow() -> Test {
    let workspace = workspace()?;
    set(&workspace, "correct horse", "master")?.success()?;
    workspace
        .seed("apply --only user --only master")?
        .success()?;
    assert_eq!(workspace.read("secrets/master")?, "correct horse of app\n");
    assert_snapshot!(set(&workspace, "battery staple", "master --replace")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: nobody confirmed that `master` is to be replaced: every client presents it
    hint: confirm it with `--yes`
    [exit status: 2]
    ");
    assert_eq!(workspace.value("", "master")?, b"correct horse");
    assert_snapshot!(set(&workspace, "battery staple", "master --replace --yes")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + master  replaced

      Files:
        secrets/master: replaced
    ---
    [exit status: 0]
    ");
    assert_eq!(workspace.value("", "master")?, b"battery staple");
    assert_eq!(workspace.read("secrets/master")?, "battery staple of app\n");
    workspace.write("secrets/master", "mine\n")?;
    assert_snapshot!(set(&workspace, "another one", "master --replace --yes")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + master  replaced

      Files:
        secrets/master: differs from what is stored, and was kept; `seed files --force` replaces it
    ---
    [exit status: 12]
    ");
    assert_eq!(workspace.read("secrets/master")?, "mine\n");
    assert_eq!(workspace.value("", "master")?, b"another one");
    Ok(())
}

#[test]
fn a_wrong_value_is_not_stored_unless_its_check_is_skipped() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(set(&workspace, "short", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: the value of `token` is wrong; nothing was written
      caused by: the value has 5 characters; at least 8 are wanted
    [exit status: 2]
    ");
    assert_snapshot!(set(&workspace, "CHANGEME", "token --skip-check")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: the value of `token` is wrong; nothing was written
      caused by: the value is a placeholder for one that is still to come
    [exit status: 2]
    ");
    assert_snapshot!(set(&workspace, "", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: the value of `token` is wrong; nothing was written
      caused by: the value is empty
    [exit status: 2]
    ");
    assert_eq!(code(&workspace.seed("get token")?), Some(1));
    set(&workspace, "short", "token --skip-check")?.success()?;
    assert_eq!(workspace.value("", "token")?, b"short");
    Ok(())
}

#[test]
fn what_nobody_gives_is_refused_with_what_to_do_instead() -> Test {
    let workspace = workspace()?;
    let keys = [
        "header", "hash", "user", "session", "banned", "spare", "pair", "pair#idd", "tokn",
    ];
    let refusals = keys.map(|key| {
        let outcome = set(&workspace, "correct horse", key)?;
        assert_eq!(code(&outcome), Some(2), "{outcome}");
        assert_eq!(outcome.stdout, "");
        Ok(outcome.stderr)
    });
    let refusals: Result<Vec<String>, String> = refusals.into_iter().collect();
    assert_snapshot!(refusals?.concat(), @"
    error: `header` is made from `token`, not given
    hint: `seed apply` makes `header` once what it is made from is there
    error: `hash` is made from `password`, not given
    hint: `seed apply` makes `hash` once what it is made from is there
    error: `user` is a literal of the contract, not given
    hint: change it in the contract
    error: `session` is written by the application, not given
    error: `banned` must not exist: it opens everything
    error: `spare` is not needed here: config.extra is false
    error: `pair` has fields: set one of them
    hint: they are `pair#id`, `pair#key`
    error: `pair#idd` is not declared under `secrets`
    hint: did you mean `pair#id`?
    error: `tokn` is not declared under `secrets`
    hint: did you mean `token`?
    ");
    Ok(())
}

#[test]
fn a_value_comes_from_a_file_or_a_variable() -> Test {
    let workspace = workspace()?;
    let shell = workspace.shell()?;
    workspace.write("token", "from a file\r\n")?;
    shell.run("seed set token --file token")?.success()?;
    assert_eq!(workspace.value("", "token")?, b"from a file");
    shell
        .run("seed set token --replace --file - < contracts/minimal.yaml")?
        .success()?;
    assert!(workspace.value("", "token")?.starts_with(b"# "));
    shell
        .run("APP_TOKEN='the suggested one' seed set token --replace --from-env")?
        .success()?;
    assert_eq!(workspace.value("", "token")?, b"the suggested one");
    shell
        .run("OTHER='the named one' seed set token --replace --from-env=OTHER")?
        .success()?;
    assert_eq!(workspace.value("", "token")?, b"the named one");
    for line in [
        "seed set token --replace --from-env",
        "APP_TOKEN= seed set token --replace --from-env",
        "seed set salt --from-env",
        "seed set salt --file nowhere",
        "seed set salt --file contracts",
        "seed set salt --file token --from-env=OTHER",
        "seed set salt --from-env=HOME",
    ] {
        let outcome = shell.run(line)?;
        assert_eq!(code(&outcome), Some(2), "{line}: {outcome}");
    }
    assert_snapshot!(shell.run("seed set salt --from-env")?, @"
    ---
    error: the contract suggests no variable for `salt`
    hint: name one: `--from-env=NAME`
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn what_must_stay_is_not_replaced() -> Test {
    let workspace = workspace()?;
    set(&workspace, "correct horse", "salt")?.success()?;
    assert_snapshot!(set(&workspace, "battery staple", "salt --replace --yes")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: `salt` must not be replaced: the contract says `rotate: never`
    hint: what was made with the stored value still needs it
    [exit status: 12]
    ");
    assert_eq!(workspace.value("", "salt")?, b"correct horse");
    Ok(())
}

#[test]
fn a_value_from_which_others_were_made_stays_with_them() -> Test {
    let workspace = workspace()?;
    set(&workspace, "correct horse", "token")?.success()?;
    workspace.seed("apply --missing-ok")?.success()?;
    assert_snapshot!(set(&workspace, "battery staple", "token --replace")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: what is stored was made from another value of `token`: `header`, `digest`; nothing was written
    hint: remove `header`, `digest` from the backend first; afterwards `seed apply` makes it from the new value
    [exit status: 12]
    ");
    let refused = set(&workspace, "0123456789abcdef", "password --replace")?;
    assert_eq!(code(&refused), Some(12), "{refused}");
    assert!(refused.stderr.contains("`hash`"), "{refused}");
    assert_eq!(workspace.value("", "token")?, b"correct horse");
    assert_snapshot!(set(&workspace, "0123456789abcdef", "one --replace")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + one  replaced
    ---
    `one` belongs with `two`: set those as well.
    [exit status: 0]
    ");
    Ok(())
}

/// The password of this contract is kept under another name, so that it is lost for the other one.
fn lose_the_password(workspace: &Workspace) -> Result<Vec<u8>, String> {
    let elsewhere = CONTRACT.replace("password: {generate", "password: {key: other, generate");
    workspace.write("before.yaml", &elsewhere)?;
    workspace
        .seed("apply -c before.yaml --only password --only hash")?
        .success()?;
    workspace.value("-c before.yaml", "password")
}

#[test]
fn the_lost_half_of_a_pair_must_match_the_other() -> Test {
    let workspace = workspace()?;
    let lost = String::from_utf8_lossy(&lose_the_password(&workspace)?).into_owned();
    assert_snapshot!(set(&workspace, "battery staple", "password")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: what is stored was made from another value of `password`: `hash`; nothing was written
    hint: give the value that it was made from, or remove `hash` from the backend
    [exit status: 12]
    ");
    assert_eq!(code(&workspace.seed("get password")?), Some(1));
    assert_snapshot!(set(&workspace, &lost, "password")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + password  created
    ---
    [exit status: 0]
    ");
    assert_eq!(workspace.value("", "password")?, lost.as_bytes());
    Ok(())
}

#[test]
fn a_placeholder_is_filled_on_request() -> Test {
    let workspace = workspace()?;
    let literal = CONTRACT.replace("token:\n", "token:\n    placeholder: []\n");
    workspace.write("before.yaml", &literal)?;
    set(&workspace, "CHANGEME", "token -c before.yaml")?.success()?;
    assert_snapshot!(set(&workspace, "correct horse", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: `token` holds a placeholder; nothing was written
    hint: `--fill-placeholders` puts the value in its place
    [exit status: 12]
    ");
    assert_snapshot!(set(&workspace, "correct horse", "token --fill-placeholders")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + token  put in the place of a placeholder

      Files:
        secrets/token: replaced
    ---
    [exit status: 0]
    ");
    assert_eq!(workspace.value("", "token")?, b"correct horse");
    let refused = set(&workspace, "battery staple", "token --fill-placeholders")?;
    assert_eq!(code(&refused), Some(12), "{refused}");
    assert_eq!(workspace.value("", "token")?, b"correct horse");
    Ok(())
}

#[test]
fn the_other_fields_of_an_entry_stay() -> Test {
    let workspace = workspace()?;
    set(&workspace, "correct horse", "pair#id")?.success()?;
    workspace.seed("apply --missing-ok")?.success()?;
    let key = workspace.value("", "pair#key")?;
    set(&workspace, "battery staple", "pair#id --replace")?.success()?;
    assert_eq!(workspace.value("", "pair#id")?, b"battery staple");
    assert_eq!(workspace.value("", "pair#key")?, key);
    set(&workspace, "another key", "pair#key --replace")?.success()?;
    assert_eq!(workspace.value("", "pair#key")?, b"another key");
    assert_eq!(workspace.value("", "pair#id")?, b"battery staple");
    Ok(())
}

#[test]
fn programs_are_told_in_json() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(set(&workspace, "correct horse", "token --format json")?, @r#"
    {
      "version": 1,
      "contract": "setting",
      "env": null,
      "key": "token",
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/setting.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "backend": "local",
      "name": "token",
      "outcome": "created",
      "files": [
        {
          "path": "secrets/token",
          "outcome": "written"
        }
      ],
      "can_create": [
        "header",
        "digest"
      ],
      "errors": [],
      "notes": []
    }
    ---
    [exit status: 0]
    "#);
    Ok(())
}

#[test]
fn programs_are_told_in_json_why_nothing_was_stored() -> Test {
    let workspace = workspace()?;
    set(&workspace, "correct horse", "token")?.success()?;
    assert_snapshot!(set(&workspace, "battery staple", "token --format json")?, @r#"
    {
      "version": 1,
      "error": {
        "message": "`token` exists; nothing was written",
        "causes": [],
        "hints": [
          "`--replace` puts the value in its place"
        ],
        "exit_code": 12
      }
    }
    ---
    error: `token` exists; nothing was written
    hint: `--replace` puts the value in its place
    [exit status: 12]
    "#);
    let replaced = set(
        &workspace,
        "battery staple",
        "token --format json --replace --quiet",
    )?;
    assert!(
        replaced.stdout.contains(r#""outcome": "replaced""#),
        "{replaced}"
    );
    assert_eq!(replaced.stderr, "");
    Ok(())
}

#[test]
fn a_file_that_git_would_take_stops_it_before_it_is_stored() -> Test {
    let workspace = workspace()?;
    let shell = workspace.shell()?;
    shell.run("git init --quiet")?.success()?;
    let refused = set(&workspace, "correct horse", "token")?;
    assert_eq!(code(&refused), Some(2), "{refused}");
    assert!(refused.stderr.contains("/secrets/token"), "{refused}");
    workspace.write(".gitignore", ".seed/\n")?;
    set(&workspace, "correct horse", "salt")?.success()?;
    Ok(())
}

#[test]
fn a_person_is_asked_for_a_value_and_for_care() -> Test {
    let workspace = workspace()?;
    let mut person = workspace.talk("set master")?;
    person.wait_for("value: ")?;
    person.send("correct horse\r")?;
    assert_snapshot!(person.finish()?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    [pastes are marked]
    Nothing is shown while you type. An empty line: later. Ctrl-C: stop, with nothing written.

      master
        the old platform
        value: (set)
    [pastes are not marked]
      + master  created

      Files:
        secrets/master: not written: a value that it needs is not there yet
    [exit status: 0, terminal: as before]
    ");
    assert_eq!(workspace.value("", "master")?, b"correct horse");
    let shown = workspace.talk("set master")?.finish()?.to_string();
    assert!(
        shown.ends_with("[exit status: 12, terminal: as before]"),
        "{shown}"
    );
    assert!(!shown.contains("value: "), "{shown}");
    let mut person = workspace.talk("set master --replace")?;
    person.wait_for("[yes/no] ")?;
    person.send("no\n")?;
    let shown = person.finish()?.to_string();
    assert!(
        shown.ends_with("[exit status: 2, terminal: as before]"),
        "{shown}"
    );
    let mut person = workspace.talk("set master --replace")?;
    person.wait_for("[yes/no] ")?;
    person.send("yes\n")?;
    person.wait_for("value: ")?;
    person.send("battery staple\r")?;
    let shown = person.finish()?.to_string();
    assert!(
        shown.ends_with("[exit status: 0, terminal: as before]"),
        "{shown}"
    );
    assert!(!shown.contains("battery"), "{shown}");
    assert_eq!(workspace.value("", "master")?, b"battery staple");
    Ok(())
}

#[test]
fn an_empty_answer_writes_nothing() -> Test {
    let workspace = workspace()?;
    let before = workspace.files()?;
    let mut person = workspace.talk("set token")?;
    person.wait_for("value: ")?;
    person.send("\r")?;
    let shown = person.finish()?.to_string();
    assert!(
        shown.ends_with("[exit status: 11, terminal: as before]"),
        "{shown}"
    );
    assert_eq!(workspace.files()?, before);
    let shown = workspace
        .talk("set token --no-input")?
        .finish()?
        .to_string();
    assert!(
        shown.ends_with("[exit status: 2, terminal: as before]"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn a_file_with_the_value_is_kept_from_others() -> Test {
    let workspace = workspace()?;
    let shell = workspace.shell()?;
    shell
        .run("git init --quiet && echo /secrets/ > .gitignore")?
        .success()?;
    shell
        .run("printf 'correct horse' > mine && chmod 644 mine")?
        .success()?;
    assert_snapshot!(shell.run("seed set token --file mine")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + token  created

      Files:
        secrets/token: written

      `seed apply` can create now: `header`, `digest`
    ---
    warning: other users can read `mine`; `chmod 600 mine` keeps it to you
    warning: git would take `mine` into a commit; add the line `/mine` to .gitignore
    [exit status: 0]
    ");
    shell.run("head -c 1048577 /dev/zero > mine")?.success()?;
    assert_snapshot!(shell.run("seed set salt --file mine")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    warning: other users can read `mine`; `chmod 600 mine` keeps it to you
    warning: git would take `mine` into a commit; add the line `/mine` to .gitignore
    error: `mine` has more than 1048576 bytes, which is more than any backend stores in one entry
    [exit status: 2]
    ");
    assert_snapshot!(shell.run("head -c 1048577 /dev/zero | seed set salt")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

    ---
    error: `stdin` has more than 1048576 bytes, which is more than any backend stores in one entry
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn what_is_typed_is_never_read_where_it_shows() -> Test {
    let workspace = workspace()?;
    assert_snapshot!(workspace.talk("set token --file -")?.finish()?, @"
    error: `--file -` reads stdin, which is a terminal: it would show what you type
    hint: without `--file` it is asked for, and not shown
    [exit status: 2, terminal: as before]
    ");
    Ok(())
}

#[test]
fn what_becomes_of_the_end_of_a_value_is_told_as_its_form_has_it() -> Test {
    let workspace = workspace()?;
    let contract = CONTRACT.replace("check: {min: 8}", "form: escape-newlines");
    workspace.write("seed.yaml", &contract)?;
    let key = r"-----BEGIN KEY-----\nbm9uZQ==\n-----END KEY-----";
    assert_snapshot!(set(&workspace, &format!("{key}\\n\n"), "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + token  created

      Files:
        secrets/token: written

      `seed apply` can create now: `header`, `digest`
    ---
    [exit status: 0]
    ");
    assert_eq!(
        workspace.value("", "token")?,
        format!(r"{key}\n").as_bytes()
    );
    assert_snapshot!(set(&workspace, &format!("{key}\n"), "token --replace")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      = token  exists, with this value; nothing was written
    ---
    `token`: a final line break was added
    [exit status: 0]
    ");
    assert_eq!(
        workspace.value("", "token")?,
        format!(r"{key}\n").as_bytes()
    );
    Ok(())
}

#[test]
fn a_prefix_that_is_given_too_is_said() -> Test {
    let workspace = workspace()?;
    let contract = CONTRACT.replace("check: {min: 8}", "prefix: sk-\n    suffix: -x");
    workspace.write("seed.yaml", &contract)?;
    assert_snapshot!(set(&workspace, "sk-1-x\n", "token")?, @"
    setting · local, file .seed/setting.age                       seed.yaml

      + token  created

      Files:
        secrets/token: written

      `seed apply` can create now: `header`, `digest`
    ---
    `token`: one final line break was removed
    warning: `token` is given with the prefix `sk-`, and the contract puts that before it once more
    warning: `token` is given with the suffix `-x`, and the contract puts that behind it once more
    [exit status: 0]
    ");
    assert_eq!(workspace.value("", "token")?, b"sk-sk-1-x-x");
    Ok(())
}

#[test]
fn what_verify_calls_a_placeholder_is_filled() -> Test {
    let workspace = workspace()?;
    for (rule, stored) in [
        ("prefix: sk-", "sk-CHANGEME"),
        ("encode: base64", "CHANGEME"),
    ] {
        let literal = CONTRACT.replace(
            "provide: {how: the old platform}, rotate: never",
            &format!("value: {stored}"),
        );
        workspace.write("seed.yaml", &literal)?;
        workspace.seed("apply --no-input --only salt")?.success()?;
        workspace.write("seed.yaml", &CONTRACT.replace("rotate: never", rule))?;
        let verify = workspace.seed("verify --only salt")?.to_string();
        let hint =
            "placeholder for a value that is still to come: `seed set salt --fill-placeholders`";
        assert!(verify.contains(hint), "{verify}");
        let filled = set(&workspace, "correct horse", "salt --fill-placeholders")?;
        assert_eq!(code(&filled), Some(0), "{filled}");
        std::fs::remove_file(workspace.root().join(".seed/setting.age"))
            .map_err(|err| err.to_string())?;
    }
    Ok(())
}
