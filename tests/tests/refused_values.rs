//! Values that people give wrongly: each is refused with its own reason, shows nothing of itself, and writes nothing.
//!
//! The cases are the files of `tests/data/refused-values`; what is said to each stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use serde_json::Value;

type Test = Result<(), String>;

const FEWEST: usize = 60;

#[test]
fn every_wrong_value_is_refused_with_its_own_reason_and_nothing_is_written() -> Test {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/refused-values");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&data);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut reasons = BTreeSet::new();
    let cases = cases(&data)?;
    for (name, case) in &cases {
        let said = refused(&data, case).map_err(|err| format!("{name}: {err}"))?;
        settings.bind(|| insta::assert_snapshot!(name.as_str(), said));
        reasons.insert(reason(&said));
    }
    assert!(cases.len() >= FEWEST, "{}", cases.len());
    assert!(reasons.len() >= FEWEST, "{}: {reasons:#?}", reasons.len());
    Ok(())
}

fn cases(data: &Path) -> Result<BTreeMap<String, Value>, String> {
    let mut cases = BTreeMap::new();
    for entry in fs::read_dir(data).map_err(|err| err.to_string())? {
        let path = entry.map_err(|err| err.to_string())?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let text = fs::read_to_string(&path).map_err(|err| err.to_string())?;
            let case = serde_json::from_str(&text).map_err(|err| err.to_string())?;
            let name = path.file_stem().unwrap_or_default().display().to_string();
            cases.insert(name, case);
        }
    }
    Ok(cases)
}

/// Gives the values of a case, and returns what is said about them.
fn refused(data: &Path, case: &Value) -> Result<String, String> {
    let root = tempfile::tempdir().map_err(|err| err.to_string())?;
    fs::copy(data.join("seed.yaml"), root.path().join("seed.yaml"))
        .map_err(|err| err.to_string())?;
    lay_out(root.path(), case)?;
    let mut seed = Sealed::new(&seed_binary()?)?;
    for (name, value) in members(case, "variables") {
        seed = seed.variable(name, value.as_str().unwrap_or_default());
    }
    let before = files(root.path())?;
    let arguments = format!("apply {}", case["args"].as_str().unwrap_or_default());
    let outcome = seed.run(root.path(), arguments.split_whitespace())?;
    assert_eq!(outcome.status.code(), Some(2), "{outcome}");
    assert_eq!(files(root.path())?, before, "something was written");
    assert_eq!(
        files(seed.home())?,
        BTreeSet::new(),
        "something was written"
    );
    for hidden in case["hidden"].as_array().into_iter().flatten() {
        shows_nothing_of(&outcome, hidden.as_str().unwrap_or_default());
    }
    Ok(outcome.to_string())
}

fn lay_out(root: &Path, case: &Value) -> Test {
    for (path, text) in members(case, "files") {
        write(
            &root.join(path),
            text.as_str().unwrap_or_default().as_bytes(),
        )?;
    }
    for (path, digits) in members(case, "hex") {
        let digits: Vec<char> = digits.as_str().unwrap_or_default().chars().collect();
        let bytes = digits.chunks(2).map(|byte| byte.iter().collect::<String>());
        let bytes = bytes.map(|byte| u8::from_str_radix(&byte, 16));
        let bytes = bytes.collect::<Result<Vec<u8>, _>>();
        let bytes = bytes.map_err(|err| err.to_string())?;
        write(&root.join(path), &bytes)?;
    }
    for (path, size) in members(case, "large") {
        let size =
            usize::try_from(size.as_u64().unwrap_or_default()).map_err(|err| err.to_string())?;
        write(&root.join(path), "x".repeat(size).as_bytes())?;
    }
    for path in case["directories"].as_array().into_iter().flatten() {
        let path = root.join(path.as_str().unwrap_or_default());
        fs::create_dir_all(path).map_err(|err| err.to_string())?;
    }
    for (path, target) in members(case, "links") {
        let path = root.join(path);
        fs::create_dir_all(path.parent().ok_or("no parent")?).map_err(|err| err.to_string())?;
        symlink(target.as_str().unwrap_or_default(), path).map_err(|err| err.to_string())?;
    }
    Ok(())
}

fn members<'c>(case: &'c Value, name: &str) -> impl Iterator<Item = (&'c String, &'c Value)> {
    case[name].as_object().into_iter().flatten()
}

fn write(path: &Path, bytes: &[u8]) -> Test {
    fs::create_dir_all(path.parent().ok_or("no parent")?).map_err(|err| err.to_string())?;
    fs::write(path, bytes).map_err(|err| err.to_string())?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|err| err.to_string())
}

/// Every path below a directory, with what it holds.
fn files(directory: &Path) -> Result<BTreeSet<(PathBuf, Vec<u8>)>, String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(|err| err.to_string())? {
        let path = entry.map_err(|err| err.to_string())?.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path)?);
        }
        let bytes = if path.is_file() {
            fs::read(&path).map_err(|err| err.to_string())?
        } else {
            Vec::new()
        };
        found.insert((path, bytes));
    }
    Ok(found)
}

/// Neither the value nor eight characters of it are in what was said.
fn shows_nothing_of(outcome: &Outcome, hidden: &str) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    let characters: Vec<char> = hidden.chars().collect();
    for piece in characters.windows(characters.len().clamp(1, 8)) {
        let piece: String = piece.iter().collect();
        assert!(
            !said.contains(&piece),
            "a piece of a value is shown: {said}"
        );
    }
}

/// What was said, without the names and places that differ from case to case.
fn reason(said: &str) -> String {
    let cause = said
        .lines()
        .find(|line| line.contains("caused by:"))
        .unwrap_or(said);
    cause
        .split('`')
        .step_by(2)
        .collect::<String>()
        .replace(|c: char| c.is_ascii_digit(), "")
}
