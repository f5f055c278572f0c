//! A command line that cannot be read.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::error::CliError;
use crate::render;
use crate::terminal::Terminal;

/// Says what is wrong with the arguments, or prints the help that they ask for.
pub(crate) fn refuse(err: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the stream is gone.
    drop(err.print());
    let arguments: Vec<_> = std::env::args_os().collect();
    if err.use_stderr() && asks_for_json(arguments.iter().map(AsRef::as_ref)) {
        let document = render::failure(&wrong(&err.to_string()));
        drop(Terminal { quiet: false }.json(&document));
    }
    u8::try_from(err.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Whether the arguments, which nobody could read, want a document on stdout.
fn asks_for_json<'a>(arguments: impl Iterator<Item = &'a OsStr>) -> bool {
    let mut before: &OsStr = "".as_ref();
    for argument in arguments {
        if argument == "--format=json" || (before == "--format" && argument == "json") {
            return true;
        }
        before = argument;
    }
    false
}

/// Takes the message and the tips out of what is shown to people.
fn wrong(shown: &str) -> CliError {
    let first = shown.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    let message = words.join(" ");
    let error = CliError::usage(message.trim_start_matches("error: "));
    let tips = shown
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    tips.fold(error, CliError::hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_in_arguments_that_cannot_be_read() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(AsRef::as_ref));
        assert!(asks("seed plan --format json --mising"));
        assert!(asks("seed plan --format=json --mising"));
        assert!(!asks("seed plan --format text json"));
        assert!(!asks("seed plan --format"));
    }
}
