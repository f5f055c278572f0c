//! `make install` puts the program, its completions and its manual pages where they are looked for,
//! and `make uninstall` leaves nothing behind.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use seed_tests::help;
use seed_tests::shared::repository;
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

#[test]
fn what_is_installed_can_be_used_and_removed() -> Test {
    let directory = tempfile::tempdir().map_err(|err| err.to_string())?;
    let stage = directory.path().join("a stage");
    make("install", &stage)?.success()?;
    let found = files(&stage)?;
    let commands = help::all(&Workspace::new()?)?;
    let mut wanted: BTreeMap<String, u32> = commands
        .iter()
        .map(|help| format!("seed {}", help.command).trim().replace(' ', "-"))
        .map(|page| (format!("opt/seed/share/man/man1/{page}.1"), 0o644))
        .collect();
    for (path, mode) in [
        ("opt/seed/bin/seed", 0o755),
        ("opt/seed/share/bash-completion/completions/seed", 0o644),
        ("opt/seed/share/fish/vendor_completions.d/seed.fish", 0o644),
        ("opt/seed/share/zsh/site-functions/_seed", 0o644),
    ] {
        wanted.insert(path.to_owned(), mode);
    }
    assert_eq!(found, wanted);
    let installed = Sealed::new(&stage.join("opt/seed/bin/seed"))?;
    let version = installed.run(directory.path(), ["--version"])?.success()?;
    assert!(version.starts_with("seed "), "{version}");

    fs::write(stage.join("opt/seed/share/man/man1/seed-other.1"), "")
        .map_err(|err| err.to_string())?;
    make("uninstall", &stage)?.success()?;
    let left: Vec<String> = files(&stage)?.into_keys().collect();
    assert_eq!(left, ["opt/seed/share/man/man1/seed-other.1"]);
    Ok(())
}

/// A careful umask of whoever installs must not make pages that nobody else can read.
fn make(target: &str, stage: &Path) -> Result<Outcome, String> {
    let shell = Sealed::new(Path::new("/bin/sh"))?
        .variable("STAGE", stage)
        .variable("SEED", seed_binary()?);
    let line = format!(
        "umask 077; make --silent {target} DESTDIR=\"$STAGE\" PREFIX=/opt/seed PROGRAM=\"$SEED\""
    );
    shell.run(&repository()?, ["-c", &line])
}

/// Every plain file and its permissions.
fn files(directory: &Path) -> Result<BTreeMap<String, u32>, String> {
    let mut found = BTreeMap::new();
    collect(directory, directory, &mut found).map_err(|err| err.to_string())?;
    Ok(found)
}

fn collect(top: &Path, directory: &Path, found: &mut BTreeMap<String, u32>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(top, &path, found)?;
        } else {
            let below = path.strip_prefix(top).unwrap_or(&path);
            let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
            found.insert(below.display().to_string(), mode);
        }
    }
    Ok(())
}
