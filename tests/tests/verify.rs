//! `seed verify`: what is stored, held against the contract.
//!
//! Values that are not as they should be are stored under one contract, and verified under another.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use seed_tests::workspace::{PLATFORM, Workspace, changed};

type Test = Result<(), String>;

/// What stands above the secrets in each contract here: all of them keep values in one store.
const HEAD: &str =
    "version: 1\nname: shop\nbackend: local\nbackends: {local: {file: .seed/shop.age}}\nsecrets:\n";

/// A workspace in which the values of one contract are stored, and another contract is `seed.yaml`.
fn stored(first: &str, then: &str) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("first.yaml", &format!("{HEAD}{first}"))?;
    workspace.write("seed.yaml", &format!("{HEAD}{then}"))?;
    workspace.seed("apply -c first.yaml")?.success()?;
    Ok(workspace)
}

#[test]
fn what_was_just_applied_is_sound() -> Test {
    let workspace = Workspace::new()?;
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok"))?
        .success()?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&format!("verify {PLATFORM}"))?, @"
    llm-platform · env ai-dev · local, file .seed/ai-dev.age      contracts/llm-platform.yaml

      - cloudflare-api-token  absent: you provide: Cloudflare dashboard, My Profile, API Tokens; permissions Zone:Read and DNS:Edit for the one zone

    Verified: 15 sound, 1 not there, 1 optional, 1 not needed.
    Files: 1 as stored.
    ---
    [exit status: 0]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn what_is_not_there_is_listed_and_no_failure() -> Test {
    let workspace = Workspace::new()?;
    workspace.write(
        "seed.yaml",
        &format!(
            "{HEAD}  a: {{generate: {{hex: 16}}}}\n  b: {{derive: {{sha256: {{of: a}}}}}}\n\
             \x20 c: {{provide: {{how: \"the portal\\nTokens\"}}}}\n  d: {{compose: \"${{c}}\"}}\n\
             \x20 e: {{mint: {{by: the app}}}}\n  f: {{when: 'false', generate: uuid}}\n\
             files: {{out/a: {{text: \"${{a}}\"}}}}\n"
        ),
    )?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      - a  absent: `seed apply` creates it
      - b  absent: `seed apply` creates it
      - c  absent: you provide: the portal
           Tokens
      - d  absent: waits for c

    Verified: 4 not there, 1 optional, 1 not needed.
    ---
    [exit status: 0]
    ");
    Ok(())
}

/// Values of which none is what [`WANTED`] says.
const WRONG: &str = r#"  password: {value: correct horse}
  other: {value: wrong horse}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  mismatch: {derive: {bcrypt: {of: other, cost: 4}}}
  line: {derive: {htpasswd: {of: password, user: ann, cost: 4}}}
  salt: {value: "CHANGEME now"}
  url: {compose: "postgres://shop:${password | urlencode}@old-db/shop"}
  literal: {value: "5432"}
  token: {value: tok-short}
  key: {value: unprefixed}
  rails: {value: master-key}
  single: {value: only one}
  agent: {fields: {A: {value: several}}}
  own: {value: given by hand}
"#;

const WANTED: &str = r#"  password: {provide: {how: ask}}
  hash: {derive: {bcrypt: {of: password, cost: 5}}}
  mismatch: {derive: {bcrypt: {of: password, cost: 4}}}
  line: {derive: {htpasswd: {of: password, user: bob, cost: 4}}}
  salt: {generate: {hex: 32}}
  url: {compose: "postgres://shop:${password | urlencode}@db/shop"}
  literal: {value: "5433"}
  token: {provide: {how: "the portal"}, check: {min: 40, prefix: tok_}}
  key: {generate: {hex: 16}, prefix: sk-}
  rails: {forbidden: "the charts make it"}
  single: {fields: {A: {generate: {hex: 4}}}}
  agent: {generate: {hex: 4}}
  own: {generate: {hex: 32}}
"#;

#[test]
fn everything_that_is_wrong_is_said_with_what_to_do() -> Test {
    let workspace = stored(WRONG, WANTED)?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! hash      is a hash of cost 4, where the contract asks for 5: remove it from the backend, and `seed apply` makes it again
      ! mismatch  was not made from password as it is stored: remove it from the backend, and `seed apply` makes it again
      ! line      is a password line of another user: remove it from the backend, and `seed apply` makes it again
      ! salt      is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
      ! url       differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
      ! literal   differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
      ! token     breaks `min`: the value has fewer than 40 characters: `seed set token --replace` puts the right value in its place; `--skip-check token` if the rule no longer holds
      ! token     breaks `prefix`: the value does not begin with `tok_`: `seed set token --replace` puts the right value in its place; `--skip-check token` if the rule no longer holds
      ! key       does not begin with the prefix `sk-`: remove it from the backend, and `seed apply` makes it again
      ! rails     exists, and must not: the charts make it: remove it from the backend
      ! single#A  wrong shape: one value is stored, and several fields are declared: store it as the contract declares it, or change the contract
      ! agent     wrong shape: several fields are stored, and one value is declared: store it as the contract declares it, or change the contract
      . own       is no value that `hex 32` makes; somebody gave another

    Verified: 2 sound, 3 drifted, 1 placeholder, 7 broken.
    ---
    [exit status: 12]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn programs_get_the_same_facts() -> Test {
    let workspace = stored(
        "  password: {value: correct horse}\n  salt: {value: TODO}\n",
        "  password: {value: other horse}\n  salt: {generate: {hex: 4}}\n  new: {generate: {hex: 4}}\n\
         \x20 off: {when: 'false', generate: uuid}\nfiles: {out/salt: {text: \"${salt}\"}}\n",
    )?;
    assert_snapshot!(workspace.seed("verify --format json")?, @r#"
    {
      "version": 1,
      "contract": "shop",
      "env": null,
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/shop.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "values": [
        {
          "key": "password",
          "state": "drifted",
          "reason": null,
          "findings": [
            {
              "kind": "drifted",
              "reason": "differs from what the contract and its sources give now",
              "hint": "remove it from the backend, and `seed apply` makes it again"
            }
          ]
        },
        {
          "key": "salt",
          "state": "placeholder",
          "reason": null,
          "findings": [
            {
              "kind": "placeholder",
              "reason": "is a placeholder for a value that is still to come",
              "hint": "`seed apply --fill-placeholders` puts the value in its place"
            }
          ]
        },
        {
          "key": "new",
          "state": "absent",
          "reason": "absent",
          "findings": []
        },
        {
          "key": "off",
          "state": "not-needed",
          "reason": "its condition is `false`",
          "findings": []
        }
      ],
      "files": [
        {
          "path": "out/salt",
          "state": "absent",
          "findings": [
            {
              "kind": "absent",
              "reason": "not there",
              "hint": "`seed files` writes it"
            }
          ]
        }
      ],
      "errors": [],
      "notes": [],
      "summary": {
        "sound": 0,
        "drifted": 1,
        "placeholder": 1,
        "broken": 0,
        "blocked": 0,
        "missing": 1,
        "optional": 0,
        "not_judged": 0,
        "unread": 0,
        "not_needed": 1,
        "not_selected": 0,
        "files": 1,
        "files_not_as_stored": 1
      }
    }
    ---
    [exit status: 12]
    "#);
    Ok(())
}

#[test]
fn no_stored_text_is_shown() -> Test {
    let workspace = stored(WRONG, WANTED)?;
    for line in [
        "verify",
        "verify --format json",
        "verify -vvv",
        "verify --color always",
    ] {
        let outcome = workspace.seed(line)?;
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for text in [
            "horse",
            "CHANGEME",
            "old-db",
            "tok-short",
            "unprefixed",
            "master-key",
            "by hand",
            "$2a$",
        ] {
            assert!(!said.contains(text), "{line}: {text}");
        }
        assert!(said.contains("mismatch"), "{line}: something is said");
    }
    Ok(())
}

#[test]
fn a_hash_whose_password_is_gone_is_half_a_pair() -> Test {
    let workspace = stored(
        "  gone: {value: correct horse}\n  hash: {derive: {bcrypt: {of: gone, cost: 4}}}\n",
        "  password: {generate: {hex: 16}}\n  hash: {derive: {bcrypt: {of: password, cost: 4}}}\n",
    )?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      - password  absent, but hash is stored and made from it: give the known value, which must match, or remove hash from the backend
      ! hash      is made from password, which is not there: give the known value of password, which must match, or remove this one from the backend

    Verified: 1 broken, 1 not there.
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn a_check_can_be_left_out_by_its_key() -> Test {
    let workspace = stored(
        "  token: {value: short}\n",
        "  token: {provide: {how: ask}, check: {min: 40}}\n",
    )?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! token  breaks `min`: the value has fewer than 40 characters: `seed set token --replace` puts the right value in its place; `--skip-check token` if the rule no longer holds

    Verified: 1 broken.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("verify --skip-check token")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

    Verified: 1 sound.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("verify --skip-check tokn")?, @"
    ---
    error: `--skip-check tokn`: `tokn` is not declared under `secrets`
    hint: did you mean `token`?
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn only_what_is_selected_is_judged_and_its_sources_are_read_for_that() -> Test {
    let files = "files: {out/password: {text: \"${password}\"}, out/salt: {text: \"${salt}\"}}\n";
    let workspace = stored(WRONG, &format!("{WANTED}{files}"))?;
    assert_snapshot!(workspace.seed("verify --only mismatch --only line --exclude line")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! mismatch  was not made from password as it is stored: remove it from the backend, and `seed apply` makes it again

    Verified: 1 broken, 12 not selected.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("verify --only s*")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! salt      is a placeholder for a value that is still to come: `seed apply --fill-placeholders` puts the value in its place
      ! single#A  wrong shape: one value is stored, and several fields are declared: store it as the contract declares it, or change the contract

      - out/salt  not there: `seed files` writes it

    Verified: 1 placeholder, 1 broken, 11 not selected.
    Files: 1 not there.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("verify --only password --exclude password")?, @"
    ---
    error: no key that is needed here is selected
    hint: `--exclude` leaves nothing
    [exit status: 3]
    ");
    Ok(())
}

#[test]
fn files_are_held_against_what_is_stored() -> Test {
    let secrets = "  password: {generate: {hex: 16}}\n  token: {provide: {how: ask}, optional: true}\nfiles:\n\
                   \x20 out/same: {text: \"${password}\\n\"}\n  out/changed: {text: \"${password}\"}\n\
                   \x20 out/shared: {yaml: {password: \"${password}\"}}\n  out/gone: {text: \"${password}\"}\n\
                   \x20 out/token: {text: \"${token}\"}\n";
    let workspace = stored(secrets, secrets)?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

    Verified: 1 sound, 1 optional.
    Files: 4 as stored.
    ---
    [exit status: 0]
    ");
    let below = |path: &str| workspace.root().join(path);
    let failed = |err: std::io::Error| err.to_string();
    workspace.write("out/changed", "written by hand")?;
    workspace.write("out/token", "written by hand")?;
    fs::set_permissions(below("out/shared"), fs::Permissions::from_mode(0o640)).map_err(failed)?;
    fs::set_permissions(below("out/token"), fs::Permissions::from_mode(0o600)).map_err(failed)?;
    fs::remove_file(below("out/gone")).map_err(failed)?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! out/changed  differs from what is stored: `seed files --force` writes it again
      ! out/shared   others than you can read it: run `chmod 600 out/shared`
      - out/gone     not there: `seed files` writes it
      . out/token    not compared: a value that it needs is not there

    Verified: 1 sound, 1 optional.
    Files: 1 as stored, 1 drifted, 1 exposed, 1 not there, 1 not compared.
    ---
    [exit status: 12]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_file_that_cannot_be_looked_at_is_a_failure() -> Test {
    let secrets = "  a: {generate: {hex: 16}}\nfiles: {out/a: {text: \"${a}\"}}\n";
    let workspace = stored(secrets, secrets)?;
    let path = workspace.root().join("out/a");
    let elsewhere = workspace.root().join("elsewhere");
    let moved = fs::rename(&path, &elsewhere);
    moved
        .and_then(|()| std::os::unix::fs::symlink(&elsewhere, &path))
        .map_err(|err| err.to_string())?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ? out/a  not looked at: it is a symbolic link, which is not followed

    Verified: 1 sound.
    Files: 1 not judged.
    ---
    error: not everything could be read, so not everything was verified
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn files_that_git_would_take_are_said() -> Test {
    let secrets =
        "  a: {generate: {hex: 16}}\nfiles: {out/a: {text: \"${a}\"}, out/b: {text: \"${a}\"}}\n";
    let workspace = stored(secrets, secrets)?;
    let git = |arguments: &str| workspace.shell()?.run(&format!("git {arguments}"));
    git("init --quiet")?.success()?;
    git("add --force out/a")?.success()?;
    assert_snapshot!(workspace.seed("verify")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ! out/a  git tracks it, and it holds secret values: run `git -C $ROOT rm --cached -- out/a`, and add it to .gitignore
      ! out/b  git does not ignore it: add the line `/out/b` to .gitignore

    Verified: 1 sound.
    Files: 2 exposed.
    ---
    [exit status: 12]
    ");
    Ok(())
}

#[test]
fn a_store_that_cannot_be_read_is_a_failure_and_nothing_is_called_absent() -> Test {
    let workspace = stored(
        "  a: {value: one}\n",
        "  a: {value: one}\n  b: {generate: {hex: 4}}\n",
    )?;
    workspace.write(".seed/shop.age", "spoiled")?;
    assert_snapshot!(workspace.seed("verify")?, @"
    ---
    error: cannot ask the backend `local`
      caused by: look up what is stored: the store `.seed/shop.age` cannot be understood: it is cut short, changed, or not a store of seed; put a good copy back, or move it away to start with an empty store
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn what_one_backend_tells_is_shown_when_another_fails() -> Test {
    let workspace = Workspace::new()?;
    let contract = "version: 1\nname: two\nbackend: near\nbackends:\n\
                    \x20 near: {kind: local, file: .seed/near.age}\n  far: {kind: local, file: .seed/far.age}\n\
                    secrets:\n  a: {value: old}\n  b: {value: text, backend: far}\n  c: {compose: \"${b}\"}\n";
    workspace.write("seed.yaml", contract)?;
    workspace.seed("apply")?.success()?;
    workspace.write("seed.yaml", &contract.replace("old", "new"))?;
    workspace.write(".seed/far.age", "spoiled")?;
    assert_snapshot!(workspace.seed("verify")?, @"
    two · local, file .seed/far.age · local, file .seed/near.age  seed.yaml

      ! a  differs from what the contract and its sources give now: remove it from the backend, and `seed apply` makes it again
      ? b  unknown, which is not absent: the store `.seed/far.age` cannot be understood: it is cut short, changed, or not a store of seed; put a good copy back, or move it away to start with an empty store
      ? c  not judged: b was not read: make b readable

    Verified: 1 drifted, 1 not judged, 1 not read.
    ---
    error: cannot ask the backend `far`
      caused by: look up what is stored: the store `.seed/far.age` cannot be understood: it is cut short, changed, or not a store of seed; put a good copy back, or move it away to start with an empty store
    [exit status: 1]
    ");
    Ok(())
}
