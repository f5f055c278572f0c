//! The list of variables in the help: those of flags are read from the flags.

use std::collections::BTreeMap;

use clap::Command;

use crate::env;

/// One line for each variable that the program reads: those of flags first, then the others.
pub(super) fn all(command: &Command) -> String {
    let mut lines: Vec<(String, String)> = of_flags(command).into_iter().collect();
    let others = env::OTHERS.into_iter();
    lines.extend(others.map(|(name, meaning)| (name.to_owned(), meaning.to_owned())));
    let width = lines.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    lines
        .iter()
        .map(|(name, meaning)| format!("  {name:<width$}  {meaning}\n"))
        .collect()
}

/// The variables of flags, each with its flag.
fn of_flags(command: &Command) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for argument in command.get_arguments() {
        if let (Some(name), Some(flag)) = (argument.get_env(), argument.get_long()) {
            let separated = match argument.get_value_delimiter() {
                Some(',') => ", separated by commas",
                Some(_) | None => "",
            };
            let name = name.to_string_lossy().into_owned();
            found.insert(name, format!("--{flag}{separated}"));
        }
    }
    for command in command.get_subcommands() {
        found.extend(of_flags(command));
    }
    found
}
