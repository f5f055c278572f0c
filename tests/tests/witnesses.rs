//! Programs that people use accept the hashes that `seed` stores.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use seed_tests::workspace::{PLATFORM, Workspace};

type Test = Result<(), String>;

#[test]
#[ignore = "asks htpasswd and Python's bcrypt: make e2e"]
fn the_hash_of_the_platforms_administrator_is_accepted() -> Test {
    let workspace = Workspace::new()?;
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok"))?
        .success()?;
    let password = text(&workspace, PLATFORM, "dex-admin-password")?;
    let hash = text(&workspace, PLATFORM, "dex-admin-hash")?;
    assert!(
        hash.starts_with("$2a$10$"),
        "not the version and cost that Dex wants"
    );
    let copy = workspace.read("secrets/dex-admin-password")?;
    assert!(
        copy == format!("{password}\n"),
        "the operator's copy is another password"
    );
    accepted(&workspace, &hash, &password)
}

#[test]
#[ignore = "asks htpasswd and Python's bcrypt: make e2e"]
fn every_version_of_the_hash_is_accepted() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", VERSIONS)?;
    workspace.seed("apply")?.success()?;
    for version in ["2a", "2b", "2y"] {
        let password = text(&workspace, "", "password")?;
        let hash = text(&workspace, "", &format!("hash-{version}"))?;
        assert!(
            hash.starts_with(&format!("${version}$05$")),
            "not version {version}"
        );
        accepted(&workspace, &hash, &password)?;
    }
    Ok(())
}

const VERSIONS: &str = "\
version: 1
name: versions
backend: local
secrets:
  password: {generate: {alnum: 20}}
  hash-2a: {derive: {bcrypt: {of: password, cost: 5, version: 2a}}}
  hash-2b: {derive: {bcrypt: {of: password, cost: 5, version: 2b}}}
  hash-2y: {derive: {bcrypt: {of: password, cost: 5, version: 2y}}}
  htpasswd: {derive: {htpasswd: {user: admin, of: password}}}
";

#[test]
#[ignore = "asks htpasswd and Python's bcrypt: make e2e"]
fn a_line_of_a_password_file_is_accepted_as_it_is() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", VERSIONS)?;
    workspace.seed("apply")?.success()?;
    let password = text(&workspace, "", "password")?;
    let line = text(&workspace, "", "htpasswd")?;
    let (user, hash) = line
        .trim_end()
        .split_once(':')
        .ok_or("a line without a user")?;
    assert_eq!(user, "admin");
    workspace.write("line", &line)?;
    let file = workspace.root().join("line");
    assert!(htpasswd(&file, &password)?, "htpasswd refuses the password");
    assert!(!htpasswd(&file, "another")?, "htpasswd takes any password");
    accepted(&workspace, hash, &password)
}

fn text(workspace: &Workspace, contract: &str, key: &str) -> Result<String, String> {
    String::from_utf8(workspace.value(contract, key)?).map_err(|err| err.to_string())
}

/// Requires that each witness accepts the password, and refuses others.
fn accepted(workspace: &Workspace, hash: &str, password: &str) -> Test {
    workspace.write("passwords", &format!("admin:{hash}\n"))?;
    let file = workspace.root().join("passwords");
    assert!(htpasswd(&file, password)?, "htpasswd refuses the password");
    assert!(
        python(hash, password)?,
        "Python's bcrypt refuses the password"
    );
    for another in ["another", "", password.get(1..).unwrap_or_default()] {
        assert!(
            !htpasswd(&file, another)?,
            "htpasswd takes another password"
        );
        assert!(
            !python(hash, another)?,
            "Python's bcrypt takes another password"
        );
    }
    Ok(())
}

/// Asks whether `admin` has this password. 3 is its answer to a wrong one; all else is an error.
fn htpasswd(file: &Path, password: &str) -> Result<bool, String> {
    let file = file.as_os_str();
    let arguments = ["-vb".as_ref(), file, "admin".as_ref(), password.as_ref()];
    answer(Command::new("htpasswd").args(arguments), 3)
}

fn python(hash: &str, password: &str) -> Result<bool, String> {
    let script = "import bcrypt, sys\n\
                  password, hash = (text.encode() for text in sys.argv[1:])\n\
                  sys.exit(0 if bcrypt.checkpw(password, hash) else 9)";
    answer(
        Command::new("python").args(["-c", script, password, hash]),
        9,
    )
}

/// Runs a witness that says yes with 0 and no with another code.
fn answer(command: &mut Command, no: i32) -> Result<bool, String> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|err| format!("{}: {err}", program.display()))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(code) if code == no => Ok(false),
        _ => Err(format!(
            "{} ended with {}: {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
