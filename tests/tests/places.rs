//! Where values are kept on disk: places that are refused, places that are full, and what is said about them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use seed_tests::store;
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

const CONTRACT: &str = "\
version: 1
name: places
backend: local
backends: {local: {file: .seed/places.age}}
secrets:
  password: {generate: {hex: 16}}
files:
  secrets/deep/password: {text: \"${password}\\n\"}
";

fn workspace() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", CONTRACT)?;
    Ok(workspace)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn failed(err: std::io::Error) -> String {
    err.to_string()
}

#[test]
fn a_file_is_not_written_through_a_symbolic_link() -> Test {
    for link in ["secrets", "secrets/deep", "secrets/deep/password"] {
        let workspace = workspace()?;
        let elsewhere = tempfile::tempdir().map_err(failed)?;
        let target = elsewhere.path().join("target");
        if link.ends_with("password") {
            fs::write(&target, "theirs").map_err(failed)?;
        } else {
            fs::create_dir_all(target.join("deep")).map_err(failed)?;
        }
        let path = workspace.root().join(link);
        fs::create_dir_all(path.parent().ok_or("no parent")?).map_err(failed)?;
        symlink(&target, &path).map_err(failed)?;
        let outcome = workspace.seed("apply")?;
        assert_eq!(outcome.status.code(), Some(4), "{outcome}");
        assert!(
            outcome
                .stderr
                .contains("is a symbolic link, which is not followed"),
            "{outcome}"
        );
        if link.ends_with("password") {
            assert_eq!(fs::read_to_string(&target).map_err(failed)?, "theirs");
        } else {
            assert!(!target.join("password").exists() && !target.join("deep/password").exists());
        }
    }
    Ok(())
}

#[test]
fn a_root_behind_a_symbolic_link_is_as_good_as_any() -> Test {
    let workspace = workspace()?;
    let link = workspace.home().join("link");
    symlink(workspace.root(), &link).map_err(failed)?;
    let git = Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(workspace.root())
        .status();
    assert!(git.map_err(failed)?.success());
    let outcome = workspace.sealed().run(&link, ["apply"])?;
    assert!(
        outcome
            .stderr
            .contains("add the line `/secrets/deep/password` to .gitignore"),
        "{outcome}"
    );
    workspace.write(".gitignore", "/secrets/deep/password\n/.seed/\n")?;
    workspace.sealed().run(&link, ["apply"])?.success()?;
    assert!(workspace.root().join("secrets/deep/password").exists());
    Ok(())
}

#[test]
fn without_git_nothing_is_written_into_a_work_tree() -> Test {
    let workspace = workspace()?;
    fs::create_dir(workspace.root().join(".git")).map_err(failed)?;
    let sealed = Sealed::new(&seed_binary()?)?.variable("PATH", "/nonexistent");
    assert_snapshot!(sealed.run(workspace.root(), ["apply"])?, @"
    ---
    error: `secrets/deep/password` would hold secret values
    hint: it lies in a git work tree, and git cannot be asked whether it would take it (No such file or directory (os error 2)); install git
    [exit status: 2]
    ");
    assert!(!workspace.root().join(".seed").exists());
    Ok(())
}

#[test]
fn a_store_below_a_linked_directory_is_used() -> Test {
    let workspace = workspace()?;
    let elsewhere = tempfile::tempdir().map_err(failed)?;
    symlink(elsewhere.path(), workspace.root().join(".seed")).map_err(failed)?;
    workspace.seed("apply")?.success()?;
    let identity = workspace.home().join(".config/seed/identity.txt");
    assert_eq!(
        store::values(&elsewhere.path().join("places.age"), &identity)?.len(),
        1
    );
    Ok(())
}

#[test]
fn what_is_no_store_is_never_taken_for_an_empty_one() -> Test {
    let workspace = workspace()?;
    workspace.seed("apply")?.success()?;
    let path = workspace.root().join(".seed/places.age");
    let identity = fs::read(workspace.home().join(".config/seed/identity.txt")).map_err(failed)?;
    let whole = fs::read(&path).map_err(failed)?;
    let half = whole.get(..whole.len() / 2).unwrap_or_default();
    for content in [b"".as_slice(), b"some notes\n", half, &identity] {
        fs::write(&path, content).map_err(failed)?;
        for command in ["plan", "apply", "get password", "files"] {
            let outcome = workspace.seed(command)?;
            assert_ne!(outcome.status.code(), Some(0), "{outcome}");
            let told = "the store `.seed/places.age` cannot be understood: it is cut short, changed, or not a store of seed";
            assert!(outcome.stderr.contains(told), "{outcome}");
            assert!(
                fs::read(&path).map_err(failed)? == content,
                "{command} changed it"
            );
        }
    }
    Ok(())
}

#[test]
fn a_lock_file_that_is_not_ours_alone_is_refused() -> Test {
    let workspace = workspace()?;
    workspace.seed("apply")?.success()?;
    let lock = workspace.root().join(".seed/places.age.lock");
    let grown = CONTRACT.replace("secrets:\n", "secrets:\n  more: {generate: uuid}\n");
    workspace.write("seed.yaml", &grown)?;
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o666)).map_err(failed)?;
    assert_snapshot!(workspace.seed("apply")?, @"
    places · local, file .seed/places.age                         seed.yaml

      ! more  failed: create `more`: `.seed/places.age.lock` can be read or changed by others (mode 666); run `chmod 600` on it

    Applied: 1 exists, 1 failed.

      Files:
        secrets/deep/password: unchanged
    ---
    [exit status: 1]
    ");
    fs::remove_file(&lock).map_err(failed)?;
    symlink("/dev/null", &lock).map_err(failed)?;
    assert_snapshot!(workspace.seed("apply")?, @"
    places · local, file .seed/places.age                         seed.yaml

      ! more  failed: create `more`: `.seed/places.age.lock` is a symbolic link; give the path of the file itself

    Applied: 1 exists, 1 failed.

      Files:
        secrets/deep/password: unchanged
    ---
    [exit status: 1]
    ");
    // One that is missing is made.
    fs::remove_file(&lock).map_err(failed)?;
    workspace.seed("apply")?.success()?;
    Ok(())
}

/// Runs `seed` where no file can grow beyond so many blocks of 512 bytes.
fn on_a_full_disk(workspace: &Workspace, blocks: u32, command: &str) -> Result<Outcome, String> {
    let sealed = Sealed::new(Path::new("/bin/sh"))?.variable("HOME", workspace.home());
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {command}");
    let binary = seed_binary()?.display().to_string();
    sealed.run(workspace.root(), ["-c", &script, &binary])
}

#[test]
fn a_full_disk_costs_nothing_that_was_stored() -> Test {
    let workspace = workspace()?;
    workspace.seed("apply")?.success()?;
    let path = workspace.root().join(".seed/places.age");
    let before = fs::read(&path).map_err(failed)?;
    let more: String = (0..40)
        .map(|n| format!("  more-{n}: {{generate: {{hex: 16}}}}\n"))
        .collect();
    workspace.write(
        "seed.yaml",
        &CONTRACT.replace("secrets:\n", &format!("secrets:\n{more}")),
    )?;
    let outcome = on_a_full_disk(&workspace, 1, "apply")?;
    assert_eq!(outcome.status.code(), Some(1), "{outcome}");
    assert!(
        outcome.stdout.contains("cannot write `.seed/places.age`"),
        "{outcome}"
    );
    assert!(
        fs::read(&path).map_err(failed)? == before,
        "the store changed"
    );
    let left = fs::read_dir(workspace.root().join(".seed")).map_err(failed)?;
    assert_eq!(left.count(), 2, "a draft is left");
    workspace.seed("apply")?.success()?;
    Ok(())
}

#[test]
fn a_full_disk_leaves_no_half_of_a_file() -> Test {
    let workspace = workspace()?;
    let leaves: String = (0..40)
        .map(|n| format!("      v{n}: \"${{password}}\"\n"))
        .collect();
    workspace.write(
        "seed.yaml",
        &format!("{CONTRACT}  secrets/large:\n    yaml:\n{leaves}"),
    )?;
    let outcome = on_a_full_disk(&workspace, 2, "apply")?;
    assert_eq!(outcome.status.code(), Some(4), "{outcome}");
    assert!(outcome.stderr.contains("secrets/large"), "{outcome}");
    let left = fs::read_dir(workspace.root().join("secrets")).map_err(failed)?;
    assert_eq!(left.count(), 1, "more than the other file is left");
    workspace.seed("apply")?.success()?;
    Ok(())
}
