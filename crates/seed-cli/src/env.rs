//! The only place that reads the environment; flags with a variable of their own are read by clap.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use seed_core::secret::SecretValue;

/// Variables that belong to no flag, and what they are for.
pub(crate) const OTHERS: [(&str, &str); 5] = [
    (
        "SEED_VALUE_<KEY>",
        "the value of a key, see `seed apply --help`",
    ),
    ("NO_COLOR", "no colour when set"),
    (
        "CLICOLOR, CLICOLOR_FORCE, TERM, CI",
        "whether a terminal shows colour, as in other programs",
    ),
    (
        "XDG_CONFIG_HOME, HOME",
        "where the identity of the `local` backend is kept",
    ),
    ("PATH", "where git is found, for files that hold values"),
];

/// What the program takes from its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// The user's configuration directory, if one can be told.
    pub(crate) config_dir: Option<PathBuf>,
}

impl Environment {
    /// Reads `XDG_CONFIG_HOME` and `HOME`.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn read() -> Self {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let home = || absolute("HOME").map(|home| home.join(".config"));
        Self {
            config_dir: absolute("XDG_CONFIG_HOME")
                .or_else(home)
                .map(|dir| dir.join("seed")),
        }
    }

    /// The user's home, if one can be told.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn home() -> Option<PathBuf> {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        home.filter(|home| home.is_absolute())
    }

    /// Tells whether a variable is set, without looking at its value.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn is_set(name: &str) -> bool {
        std::env::var_os(name).is_some_and(|value| !value.is_empty())
    }

    /// Takes a value from a variable, if it is set and not empty.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn value(name: &str) -> Option<SecretValue> {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(SecretValue::new(value.into_vec()))
    }

    /// Whether the terminal can be sent sequences: `TERM` says what it is.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn understands_sequences() -> bool {
        std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
    }

    /// Tells whether a variable exists, be it empty.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn exists(name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    /// The names of the variables that begin so, in their order. What is not UTF-8 is no name of ours.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn names_with(prefix: &str) -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names
    }

    /// Takes a setting from a variable, if it is set and not empty.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn text(name: &str) -> Option<String> {
        let value = std::env::var(name).ok();
        value.filter(|value| !value.is_empty())
    }

    /// The paths that a variable lists; none of them is empty.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    #[cfg(feature = "kubernetes")]
    pub(crate) fn paths(name: &str) -> Vec<PathBuf> {
        let listed = std::env::var_os(name).unwrap_or_default();
        let paths = std::env::split_paths(&listed);
        paths.filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// The value that a variable holds.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn secret(name: &str) -> Option<SecretValue> {
        std::env::var_os(name).map(|value| SecretValue::new(value.into_vec()))
    }

    /// Those of some variables that exist, for a child.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads variables"
    )]
    pub(crate) fn some<'n>(names: &'n [&str]) -> Vec<(&'n str, OsString)> {
        let one = |name: &&'n str| Some((*name, std::env::var_os(name)?));
        names.iter().filter_map(one).collect()
    }
}
