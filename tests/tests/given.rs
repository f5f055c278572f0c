//! Values that people give reach the store as they were given, by whatever way, and what is said about them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use tempfile::TempDir;

type Test = Result<(), String>;

const CONTRACT: &str = r#"version: 1
name: shop
backend: local
secrets:
  token:
    provide: {how: the dashboard, env: TOKEN, file: secrets/token}
  tls-key:
    provide: {file: secrets/tls.pem}
    optional: true
    check: {pem: private-key}
  other: {optional: true, provide: {}}
  off: {when: "false", provide: {env: OFF, file: secrets/off}}
  random: {generate: {hex: 16}, provide: {}}
  entry:
    fields:
      one: {optional: true, provide: {}}
      two: {optional: true, provide: {}}
targets: {app/app: {data: {token: "${token}"}}}
"#;

/// A directory with a contract, and `seed` to run in it.
struct Shop {
    root: TempDir,
    seed: Sealed,
}

impl Shop {
    fn new() -> Result<Self, String> {
        let root = tempfile::tempdir().map_err(|err| err.to_string())?;
        let seed = Sealed::new(&seed_binary()?)?;
        let shop = Self { root, seed };
        shop.write("seed.yaml", CONTRACT)?;
        Ok(shop)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.seed = self.seed.variable(name, value);
        self
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) -> Test {
        let path = self.path(path);
        let directory = path.parent().ok_or("no directory")?;
        fs::create_dir_all(directory).map_err(|err| err.to_string())?;
        fs::write(&path, text).map_err(|err| err.to_string())?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(|err| err.to_string())
    }

    fn run(&self, arguments: &str) -> Result<Outcome, String> {
        self.seed.run(self.root.path(), arguments.split(' '))
    }

    fn value(&self, key: &str) -> Result<String, String> {
        self.run(&format!("get {key}"))?.success()
    }
}

#[test]
fn values_of_a_file_are_stored_as_they_stand_there() -> Test {
    let shop = Shop::new()?;
    shop.write("values.yaml", "token: 'a b\"c'\nentry: {one: \"x\\ny\"}\n")?;
    shop.write("more.env", "ENTRY__TWO='$z # z' # a comment\nRANDOM=mine\n")?;
    assert_snapshot!(shop.run("apply --values values.yaml --values more.env")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token      created
      + random     created
      + entry#one  created
      + entry#two  created

    Applied: 4 created, 2 optional, 1 not needed.

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
    ---
    [exit status: 0]
    ");
    for (key, value) in [
        ("token", "a b\"c"),
        ("entry#one", "x\ny"),
        ("entry#two", "$z # z"),
        ("random", "mine"),
    ] {
        assert_eq!(shop.value(key)?, value);
    }
    Ok(())
}

#[test]
fn stdin_says_its_format_itself() -> Test {
    let shop = Shop::new()?;
    for (text, value) in [
        ("# dotenv\nexport TOKEN=one\n", "one"),
        ("{\"token\": \"one\"}", "one"),
        ("token: one\n", "one"),
    ] {
        let shop = Shop::new()?;
        shop.write("in", text)?;
        let program = format!(
            "exec \"{}\" apply --values - --quiet < in",
            seed_binary()?.display()
        );
        let shell = Sealed::new(Path::new("/bin/sh"))?;
        let outcome = shell.run(shop.root.path(), ["-c", &program])?;
        assert_eq!(outcome.stderr, "", "{outcome}");
        let kept = shell.run(
            shop.root.path(),
            ["-c", &format!("\"{}\" get token", seed_binary()?.display())],
        )?;
        assert_eq!(kept.success()?, value);
    }
    assert_snapshot!(shop.run("apply --values - --values -")?, @r"
    ---
    error: cannot take the given values; nothing was written
      caused by: `--values -` stands there twice, and stdin can be read only once
    [exit status: 2]
    ");
    Ok(())
}

#[test]
fn a_variable_of_a_key_is_taken_and_said() -> Test {
    let shop = Shop::new()?
        .with("SEED_VALUE_TOKEN", "given by a variable\n")
        .with("SEED_VALUE_ENTRY__ONE", "one")
        .with("SEED_VALUE_TOKE", "never read")
        .with("SEED_VALUE_OFF", "never stored");
    assert_snapshot!(shop.run("plan")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token      the dashboard
      . tls-key    optional: a value from a person or another system
      . other      optional: a value from a person or another system
      - off        not needed: its condition is `false`
      + random     hex 16
      + entry#one  a value from a person or another system
      . entry#two  optional: a value from a person or another system

    Plan: 3 to create, 3 optional, 1 not needed.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    warning: `SEED_VALUE_TOKE` is set, and the contract has no key of this name; did you mean `SEED_VALUE_TOKEN`?
    `token`: would be taken from $SEED_VALUE_TOKEN
    `off`: given, not used (not needed: its condition is `false`)
    `entry#one`: would be taken from $SEED_VALUE_ENTRY__ONE
    [exit status: 0]
    ");
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token      created
      + random     created
      + entry#one  created

    Applied: 3 created, 3 optional, 1 not needed.

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    warning: `SEED_VALUE_TOKE` is set, and the contract has no key of this name; did you mean `SEED_VALUE_TOKEN`?
    `token`: taken from $SEED_VALUE_TOKEN
    `token`: one final line break was removed
    `off`: given, not used (not needed: its condition is `false`)
    `entry#one`: taken from $SEED_VALUE_ENTRY__ONE
    [exit status: 0]
    ");
    assert_eq!(shop.value("token")?, "given by a variable");
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      = token      exists; given, not used
      = entry#one  exists; given, not used

    Applied: 3 exist, 3 optional, 1 not needed.

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    warning: `SEED_VALUE_TOKE` is set, and the contract has no key of this name; did you mean `SEED_VALUE_TOKEN`?
    `off`: given, not used (not needed: its condition is `false`)
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn the_variable_that_the_contract_suggests_is_taken_only_when_named() -> Test {
    let shop = Shop::new()?
        .with("TOKEN", "personal")
        .with("OFF", "never read");
    assert_snapshot!(shop.run("plan")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      ? token      you provide: the dashboard
                   seed set token, or --from-env token ($TOKEN is set)
      . tls-key    optional: a value from a person or another system
      . other      optional: a value from a person or another system
      - off        not needed: its condition is `false`
      + random     hex 16
      . entry#one  optional: a value from a person or another system
      . entry#two  optional: a value from a person or another system

    Plan: 1 to create, 1 for you to provide, 4 optional, 1 not needed.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + random  created

    Applied: 1 created, 1 for you to provide, 4 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        token: the dashboard

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    [exit status: 11]
    ");
    assert_snapshot!(shop.run("apply --from-env all --from-env token")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token  created

    Applied: 1 created, 1 exists, 4 optional, 1 not needed.

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    `token`: taken from $TOKEN (`--from-env`)
    [exit status: 0]
    ");
    assert_eq!(shop.value("token")?, "personal");
    Ok(())
}

#[test]
fn a_suggested_variable_with_nothing_in_it_counts_as_not_set() -> Test {
    assert_snapshot!(Shop::new()?.with("TOKEN", "").run("apply --from-env all")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + random  created

    Applied: 1 created, 1 for you to provide, 4 optional, 1 not needed.

      You still have to provide (`seed set KEY`):
        token: the dashboard

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    no variable that the contract suggests is set
    [exit status: 11]
    ");
    Ok(())
}

#[test]
fn a_file_that_the_contract_names_is_taken_when_it_exists() -> Test {
    let shop = Shop::new()?;
    shop.write("secrets/token", "from a file\r\n")?;
    shop.write("secrets/off", "never read")?;
    let pem = "-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----";
    shop.write("secrets/tls.pem", pem)?;
    assert_snapshot!(shop.run("plan")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token      the dashboard
      + tls-key    a value from a person or another system
      . other      optional: a value from a person or another system
      - off        not needed: its condition is `false`
      + random     hex 16
      . entry#one  optional: a value from a person or another system
      . entry#two  optional: a value from a person or another system

    Plan: 3 to create, 3 optional, 1 not needed.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    `token`: would be taken from `secrets/token` (`provide.file`)
    `tls-key`: would be taken from `secrets/tls.pem` (`provide.file`)
    [exit status: 0]
    ");
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token    created
      + tls-key  created
      + random   created

    Applied: 3 created, 3 optional, 1 not needed.

      You may provide (`seed set KEY`):
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    `token`: taken from `secrets/token` (`provide.file`)
    `token`: one final line break was removed
    `tls-key`: taken from `secrets/tls.pem` (`provide.file`)
    `tls-key`: a final line break was added
    [exit status: 0]
    ");
    assert_eq!(shop.value("token")?, "from a file");
    assert_eq!(shop.value("tls-key")?, format!("{pem}\n"));
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      = token    exists; given, not used
      = tls-key  exists; given, not used

    Applied: 3 exist, 3 optional, 1 not needed.

      You may provide (`seed set KEY`):
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_file_that_the_contract_names_gives_way_and_is_not_opened() -> Test {
    let shop = Shop::new()?.with("SEED_VALUE_TOKEN", "by a variable");
    fs::create_dir(shop.path("secrets")).map_err(|err| err.to_string())?;
    symlink("/nowhere", shop.path("secrets/token")).map_err(|err| err.to_string())?;
    assert_snapshot!(shop.run("apply")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

      + token   created
      + random  created

    Applied: 2 created, 4 optional, 1 not needed.

      You may provide (`seed set KEY`):
        tls-key: a value from a person or another system
        other: a value from a person or another system
        entry#one: a value from a person or another system
        entry#two: a value from a person or another system
    ---
    `token`: taken from $SEED_VALUE_TOKEN
    [exit status: 0]
    ");
    assert_eq!(shop.value("token")?, "by a variable");
    Ok(())
}

#[test]
fn it_is_said_when_others_could_take_the_values() -> Test {
    let shop = Shop::new()?;
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(shop.root.path())
            .args(arguments)
            .output();
        done.map(drop).map_err(|err| err.to_string())
    };
    git(&["init", "--quiet"])?;
    shop.write(".gitignore", "/.seed/\n")?;
    shop.write("values.yaml", "token: x\n")?;
    shop.write("secrets/tls.pem", "hunter2")?;
    git(&["add", "values.yaml"])?;
    let open = Permissions::from_mode(0o640);
    fs::set_permissions(shop.path("secrets/tls.pem"), open).map_err(|err| err.to_string())?;
    assert_snapshot!(shop.run("apply --values values.yaml")?, @r"
    shop · local, file .seed/shop.age                             seed.yaml

    ---
    warning: git tracks `values.yaml`, so its values are in the repository; `git rm --cached values.yaml` takes it out of the next commit
    warning: other users can read `secrets/tls.pem`; `chmod 600 secrets/tls.pem` keeps it to you
    warning: git would take `secrets/tls.pem` into a commit; add the line `/secrets/tls.pem` to .gitignore
    error: the value of `tls-key`, given in `secrets/tls.pem` (`provide.file`), is wrong; nothing was written
      caused by: the value has no PEM block
    [exit status: 2]
    ");
    Ok(())
}

/// A `git` that writes down what it sees, and says that a path is tracked by nobody and ignored.
const FAKE_GIT: &str =
    "#!/bin/sh\nenv >> \"$HOME/seen\"\ncase \"$*\" in *ls-files*) exit 1;; esac\nexit 0\n";

#[test]
fn a_child_sees_no_variable_with_a_value() -> Test {
    let shop = Shop::new()?;
    let bin = shop.path("bin");
    shop.write("bin/git", FAKE_GIT)?;
    fs::set_permissions(bin.join("git"), Permissions::from_mode(0o700))
        .map_err(|err| err.to_string())?;
    fs::create_dir(shop.path(".git")).map_err(|err| err.to_string())?;
    let contract = CONTRACT.replace(
        "targets:",
        "files: {secrets/copy: {text: \"${token}\"}}\ntargets:",
    );
    shop.write("seed.yaml", &contract)?;
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut shop = shop.with("PATH", &path);
    for (name, value) in [
        ("SEED_VALUE_TOKEN", "hunter2-by-variable"),
        ("TOKEN", "hunter2-suggested"),
        ("VAULT_TOKEN", "hunter2-of-a-backend"),
        ("GIT_DIR", "/nowhere"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("XDG_CONFIG_HOME", "/nowhere"),
    ] {
        shop = shop.with(name, value);
    }
    let outcome = shop.run("apply")?;
    assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    let seen = fs::read_to_string(shop.seed.home().join("seen")).map_err(|err| err.to_string())?;
    let mut names: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    // The shell that runs the script sets `PWD`, `SHLVL` and `_` itself.
    names.retain(|name| !["_", "OLDPWD", "PWD", "SHLVL"].contains(name));
    assert_eq!(
        names,
        ["GIT_CONFIG_GLOBAL", "HOME", "PATH", "XDG_CONFIG_HOME"]
    );
    assert!(!seen.contains("hunter2"));
    Ok(())
}

#[test]
fn a_file_for_a_key_that_is_not_selected_is_not_opened() -> Test {
    let shop = Shop::new()?;
    shop.write("secrets/tls.pem", "")?;
    assert_snapshot!(shop.run("apply --no-input --only token")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

    Applied: 1 for you to provide, 6 not selected.

      You still have to provide (`seed set KEY`):
        token: the dashboard
    ---
    [exit status: 11]
    ");
    assert_snapshot!(shop.run("plan --only token")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      ? token  you provide: the dashboard

    Plan: 1 for you to provide, 6 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_given_value_that_the_run_is_not_about_is_said_not_to_be_used() -> Test {
    let shop = Shop::new()?.with("SEED_VALUE_TOKEN", "given by a variable");
    assert_snapshot!(shop.run("plan --only random")?, @"
    shop · local, file .seed/shop.age                             seed.yaml

      + random  hex 16

    Plan: 1 to create, 6 not selected.
    local is atomic: the backend itself refuses to write over what exists, whoever writes; not guaranteed: which of several runs makes a value.
    ---
    `token`: given, not used (not selected)
    [exit status: 0]
    ");
    Ok(())
}
