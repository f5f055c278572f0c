//! Programs that people use accept the hashes that `seed` stores, and read the files that it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use seed_tests::cli::Sealed;
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

#[test]
#[ignore = "asks bash, Python's dotenv and Node: make e2e"]
fn every_reader_of_a_dotenv_file_takes_the_same_values() -> Test {
    let values: Vec<String> = texts().filter(|text| all_take(text)).take(120).collect();
    assert_eq!(values.len(), 120);
    let workspace = with_file("dotenv", &values)?;
    let file = workspace.root().join("secrets/file").display().to_string();
    let bash = "set -a; . \"$1\"; exec env -0";
    let python = "import dotenv, sys\n\
                  for item in dotenv.dotenv_values(sys.argv[1]).items(): print('%s=%s' % item, end='\\0')";
    let node = "const read = require('util').parseEnv(require('fs').readFileSync(process.argv[1], 'utf8'));\n\
                for (const [name, value] of Object.entries(read)) process.stdout.write(`${name}=${value}\\0`)";
    for (reader, arguments) in [
        ("bash", vec!["-c", bash, "bash", &file]),
        ("python", vec!["-c", python, &file]),
        ("node", vec!["-e", node, &file]),
    ] {
        let said = said(reader, &arguments)?;
        let read: BTreeMap<&str, &str> = said
            .split('\0')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        for (n, value) in values.iter().enumerate() {
            let read = read.get(format!("V{n}").as_str());
            assert_eq!(read, Some(&value.as_str()), "{reader}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "asks PyYAML: make e2e"]
fn a_reader_of_older_yaml_takes_the_same_values() -> Test {
    let values: Vec<String> = texts().take(200).collect();
    let workspace = with_file("yaml", &values)?;
    let file = workspace.root().join("secrets/file").display().to_string();
    let script = "import json, sys, yaml\n\
                  with open(sys.argv[1], newline='', encoding='utf-8') as file: print(json.dumps(yaml.safe_load(file)))";
    let read: BTreeMap<String, String> =
        serde_json::from_str(&said("python", &["-c", script, &file])?)
            .map_err(|err| err.to_string())?;
    for (n, value) in values.iter().enumerate() {
        assert_eq!(read.get(&format!("V{n}")), Some(value));
    }
    Ok(())
}

/// Texts that a reader may take for something else; the same in every run.
fn texts() -> impl Iterator<Item = String> {
    const PIECES: [&str; 30] = [
        "a", "b1", " ", "  ", "\t", "\n", "\n\n", "\r\n", "'", "\"", "`", "$", "$HOME", "\\",
        "\\n", "#", " #", "=", ":", ": ", "---", "export ", "!", "{", "}", "é", "\u{7f}",
        "\u{2028}", "- ", "~",
    ];
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    std::iter::from_fn(move || {
        let pieces = (0..=dice.next_u32() % 7)
            .filter_map(|_| PIECES.get(dice.next_u32() as usize % PIECES.len()).copied());
        Some(pieces.collect())
    })
}

/// Whether there is a way to write a text that every reader of dotenv files takes alike.
fn all_take(text: &str) -> bool {
    let needs_single = text.contains(['"', '`', '$', '\\']);
    let has_no_single = text.contains('\'') || text.contains("\\\\") || text.ends_with('\\');
    let lost = text.contains('\r') || text.contains("${");
    !(lost || needs_single && has_no_single)
}

/// A workspace in which these values are in one file.
fn with_file(form: &str, values: &[String]) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    let mut secrets = String::new();
    let mut leaves = String::new();
    for (n, value) in values.iter().enumerate() {
        let literal =
            serde_json::to_string(&value.replace("${", "$${")).map_err(|err| err.to_string())?;
        let literal = literal.replace('\u{7f}', "\\u007f");
        secrets += &format!("  v{n}: {{value: {literal}}}\n");
        leaves += &format!("      V{n}: \"${{v{n}}}\"\n");
    }
    let contract = format!(
        "version: 1\nname: texts\nbackend: local\nsecrets:\n{secrets}files:\n  secrets/file:\n    {form}:\n{leaves}"
    );
    workspace.write("seed.yaml", &contract)?;
    workspace.seed("apply")?.success()?;
    Ok(workspace)
}

/// What a program prints that must end well, and knows no variable but `PATH`.
fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let sealed = Sealed::new(Path::new(program))?;
    sealed.run(Path::new("/"), arguments)?.success()
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
