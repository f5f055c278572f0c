//! What a contract names lies in the contract's own work tree, so that somebody else's contract reads nothing beside it.
//!
//! Whoever checks a pull request runs `seed` on a contract that somebody else wrote, where their own files are one `..` or
//! one symbolic link away. Outside of every work tree there is nobody else, and no fence.

use std::path::{Component, Path, PathBuf};

use crate::error::{CliError, Result};
use crate::git;

/// The work tree that must not be left.
#[derive(Clone, Debug)]
pub(crate) struct Fence(Option<PathBuf>);

impl Fence {
    /// Finds the work tree of a contract, and refuses a contract that is a link to a place outside of it.
    pub(crate) fn around(contract: &Path) -> Result<Self> {
        let absolute = std::path::absolute(contract).ok();
        let own = absolute.as_deref().and_then(git::work_tree);
        // A directory on the way may be a link out of the work tree in which we were started.
        let plain = contract
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let here = || git::work_tree(&std::path::absolute("contract").ok()?);
        let fence = Self(own.or_else(|| plain.then(here).flatten()));
        fence.check("the contract", contract)?;
        Ok(fence)
    }

    /// Refuses a path that leads outside, symbolic links followed.
    pub(crate) fn check(&self, what: &str, path: &Path) -> Result<()> {
        let Some(top) = &self.0 else {
            return Ok(());
        };
        // The empty path is the directory in which we were started.
        let inside = std::path::absolute(Path::new(".").join(path))
            .ok()
            .and_then(|absolute| {
                let existing = absolute.ancestors().find(|ancestor| ancestor.exists())?;
                existing.canonicalize().ok()
            })
            .is_some_and(|resolved| resolved.starts_with(top));
        if inside {
            return Ok(());
        }
        let shown = path.display();
        Err(
            CliError::usage(format!("{what} `{shown}` lies outside the contract's repository"))
                .hint("a contract reads and writes below the top of its own git work tree only; name a facts file from elsewhere with `--config`"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_parents_do_not_lead_out_of_a_work_tree() {
        let base = tempfile::tempdir().unwrap();
        let repository = base.path().join("repository");
        fs::create_dir_all(repository.join(".git")).unwrap();
        fs::create_dir_all(repository.join("contracts")).unwrap();
        fs::write(base.path().join("private"), "").unwrap();
        fs::write(repository.join("contracts/seed.yaml"), "").unwrap();
        symlink(base.path().join("private"), repository.join("link")).unwrap();
        symlink(base.path(), repository.join("directory")).unwrap();
        let fence = Fence::around(&repository.join("contracts/seed.yaml")).unwrap();
        for inside in [
            "",
            "contracts",
            "contracts/..",
            "new/directory",
            "contracts/seed.yaml",
        ] {
            fence.check("it", &repository.join(inside)).unwrap();
        }
        for outside in [
            "..",
            "../private",
            "link",
            "directory",
            "directory/new",
            "/etc",
        ] {
            assert!(
                fence.check("it", &repository.join(outside)).is_err(),
                "{outside}"
            );
        }
        assert!(Fence::around(&repository.join("link")).is_err());
    }

    #[test]
    fn without_a_work_tree_there_is_no_fence() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("seed.yaml"), "").unwrap();
        let fence = Fence::around(&base.path().join("seed.yaml")).unwrap();
        fence.check("it", Path::new("/etc")).unwrap();
    }
}
