//! The directory of shared material beside the repository: CRDs, real manifests.
//!
//! It is not part of the repository, so a test that needs it is shown as ignored where it is
//! absent. In CI that would be a quiet pass, so there the same test fails.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::environment;

/// Returns the root of the repository.
pub fn repository() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| "the crate has no parent directory".into())
}

/// Returns the directory of shared material, if it is there.
pub fn directory() -> Option<PathBuf> {
    let shared = repository().ok()?.parent()?.join("shared");
    shared.is_dir().then_some(shared)
}

/// Registers a test that needs the shared material.
pub fn needs_shared<F>(name: impl Into<String>, test: F) -> Trial
where
    F: FnOnce(&Path) -> Result<(), Failed> + Send + 'static,
{
    trial(
        name.into(),
        directory(),
        environment::variable("CI").is_some(),
        test,
    )
}

fn trial<F>(name: String, shared: Option<PathBuf>, ci: bool, test: F) -> Trial
where
    F: FnOnce(&Path) -> Result<(), Failed> + Send + 'static,
{
    let ignored = shared.is_none() && !ci;
    let run = move || match shared {
        Some(shared) => test(&shared),
        None => Err("the directory `shared` beside the repository is absent".into()),
    };
    Trial::test(name, run).with_ignored_flag(ignored)
}

#[cfg(test)]
mod tests {
    use libtest_mimic::{Arguments, Conclusion};

    use super::*;

    fn outcome(shared: Option<PathBuf>, ci: bool, included: bool) -> (u64, u64, u64) {
        let arguments = Arguments {
            include_ignored: included,
            quiet: true,
            format: Some(libtest_mimic::FormatSetting::Json),
            logfile: Some("/dev/null".into()),
            ..Arguments::default()
        };
        let trial = trial("a test".into(), shared, ci, |_| Ok(()));
        let Conclusion {
            num_passed,
            num_failed,
            num_ignored,
            ..
        } = libtest_mimic::run(&arguments, vec![trial]);
        (num_passed, num_failed, num_ignored)
    }

    #[test]
    fn runs_where_the_material_is_there() {
        assert_eq!(outcome(Some("/".into()), false, false), (1, 0, 0));
        assert_eq!(outcome(Some("/".into()), true, false), (1, 0, 0));
    }

    #[test]
    fn is_ignored_where_the_material_is_absent() {
        assert_eq!(outcome(None, false, false), (0, 0, 1));
    }

    #[test]
    fn fails_in_ci_where_the_material_is_absent() {
        assert_eq!(outcome(None, true, false), (0, 1, 0));
    }

    #[test]
    fn never_passes_without_the_material() {
        assert_eq!(outcome(None, false, true), (0, 1, 0));
    }
}
