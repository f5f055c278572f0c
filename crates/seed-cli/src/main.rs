//! The `seed` command: arguments, environment, terminal, files and exit codes. What it does is in the other crates.

mod advice;
mod args;
mod asking;
mod backends;
mod child;
mod commands;
mod confirm;
mod deep;
mod disk;
mod env;
mod error;
mod exit;
mod fence;
mod file_check;
mod git;
mod given;
mod load;
mod manifests;
mod process;
mod progress;
mod prompt;
mod registry;
mod render;
mod restoring;
mod secret_files;
mod select;
mod session;
mod signals;
mod stale;
mod terminal;
mod text_file;
mod trace;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::App;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    // Clients of services find it here; a second start in one process would be a test's, and the first one stays.
    drop(rustls::crypto::ring::default_provider().install_default());
    process::harden();
    let app = match App::try_parse() {
        Ok(app) => app,
        Err(err) => return usage::refuse(&err),
    };
    terminal::color(app.global.color);
    let terminal = Terminal {
        quiet: app.global.quiet,
    };
    trace::start(app.global.verbose);
    commands::run(app.command, terminal).into()
}
