//! Programs that we run.

use std::process::Command;

use crate::env::Environment;

/// The variables that a child sees: where programs and settings are found, and what git must know to answer rightly.
///
/// Nothing else: values come in variables (`SEED_VALUE_…`, those that the contract suggests), and a child, what it runs in
/// turn, and what they write into a log are no place for them.
const PASSED: [&str; 15] = [
    "DEVELOPER_DIR",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "USER",
    "XDG_CONFIG_HOME",
];

/// Whether a child sees a variable.
pub(crate) fn passes(variable: &str) -> bool {
    PASSED.contains(&variable)
}

/// A program that sees no variable but those that it needs. Every child is made here.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(Environment::some(&PASSED));
    command
}
