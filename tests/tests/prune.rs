//! `seed emit --prune` removes what this contract wrote and writes no more, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use seed_tests::workspace::{Workspace, changed};

type Test = Result<(), String>;

const EMIT: &str = "emit -c contracts/minimal.yaml --out out";

#[test]
fn what_is_no_longer_wanted_is_removed_with_its_directory() -> Test {
    let workspace = Workspace::new()?;
    workspace.seed(EMIT)?.success()?;
    let manifest = workspace.read("out/shop/shop-db.yaml")?;
    workspace.write("out/shop/old.yaml", &manifest)?;
    workspace.write("out/gone/old.yaml", &manifest)?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(EMIT)?, @"
    ---
    1 manifest and kustomization.yaml in out: 0 written, 2 unchanged.
      gone/old.yaml is ours and no longer wanted; `--prune` removes it.
      shop/old.yaml is ours and no longer wanted; `--prune` removes it.
    [exit status: 0]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    assert_snapshot!(workspace.seed(&format!("{EMIT} --prune"))?, @"
    ---
    1 manifest and kustomization.yaml in out: 0 written, 2 unchanged.
      removed: gone/old.yaml
      removed: shop/old.yaml
    [exit status: 0]
    ");
    assert_eq!(
        changed(&before, &workspace.files()?),
        [
            "$ROOT/out",
            "$ROOT/out/gone",
            "$ROOT/out/gone/old.yaml",
            "$ROOT/out/shop",
            "$ROOT/out/shop/old.yaml"
        ]
    );
    assert_snapshot!(workspace.seed("emit -c contracts/minimal.yaml --check out")?, @"
    ---
    out is up to date.
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn a_target_that_is_dropped_leaves_the_kustomization_right() -> Test {
    let workspace = Workspace::new()?;
    let contract = "version: 1\nname: two\nbackend: vault\nbackends: {vault: {address: \"https://vault.example.com\"}}\n\
                    store: {kind: ClusterSecretStore, name: store}\nsecrets: {a: {generate: {hex: 8}}}\n\
                    targets:\n  one/a: {data: {a: \"${a}\"}}\n  two/a: {data: {a: \"${a}\"}}\n";
    workspace.write("seed.yaml", contract)?;
    workspace.seed("emit --out out")?.success()?;
    let fewer = contract.replace("  two/a: {data: {a: \"${a}\"}}\n", "");
    workspace.write("seed.yaml", &fewer)?;
    workspace.seed("emit --out out --prune")?.success()?;
    assert!(!workspace.root().join("out/two").exists());
    let kustomization = workspace.read("out/kustomization.yaml")?;
    assert!(
        kustomization.ends_with("resources:\n  - one/a.yaml\n"),
        "{kustomization}"
    );
    Ok(())
}

/// Each of these looks like a stale manifest, and is none.
#[test]
fn nothing_else_is_removed() -> Test {
    let workspace = Workspace::new()?;
    workspace.seed(EMIT)?.success()?;
    let manifest = workspace.read("out/shop/shop-db.yaml")?;
    let kustomization = workspace.read("out/kustomization.yaml")?;
    let other = manifest.replace("contract shop", "contract shop-two");
    assert!(other != manifest);
    for (path, text) in [
        ("out/shop/mine.yaml", "kind: mine\n"),
        ("out/shop/of-another-contract.yaml", &other),
        ("out/shop/of-another-environment.json", &manifest),
        ("out/top.yaml", &manifest),
        ("out/deep/er/old.yaml", &manifest),
        ("out/ai-dev/kustomization.yaml", &kustomization),
        ("elsewhere/old.yaml", &manifest),
    ] {
        workspace.write(path, text)?;
    }
    let link = |to: &str, from: &str| {
        symlink(workspace.root().join(to), workspace.root().join(from))
            .map_err(|err| err.to_string())
    };
    link("elsewhere", "out/linked")?;
    link("elsewhere/old.yaml", "out/shop/linked.yaml")?;
    fs::create_dir(workspace.root().join("out/empty")).map_err(|err| err.to_string())?;
    let before = workspace.files()?;
    assert_snapshot!(workspace.seed(&format!("{EMIT} --prune"))?, @"
    ---
    1 manifest and kustomization.yaml in out: 0 written, 2 unchanged.
    [exit status: 0]
    ");
    assert_eq!(changed(&before, &workspace.files()?), [""; 0]);
    Ok(())
}

#[test]
fn a_directory_is_needed() -> Test {
    let workspace = Workspace::new()?;
    assert_snapshot!(workspace.seed("emit -c contracts/minimal.yaml --prune")?, @"
    ---
    error: the following required arguments were not provided:
      --out <DIR>

    Usage: seed emit --out <DIR> --contract <FILE> --prune

    For more information, try '--help'.
    [exit status: 2]
    ");
    Ok(())
}
