//! A password and its hash in each of the four states that a store can have them in.

#![expect(
    clippy::too_many_lines,
    reason = "a snapshot is as long as what it shows"
)]

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use seed_tests::workspace::{Workspace, changed};

type Test = Result<(), String>;

/// What stands above the secrets in each contract here: all of them keep values in one store.
const HEAD: &str =
    "version: 1\nname: pair\nbackend: local\nbackends: {local: {file: .seed/pair.age}}\nsecrets:\n";
const PASSWORD: &str = "  dex-admin-password: {generate: {hex: 16}}\n";
const HASH: &str =
    "  dex-admin-hash: {derive: {bcrypt: {of: dex-admin-password, cost: 4, version: 2a}}}\n";
/// A hash that somebody brought along; of `correct horse`.
const BROUGHT: &str = "  dex-admin-hash: {value: BROUGHT}\n";

#[test]
fn neither_is_there() -> Test {
    let workspace = pair()?;
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      + dex-admin-password  created
      + dex-admin-hash      created

    Applied: 2 created.
    ---
    [exit status: 0]
    ");
    verify(&workspace)
}

#[test]
fn both_are_there() -> Test {
    let workspace = pair()?;
    workspace.seed("apply")?.success()?;
    let (values, before) = (workspace.values("")?, workspace.files()?);
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

    Applied: 2 exist.
    ---
    [exit status: 0]
    ");
    assert!(workspace.values("")? == values, "a value changed");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    verify(&workspace)
}

#[test]
fn only_the_password_is_there() -> Test {
    let workspace = pair()?;
    workspace.write("password.yaml", &format!("{HEAD}{PASSWORD}"))?;
    workspace.seed("apply -c password.yaml")?.success()?;
    let password = workspace.value("", "dex-admin-password")?;
    assert_snapshot!(workspace.seed("plan")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      = dex-admin-password  exists
      + dex-admin-hash      bcrypt of dex-admin-password

    Plan: 1 to create, 1 exists.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      + dex-admin-hash  created

    Applied: 1 created, 1 exists.
    ---
    [exit status: 0]
    ");
    assert!(
        workspace.value("", "dex-admin-password")? == password,
        "the password changed"
    );
    verify(&workspace)
}

#[test]
fn a_given_password_is_stored_only_when_the_stored_hash_was_made_from_it() -> Test {
    let workspace = pair()?;
    let hash = bcrypt::hash("correct horse", 4).map_err(|err| err.to_string())?;
    let brought = BROUGHT.replace("BROUGHT", &hash);
    workspace.write("hash.yaml", &format!("{HEAD}{brought}"))?;
    workspace.seed("apply -c hash.yaml")?.success()?;
    workspace.write(
        "seed.yaml",
        &workspace
            .read("seed.yaml")?
            .replace("generate: {hex: 16}", "generate: {hex: 16}, provide: {}"),
    )?;
    let before = workspace.files()?;
    workspace.write("wrong.yaml", "dex-admin-password: battery staple\n")?;
    workspace.write("right.yaml", "dex-admin-password: correct horse\n")?;
    for file in ["wrong.yaml", "right.yaml"] {
        let private = std::fs::Permissions::from_mode(0o600);
        let path = workspace.root().join(file);
        std::fs::set_permissions(path, private).map_err(|err| err.to_string())?;
    }
    assert_snapshot!(workspace.seed("apply --values wrong.yaml")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

    ---
    error: the given `dex-admin-password` does not match the stored `dex-admin-hash`; nothing was written
    hint: give the value that `dex-admin-hash` was made from, or remove `dex-admin-hash` from the backend to make both again
    [exit status: 2]
    ");
    let after = workspace.files()?;
    assert_eq!(
        changed(&before, &after)
            .iter()
            .filter(|path| path.contains(".seed"))
            .count(),
        0
    );
    assert_snapshot!(workspace.seed("apply --values right.yaml")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      + dex-admin-password  created

    Applied: 1 created, 1 exists.
    ---
    [exit status: 0]
    ");
    let stored = workspace.value("", "dex-admin-password")?;
    assert!(stored == b"correct horse", "another password is stored");
    Ok(())
}

#[test]
fn only_the_hash_is_there() -> Test {
    let workspace = pair()?;
    let hash = bcrypt::hash("correct horse", 4).map_err(|err| err.to_string())?;
    let brought = BROUGHT.replace("BROUGHT", &hash);
    workspace.write("hash.yaml", &format!("{HEAD}{brought}"))?;
    workspace.seed("apply -c hash.yaml")?.success()?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed("plan --exit-code")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      ! dex-admin-password  absent, but dex-admin-hash is stored and made from it: give the known value, which must match, or remove dex-admin-hash from the backend
      = dex-admin-hash      exists

    Plan: 1 blocked, 1 exists.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      ! dex-admin-password  absent, but dex-admin-hash is stored and made from it: give the known value, which must match, or remove dex-admin-hash from the backend

    Applied: 1 exists, 1 blocked.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("apply --missing-ok --format json")?, @r#"
    {
      "version": 1,
      "contract": "pair",
      "env": null,
      "backends": [
        {
          "name": "local",
          "kind": "local",
          "place": "file .seed/pair.age",
          "identity": null,
          "create": "atomic",
          "guaranteed": "the backend itself refuses to write over what exists, whoever writes",
          "not_guaranteed": "which of several runs makes a value"
        }
      ],
      "verdict": "blocked",
      "outcomes": [
        {
          "key": "dex-admin-password",
          "backend": "local",
          "name": "dex-admin-password",
          "outcome": "blocked",
          "reason": "absent, but dex-admin-hash is stored and made from it: give the known value, which must match, or remove dex-admin-hash from the backend"
        },
        {
          "key": "dex-admin-hash",
          "backend": "local",
          "name": "dex-admin-hash",
          "outcome": "kept",
          "given": false
        }
      ],
      "files": [],
      "manifests": null,
      "errors": [],
      "notes": [],
      "summary": {
        "created": 0,
        "restored": 0,
        "kept": 1,
        "lost": 0,
        "dropped": 0,
        "failed": 0,
        "uncertain": 0,
        "skipped": 0,
        "cancelled": 0,
        "ask": 0,
        "wait": 0,
        "blocked": 1,
        "minted": 0,
        "optional": 0,
        "not_needed": 0,
        "not_selected": 0
      }
    }
    ---
    [exit status: 12]
    "#);
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    assert!(
        workspace.value("", "dex-admin-hash")? == hash.as_bytes(),
        "the hash changed"
    );
    Ok(())
}

#[test]
fn what_is_beside_a_blocked_pair_is_created() -> Test {
    let workspace = Workspace::new()?;
    workspace.write(
        "hash.yaml",
        &format!("{HEAD}{}", BROUGHT.replace("BROUGHT", "x")),
    )?;
    workspace.seed("apply -c hash.yaml")?.success()?;
    workspace.write(
        "seed.yaml",
        &format!("{HEAD}{PASSWORD}{HASH}  other: {{generate: {{hex: 16}}}}\n"),
    )?;
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      ! dex-admin-password  absent, but dex-admin-hash is stored and made from it: give the known value, which must match, or remove dex-admin-hash from the backend
      + other               created

    Applied: 1 created, 1 exists, 1 blocked.
    ---
    [exit status: 12]
    ");
    assert_snapshot!(workspace.seed("apply")?, @"
    pair · local, file .seed/pair.age                             seed.yaml

      ! dex-admin-password  absent, but dex-admin-hash is stored and made from it: give the known value, which must match, or remove dex-admin-hash from the backend

    Applied: 2 exist, 1 blocked.
    ---
    [exit status: 12]
    ");
    Ok(())
}

fn pair() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", &format!("{HEAD}{PASSWORD}{HASH}"))?;
    Ok(workspace)
}

/// Requires that the stored hash is that of the stored password, and of no other.
fn verify(workspace: &Workspace) -> Test {
    let text = |key: &str| {
        let value = workspace.value("", key)?;
        String::from_utf8(value).map_err(|err| err.to_string())
    };
    let (password, hash) = (text("dex-admin-password")?, text("dex-admin-hash")?);
    let fits = |password: &str| bcrypt::verify(password, &hash).map_err(|err| err.to_string());
    assert!(
        hash.starts_with("$2a$04$"),
        "not the version and cost that were asked for"
    );
    assert!(fits(&password)?, "the hash is not that of the password");
    assert!(!fits("another")?, "the hash is that of anything");
    Ok(())
}
