//! Which pages there are.

use std::fs;
use std::path::{Path, PathBuf};

use super::commands;
use crate::help;
use crate::shared;
use crate::workspace::Workspace;

/// Returns every made page: its path, and its text.
pub fn pages() -> Result<Vec<(PathBuf, String)>, String> {
    let directory = shared::repository()?.join("docs/reference");
    let workspace = Workspace::new()?;
    let help = help::all(&workspace)?;
    let pages = [("commands.md", commands::page(&help))];
    Ok(pages
        .into_iter()
        .map(|(name, text)| (directory.join(name), text))
        .collect())
}

/// Writes every made page, and returns the paths of those that changed.
pub fn write() -> Result<Vec<PathBuf>, String> {
    let mut changed = Vec::new();
    for (path, text) in pages()? {
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
