//! What needs no backend opens nothing but what it is given, and asks nobody.

use insta::assert_snapshot;
use seed_tests::cli::Sealed;
use seed_tests::workspace::{PLATFORM, Workspace};

type Test = Result<(), String>;

/// A contract that names files which these commands have no business with.
const SHOP: &str = "\
version: 1
name: shop
config: {files: [\"facts/${env}.yaml\"]}
backend: vault
backends:
  vault: {address: \"https://vault.example.com\", prefix: \"${env}/\"}
  local: {file: \"store/${env}.age\"}
store: {kind: ClusterSecretStore, name: store}
secrets:
  password: {generate: {hex: 16}}
  hash: {derive: {bcrypt: {of: password, cost: 4}}}
  token:
    provide:
      how: |
        1. open the console
        2. copy the token
      env: SHOP_TOKEN
      file: given/token
  hint: {provide: {how: ask, file: given/hint}, optional: true}
targets:
  shop/db: {data: {password: \"${password}\", hash: \"${hash}\"}}
  shop/token: {data: {token: \"${token}\"}}
files:
  secrets/password: {text: \"${password}\"}
";

/// The contract, and values in the local store.
fn shop() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", SHOP)?;
    workspace.write("facts/dev.yaml", "domain: example.com\n")?;
    let applied = workspace.seed("apply --env dev --backend local --missing-ok")?;
    applied.success()?;
    assert!(workspace.root().join("store/dev.age").exists());
    assert!(workspace.root().join("secrets/password").exists());
    Ok(workspace)
}

/// The same with every file that the contract names.
fn whole_shop() -> Result<Workspace, String> {
    let workspace = shop()?;
    workspace.write("given/token", "token")?;
    workspace.write("given/hint", "hint")?;
    Ok(workspace)
}

/// Every command that promises to read nothing but the contract and the facts.
const COMMANDS: [&str; 11] = [
    "check",
    "check --env dev --all-backends",
    "check --env dev --format json",
    "emit --env dev",
    "emit --env dev --backend local --format json",
    "schema",
    "plan --env dev --offline",
    "plan --env dev --offline --backend local",
    "plan --env dev --offline --backend local --format json",
    "plan --env dev --offline --format markdown",
    "plan --env dev --offline --config facts/dev.yaml",
];

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_opened_but_the_contract_and_the_facts() -> Test {
    use std::collections::BTreeSet;

    use seed_tests::watch::Watch;

    let workspace = whole_shop()?;
    let watch = Watch::over(&[(workspace.root(), "$ROOT"), (workspace.home(), "$HOME")])?;
    for command in COMMANDS {
        workspace.seed(command)?.success()?;
        let wanted: &[&str] = match command.split(' ').collect::<Vec<_>>().as_slice() {
            ["schema", ..] => &[],
            ["check"] => &["$ROOT/seed.yaml"],
            _ => &["$ROOT/facts/dev.yaml", "$ROOT/seed.yaml"],
        };
        let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
        assert_eq!(watch.opened()?, wanted, "{command}");
    }
    // The witness sees what others open.
    workspace
        .seed("plan --env dev --backend local")?
        .success()?;
    let opened = watch.opened()?;
    assert!(opened.contains("$ROOT/store/dev.age"), "{opened:?}");
    assert!(
        opened.contains("$HOME/.config/seed/identity.txt"),
        "{opened:?}"
    );
    Ok(())
}

#[test]
#[cfg(target_os = "linux")]
fn writing_manifests_opens_nothing_else_but_their_directory() -> Test {
    use seed_tests::watch::Watch;

    let workspace = whole_shop()?;
    let watch = Watch::over(&[(workspace.root(), "$ROOT"), (workspace.home(), "$HOME")])?;
    for command in [
        "emit --env dev --out out",
        "emit --env dev --out out --prune",
    ] {
        workspace.seed(command)?.success()?;
        let allowed = |path: &String| {
            ["$ROOT", "$ROOT/seed.yaml", "$ROOT/facts/dev.yaml"].contains(&path.as_str())
                || path.starts_with("$ROOT/out")
        };
        let opened = watch.opened()?;
        assert!(opened.contains("$ROOT/seed.yaml"), "{opened:?}");
        assert!(opened.iter().all(allowed), "{command}: {opened:?}");
    }
    Ok(())
}

/// What the loader and the runtime of any program in Rust open: shared libraries and their index, and, for the guard of
/// the stack, the map of the process's own memory. No configuration, no name service, no certificates, no locale.
fn is_of_the_system(path: &str) -> bool {
    let library = ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"]
        .iter()
        .any(|directory| path.starts_with(directory))
        && path.contains(".so");
    library || path == "/etc/ld.so.cache" || path == "/proc/self/maps"
}

/// Calls that look up, open, make, rename or remove files. Nothing in this list reaches another machine or process.
const FILE_CALLS: [&str; 25] = [
    "access",
    "chmod",
    "execve",
    "faccessat",
    "faccessat2",
    "fchmodat",
    "getcwd",
    "link",
    "linkat",
    "lstat",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "stat",
    "statx",
    "unlink",
    "unlinkat",
];

/// What a program did, as the kernel saw it.
struct Traced {
    calls: std::collections::BTreeSet<String>,
    opened: std::collections::BTreeSet<String>,
}

/// Runs a program under strace, which must be found.
fn traced(workspace: &Workspace, command: &[&str]) -> Result<Traced, String> {
    let trace = workspace.home().join("trace");
    let strace = Sealed::new("/usr/bin/env".as_ref())?.variable("HOME", workspace.home());
    let output = trace.display().to_string();
    let filter = "trace=%network,%file,io_uring_setup";
    let words = ["strace", "-f", "-s", "4096", "-o", &output, "-e", filter];
    let words = words.iter().chain(command);
    strace.run(workspace.root(), words)?.success()?;
    let text = std::fs::read_to_string(&trace).map_err(|err| err.to_string())?;
    let mut found = Traced {
        calls: std::collections::BTreeSet::new(),
        opened: std::collections::BTreeSet::new(),
    };
    for line in text.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let Some((call, rest)) = line.split_once('(') else {
            continue;
        };
        found.calls.insert(call.to_owned());
        let failed = rest.contains(" = -1 E");
        if call.starts_with("open") && !failed {
            let path = rest.split('"').nth(1).unwrap_or_default();
            found.opened.insert(path.to_owned());
        }
    }
    Ok(found)
}

#[test]
#[ignore = "asks strace: make e2e"]
fn the_kernel_sees_no_socket_and_no_other_file() -> Test {
    let workspace = whole_shop()?;
    let seed = seed_tests::binary::seed_binary()?.display().to_string();
    let writing = [
        "emit --env dev --out out",
        "emit --env dev --out out --prune",
        "emit --env dev --check out",
    ];
    for command in COMMANDS.iter().chain(&writing) {
        let words: Vec<&str> = [seed.as_str()]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        let found = traced(&workspace, &words)?;
        let others: Vec<&String> = found
            .calls
            .iter()
            .filter(|call| !FILE_CALLS.contains(&call.as_str()))
            .collect();
        assert!(others.is_empty(), "{command}: {others:?}");
        let is_named = |path: &str| {
            let out = command.contains(" out") && (path == "out" || path.starts_with("out/"));
            out || ["seed.yaml", "facts/dev.yaml"].contains(&path)
        };
        let others: Vec<&String> = found
            .opened
            .iter()
            // Below an open directory, names have no path of their own.
            .filter(|path| !is_of_the_system(path) && !is_named(path))
            .collect();
        assert!(others.is_empty(), "{command}: {others:?}");
        let reads = *command != "schema";
        assert_eq!(found.opened.contains("seed.yaml"), reads, "{command}");
    }
    Ok(())
}

/// The witness sees what it has to see, where it is there.
#[test]
#[ignore = "asks strace: make e2e"]
fn the_kernel_sees_stores_and_sockets_of_others() -> Test {
    let workspace = whole_shop()?;
    let seed = seed_tests::binary::seed_binary()?.display().to_string();
    let found = traced(
        &workspace,
        &[&seed, "plan", "--env", "dev", "--backend", "local"],
    )?;
    assert!(found.opened.contains("store/dev.age"), "{:?}", found.opened);
    let identity = workspace.home().join(".config/seed/identity.txt");
    let identity = identity.display().to_string();
    assert!(found.opened.contains(&identity), "{:?}", found.opened);
    let found = traced(&workspace, &["bash", "-c", "exec 3<>/dev/udp/127.0.0.1/9"])?;
    assert!(
        found.calls.contains("socket") && found.calls.contains("connect"),
        "{:?}",
        found.calls
    );
    Ok(())
}

/// Neither a home, nor a directory for an identity, nor the variables that the contract suggests change anything.
#[test]
fn no_variable_but_our_own_is_looked_at() -> Test {
    let workspace = shop()?;
    let bare = Sealed::new(&seed_tests::binary::seed_binary()?)?;
    let changed = Sealed::new(&seed_tests::binary::seed_binary()?)?
        .variable("HOME", "/nowhere/at/all")
        .variable("XDG_CONFIG_HOME", workspace.root().join("seed.yaml"))
        .variable("SHOP_TOKEN", "from-the-environment")
        .variable("VAULT_ADDR", "https://another.example.com")
        .variable("VAULT_TOKEN", "token-of-the-environment");
    for command in COMMANDS {
        let run = |sealed: &Sealed| sealed.run(workspace.root(), command.split(' '));
        let (bare, changed) = (run(&bare)?, run(&changed)?);
        assert_eq!(bare.to_string(), changed.to_string());
        bare.success()?;
    }
    let by_variable = Sealed::new(&seed_tests::binary::seed_binary()?)?.variable("SEED_ENV", "dev");
    let named = by_variable.run(workspace.root(), ["plan", "--offline"])?;
    let given = bare.run(workspace.root(), ["plan", "--offline", "--env", "dev"])?;
    assert_eq!(named.to_string(), given.to_string());
    Ok(())
}

#[test]
fn a_plan_without_a_backend_says_that_it_asked_none() -> Test {
    let workspace = shop()?;
    assert_snapshot!(workspace.seed("plan --env dev --offline")?, @"
    shop · env dev · offline, as if nothing existed yet           seed.yaml

      + password  hex 16  (copy in secrets/password)
      + hash      bcrypt of password
      ? token     you provide: 1. open the console
                  2. copy the token
      . hint      optional: ask

    Plan: 2 to create, 1 for you to provide, 1 optional.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(workspace.seed("plan --env dev --offline --format markdown")?, @"
    ## Secrets of <code>shop</code> for <code>dev</code>

    Plan: 2 to create, 1 for you to provide, 1 optional.
    No backend was asked: this is what would happen if nothing existed yet.

    | | Key | What happens | How, or why |
    | --- | --- | --- | --- |
    | `+` | <code>password</code> | is created | <code>hex 16</code>, copy in <code>secrets/password</code> |
    | `+` | <code>hash</code> | is created | <code>bcrypt of password</code> |
    | `?` | <code>token</code> | you provide it | <code>1&#46; open the console 2&#46; copy the token</code> |
    | `.` | <code>hint</code> | optional | <code>ask</code> |

    You provide:

    * <code>token</code>: <code>1&#46; open the console 2&#46; copy the token</code>

    You may provide:

    * <code>hint</code>: <code>ask</code>
    ---
    [exit status: 0]
    ");
    let plan = workspace.json("plan --env dev --offline --format json")?;
    assert_eq!(plan["offline"], true);
    assert_snapshot!(format!("{:#}", plan["backends"]), @r#"
    [
      {
        "name": "vault",
        "kind": "vault",
        "place": null,
        "identity": null,
        "create": null,
        "guaranteed": null,
        "not_guaranteed": null
      }
    ]
    "#);
    assert_snapshot!(format!("{:#}", plan["steps"][0]), @r#"
    {
      "key": "password",
      "backend": "vault",
      "name": "dev/password",
      "state": null,
      "action": "create",
      "source": "hex 16",
      "description": null,
      "files": [
        "secrets/password"
      ]
    }
    "#);
    assert_no_state(&plan)
}

fn assert_no_state(plan: &serde_json::Value) -> Test {
    let steps = plan["steps"].as_array().ok_or("no steps")?;
    assert!(steps.iter().all(|step| step["state"].is_null()), "{plan:#}");
    Ok(())
}

#[test]
fn a_plan_that_asked_is_told_in_markdown_too() -> Test {
    let workspace = shop()?;
    let asked = workspace.json("plan --env dev --backend local --format json")?;
    assert_eq!(asked["offline"], false);
    assert_eq!(asked["steps"][0]["state"], "present");
    assert_snapshot!(workspace.seed("plan --env dev --backend local --format markdown")?, @"
    ## Secrets of <code>shop</code> for <code>dev</code>

    Plan: 1 for you to provide, 2 exist, 1 optional.
    Asked: local, <code>file store/dev&#46;age</code> (atomic).

    | | Key | What happens | How, or why |
    | --- | --- | --- | --- |
    | `=` | <code>password</code> | exists |  |
    | `=` | <code>hash</code> | exists |  |
    | `?` | <code>token</code> | you provide it | <code>1&#46; open the console 2&#46; copy the token</code> |
    | `.` | <code>hint</code> | optional | <code>ask</code> |

    You provide:

    * <code>token</code>: <code>1&#46; open the console 2&#46; copy the token</code>

    You may provide:

    * <code>hint</code>: <code>ask</code>
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn several_lines_of_a_contract_hang_below_their_key() -> Test {
    let workspace = shop()?;
    let outcome = workspace.seed("apply --env dev --backend local")?;
    assert_snapshot!(outcome, @"
    shop · env dev · local, file store/dev.age                    seed.yaml

    Applied: 2 exist, 1 for you to provide, 1 optional.

      You still have to provide (`seed set KEY`):
        token: 1. open the console
          2. copy the token

      You may provide (`seed set KEY`):
        hint: ask

      Files:
        secrets/password: unchanged
    ---
    [exit status: 11]
    ");
    Ok(())
}

#[test]
fn flags_about_looking_make_no_sense_without_it() -> Test {
    let workspace = Workspace::new()?;
    for flag in ["--quick", "--no-read", "--exit-code"] {
        let outcome = workspace.seed(&format!("plan {PLATFORM} --offline {flag}"))?;
        assert_eq!(outcome.status.code(), Some(2), "{outcome}");
        let message = format!("the argument '--offline' cannot be used with '{flag}'");
        assert!(outcome.stderr.contains(&message), "{outcome}");
    }
    Ok(())
}
