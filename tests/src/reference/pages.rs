//! Which pages there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{codes, commands, contract, guarantees, variables};
use crate::help;
use crate::shared;
use crate::workspace::Workspace;

/// Returns every made page: its path, and its text.
pub fn pages() -> Result<Vec<(PathBuf, String)>, String> {
    let directory = shared::repository()?.join("docs/reference");
    let workspace = Workspace::new()?;
    let help = help::all(&workspace)?;
    let program = help.first().ok_or("there is no help")?;
    let schema = workspace.json("schema")?;
    let pages = [
        ("commands.md", commands::page(&help)),
        ("contract.md", contract::page(&schema, &examples()?)?),
        ("exit-codes.md", codes::page(program)?),
        ("guarantees.md", guarantees::page(program)?),
        ("variables.md", variables::page(&help)?),
    ];
    Ok(pages
        .into_iter()
        .map(|(name, text)| (directory.join(name), text))
        .collect())
}

/// Returns the README with what is made in it.
pub fn readme() -> Result<(PathBuf, String), String> {
    let path = shared::repository()?.join("README.md");
    let text = fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
    let help = help::all(&Workspace::new()?)?;
    let program = help.first().ok_or("there is no help")?;
    let text = guarantees::within(&text, program)?;
    Ok((path, text))
}

/// Returns the example contracts of the documentation by name.
pub fn examples() -> Result<BTreeMap<String, String>, String> {
    let directory = shared::repository()?.join("docs/examples");
    let failed = |err: std::io::Error| format!("{}: {err}", directory.display());
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_stem().unwrap_or_default().display().to_string();
        examples.insert(name, fs::read_to_string(&path).map_err(failed)?);
    }
    Ok(examples)
}

/// Writes every made page, and returns the paths of those that changed.
pub fn write() -> Result<Vec<PathBuf>, String> {
    let mut changed = Vec::new();
    for (path, text) in pages()?.into_iter().chain([readme()?]) {
        let failed = |err: std::io::Error| format!("{}: {err}", path.display());
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
        changed.push(path);
    }
    Ok(changed)
}
