//! The only place that reads the environment; flags with a variable of their own are read by clap.

use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use seed_core::secret::SecretValue;

/// Variables that belong to no flag, and what they are for.
pub(crate) const OTHERS: [(&str, &str); 4] = [
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
}
